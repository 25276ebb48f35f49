//! A restart that somebody stops, and one that is not alone any more.

use libtest_mimic::Trial;
use serde_json::json;

use crate::process::Process;
use crate::recorded::asked;
use crate::space::Space;

use super::super::trial;
use super::{allow, allow_now, restarts, workload};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("restraint restart: Ctrl-C ends it after the pod at hand", ctrl_c),
        trial(
            "restraint restart: Ctrl-C ends it while the next pod waits for its runbook",
            while_it_waits,
        ),
        trial(
            "restraint restart: a lease that somebody took ends it while the next pod waits",
            taken,
        ),
    ]
}

/// Restarts both pods of the set, and returns when the first is asked for.
fn start(space: &Space<'_>, flags: &[&str]) -> Process {
    let line = ["restart", "sts/db", "--yes", "--ready-for", "0s", "--skip", "readiness-probe"];
    let run = space.kubectl().start_restraint("restart", &[&line[..], flags].concat());
    asked(space, "db-1", 2);
    run
}

/// Waits for its end, and that it says all this, and did nothing to the other pod.
#[track_caller]
fn assert_ends(space: &Space<'_>, mut run: Process, parts: &[&str]) {
    let ended = run.wait().code();
    let said = run.log();
    assert_eq!(ended, Some(4), "{said}");
    for part in ["pod/db-1: restarted in place", "not touched: db-0"].iter().chain(parts) {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(space.pod("db-0")["metadata"]["generation"], 1);
}

/// The name of the set's Lease.
fn lease(space: &Space<'_>) -> String {
    let set = space.object(&["get", "statefulset", "db"]);
    format!("restraint-{}", set["metadata"]["uid"].as_str().unwrap())
}

fn ctrl_c() {
    let (space, _) = workload("RestartContainer");
    let run = start(&space, &[]);
    run.signal("INT");
    restarts(&space, "db-1", false);
    assert_ends(&space, run, &["it was told to stop"]);
    let gone = space.kubectl().run(&["get", "lease", &lease(&space)]).refused();
    assert!(gone.contains("not found"), "{gone}");
    let events = space.object(&["get", "events.events.k8s.io"]);
    let told = events["items"].as_array().unwrap().iter();
    let notes: Vec<_> =
        told.filter(|event| event["reason"] == "Restarted").map(|event| &event["note"]).collect();
    assert_eq!(notes, [&json!("\"admin\": 1 of 2 pods restarted, in place")]);
}

/// The second pod waits for a disruption budget, which the first has used up.
fn waiting(space: &Space<'_>) -> Process {
    allow(space, 1);
    let mut run = start(space, &["--wait", "2h"]);
    allow_now(space, 0);
    restarts(space, "db-1", false);
    run.eventually("db-1 is restarted", |log| {
        log.contains("pod/db-1: restarted in place").then_some(())
    });
    run
}

fn while_it_waits() {
    let (space, _) = workload("RestartContainer");
    let run = waiting(&space);
    run.signal("INT");
    assert_ends(&space, run, &["it was told to stop"]);
}

fn taken() {
    let (space, _) = workload("RestartContainer");
    let run = waiting(&space);
    let patch = json!({"spec": {"holderIdentity": "bob@example.com (there, process 7)"}});
    let (patch, name) = (patch.to_string(), lease(&space));
    let line = ["patch", "lease", &name, "--type", "merge", "--patch", &patch];
    space.kubectl().run(&line).accepted();
    assert_ends(&space, run, &["bob@example.com (there, process 7) took the lease"]);
    assert_eq!(
        space.object(&["get", "lease", &name])["spec"]["holderIdentity"],
        "bob@example.com (there, process 7)"
    );
}
