//! A run that somebody stops, and one that is not alone any more.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::kubectl::Person;
use crate::process::Process;
use crate::recorded::{Recorded, asked};
use crate::space::Space;

use super::super::trial;
use super::{assert_limit, begin, ended, notes, workload};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "restraint resize: Ctrl-C ends it after the pod at hand, and --resume goes on",
            ctrl_c,
        ),
        trial("restraint resize: Ctrl-C between two pods ends it at once", in_the_cool_down),
        trial("restraint resize: a second Ctrl-C ends it at once", twice),
        trial("restraint resize: Ctrl-C leaves the template as it was", before_the_template),
        trial("restraint resize: a lease that somebody took ends it before the next pod", taken),
        trial("restraint resize: a lease that is gone ends it before the next pod", deleted),
        trial("restraint resize: of two runs at once the second changes nothing", two_runs),
    ]
}

/// Resizes both pods of the set.
fn start(space: &Space<'_>, flags: &[&str]) -> Process {
    let line = ["resize", "sts/db", "--memory", "96Mi", "--yes", "--settle", "0s"];
    space.by(Person::Developer).start_restraint("resize", &[&line[..], flags].concat())
}

/// The name of the set's Lease.
fn lease(space: &Space<'_>) -> String {
    let set = space.object(&["get", "statefulset", "db"]);
    format!("restraint-{}", set["metadata"]["uid"].as_str().unwrap())
}

#[track_caller]
fn assert_no_lease(space: &Space<'_>) {
    let said = space.kubectl().run(&["get", "lease", &lease(space)]).refused();
    assert!(said.contains("not found"), "{said}");
}

/// Waits for its end, and that it says all this.
#[track_caller]
fn assert_ends(mut run: Process, code: i32, parts: &[&str]) {
    let ended = run.wait().code();
    let said = run.log();
    assert_eq!(ended, Some(code), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part}: {said}");
    }
}

fn ctrl_c() {
    let history = Recorded::read("memory-resize-live");
    let space = workload(&history, "RollingUpdate");
    let run = start(&space, &[]);
    asked(&space, "db-1", 2);
    run.signal("INT");
    history.play(&space, "db-1");
    let parts = [
        "pod/db-1: done in place, no restart",
        "stopped: 1 of 1 pods that had their turn are as wanted",
        "why: it was told to stop",
        "not touched: db-0",
        "go on: the same command with --resume",
    ];
    assert_ends(run, 4, &parts);
    assert_limit(&space, "db-1", "96Mi");
    assert_limit(&space, "db-0", "64Mi");
    assert_no_lease(&space);
    let note =
        "\"dev@example.com\": app memory limit 64Mi -> 96Mi: 1 of 2 pods resized, 0 put back";
    assert_eq!(notes(&space), [("Warning".to_owned(), note.to_owned())]);

    let flags = ["--memory", "96Mi", "--resume"];
    let run = begin(space.by(Person::Developer), "sts/db", &flags);
    asked(&space, "db-0", 2);
    history.play(&space, "db-0");
    let report = ended(run, 0);
    let turns: Vec<_> =
        report["plan"]["pods"].as_array().unwrap().iter().map(|pod| &pod["turn"]).collect();
    assert_eq!(turns, ["done", "resize"]);
}

fn in_the_cool_down() {
    let history = Recorded::read("memory-resize-live");
    let space = workload(&history, "RollingUpdate");
    let mut run = start(&space, &["--cool-down", "2h"]);
    asked(&space, "db-1", 2);
    history.play(&space, "db-1");
    run.eventually("db-1 is done", |log| log.contains("pod/db-1: done in place").then_some(()));
    run.signal("INT");
    assert_ends(run, 4, &["why: it was told to stop", "not touched: db-0"]);
    assert_limit(&space, "db-0", "64Mi");
}

fn twice() {
    let history = Recorded::read("memory-resize-live");
    let space = workload(&history, "RollingUpdate");
    let mut run = start(&space, &[]);
    asked(&space, "db-1", 2);
    // two that come at once may be seen as one
    let end = eventually("it ends", || {
        run.ended().or_else(|| {
            run.signal("INT");
            None
        })
    });
    assert_eq!(end.code(), Some(130), "{}", run.log());
    assert_limit(&space, "db-1", "96Mi");
    assert_limit(&space, "db-0", "64Mi");
    // it keeps others off until it ends by itself
    space.object(&["get", "lease", &lease(&space)]);
    let second = ended(begin(space.by(Person::Developer), "sts/db", &["--memory", "112Mi"]), 2);
    assert!(second["why"].as_str().unwrap().contains(" is at it since "), "{second}");
}

fn before_the_template() {
    let history = Recorded::read("memory-resize-live");
    let space = workload(&history, "OnDelete");
    let run = start(&space, &["--persist"]);
    asked(&space, "db-1", 2);
    history.play(&space, "db-1");
    asked(&space, "db-0", 2);
    run.signal("INT");
    history.play(&space, "db-0");
    let why = "every pod is resized, and the template is as it was: it was told to stop";
    assert_ends(run, 4, &[why, "stopped: 2 of 2 pods"]);
    let set = space.object(&["get", "statefulset", "db"]);
    let resources = &set["spec"]["template"]["spec"]["containers"][0]["resources"];
    assert_eq!(resources["limits"]["memory"], "64Mi");
    // nothing is left but the template, which is not written without consent either
    let line = ["resize", "sts/db", "--memory", "96Mi", "--persist", "--resume"];
    let nobody = space.by(Person::Developer).restraint(&line);
    assert_eq!(nobody.code(), Some(2), "{nobody:#?}");
    let run = begin(
        space.by(Person::Developer),
        "sts/db",
        &["--memory", "96Mi", "--persist", "--resume"],
    );
    assert_eq!(ended(run, 0)["persisted"], true);
}

fn taken() {
    let history = Recorded::read("memory-resize-live");
    let space = workload(&history, "RollingUpdate");
    let run = start(&space, &[]);
    asked(&space, "db-1", 2);
    let patch = json!({"spec": {"holderIdentity": "bob@example.com (there, process 7)"}});
    let (patch, name) = (patch.to_string(), lease(&space));
    let line = ["patch", "lease", &name, "--type", "merge", "--patch", &patch];
    space.kubectl().run(&line).accepted();
    history.play(&space, "db-1");
    let why = "bob@example.com (there, process 7) took the lease";
    assert_ends(run, 4, &[why, "pod/db-1: done", "not touched: db-0"]);
    assert_limit(&space, "db-0", "64Mi");
    // it is not given back: it is somebody else's
    let held: Value = space.object(&["get", "lease", &name]);
    assert_eq!(held["spec"]["holderIdentity"], "bob@example.com (there, process 7)");
}

fn deleted() {
    let history = Recorded::read("memory-resize-live");
    let space = workload(&history, "RollingUpdate");
    let run = start(&space, &[]);
    asked(&space, "db-1", 2);
    space.kubectl().run(&["delete", "lease", &lease(&space)]).accepted();
    history.play(&space, "db-1");
    assert_ends(run, 4, &["somebody deleted the lease", "pod/db-1: done", "not touched: db-0"]);
    assert_limit(&space, "db-0", "64Mi");
    assert_no_lease(&space);
}

fn two_runs() {
    let history = Recorded::read("memory-resize-live");
    let space = workload(&history, "RollingUpdate");
    let first = start(&space, &[]);
    asked(&space, "db-1", 2);
    // a pod of the set is the set's: both see each other
    let second = ended(begin(space.by(Person::Admin), "pod/db-0", &["--memory", "80Mi"]), 2);
    let why = second["why"].as_str().unwrap();
    assert!(why.starts_with("dev@example.com (") && why.contains(" is at it since "), "{why}");
    assert_limit(&space, "db-0", "64Mi");
    for name in ["db-1", "db-0"] {
        asked(&space, name, 2);
        history.play(&space, name);
    }
    assert_ends(first, 0, &["done: 2 of 2 pods"]);
    assert_no_lease(&space);
}
