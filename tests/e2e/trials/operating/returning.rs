//! What is put back: after its time, and while its container cannot start.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::kubectl::Person;
use crate::recorded::{Recorded, asked, runs, say};
use crate::space::Space;

use super::super::trial;
use super::{approve, assert_limit, begin, ended, limits, notes, started, state};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "restraint resize: growth for a while stays where nobody approves its way back",
            growth_without_an_approval,
        ),
        trial("restraint resize: growth for a while is put back once it is approved", growth),
        trial("restraint resize: a decrease for a while is put back by anybody", decrease),
        trial(
            "restraint resize: a container that cannot start for a moment is waited for on the way back",
            not_starting,
        ),
    ]
}

fn growth_without_an_approval() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("64Mi"));
    let flags = ["--memory", "96Mi", "--revert-after", "0s"];
    let run = begin(space.by(Person::Developer), "pod/db", &flags);
    asked(&space, "db", 2);
    history.play(&space, "db");
    let report = ended(run, 1);
    // the plan said so
    let way_back = &report["plan"]["pods"][0]["wayBack"];
    assert_eq!(way_back["isOpen"], false, "{way_back}");
    let grant = way_back["remedy"].as_str().unwrap();
    assert!(grant.contains("restraint.dev/approve=app=64Mi"), "{grant}");
    let reverted = &report["reverted"][0];
    assert_eq!((state(&report), &reverted["done"]), (&json!("done"), &json!(false)), "{reverted}");
    let why = reverted["why"].as_str().unwrap();
    assert!(why.contains("memory limit 96Mi -> 64Mi is not approved"), "{why}");
    assert_limit(&space, "db", "96Mi");
    let note =
        "\"dev@example.com\": app memory limit 64Mi -> 96Mi: 1 of 1 pods resized, 0 put back";
    assert_eq!(notes(&space), [("Warning".to_owned(), note.to_owned())]);
}

fn growth() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("64Mi"));
    let line = ["resize", "pod/db", "--memory", "96Mi", "--yes", "--settle", "0s"];
    let for_a_while = [&line[..], &["--revert-after", "2h"]].concat();
    let mut run = space.by(Person::Developer).start_restraint("resize", &for_a_while);
    asked(&space, "db", 2);
    history.play(&space, "db");
    run.eventually("it is done", |log| log.contains("pod/db: done in place").then_some(()));
    approve(&space, "db", "64Mi");
    // whoever does not want to wait has it put back at once
    run.signal("INT");
    asked(&space, "db", 3);
    runs(&space, "db");
    let (code, said) = (run.wait().code(), run.log());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("everything is put back after 2 h"), "{said}");
    assert!(said.contains("db put back: yes: app memory limit 96Mi -> 64Mi"), "{said}");
    assert_limit(&space, "db", "64Mi");
    let note =
        "\"dev@example.com\": app memory limit 64Mi -> 96Mi: 1 of 1 pods resized, 1 put back";
    assert_eq!(notes(&space), [("Normal".to_owned(), note.to_owned())]);
}

fn decrease() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("96Mi"));
    approve(&space, "db", "80Mi");
    let flags = ["--memory", "80Mi", "--revert-after", "0s"];
    let run = begin(space.by(Person::Developer), "pod/db", &flags);
    for generation in [2, 3] {
        asked(&space, "db", generation);
        runs(&space, "db");
    }
    let report = ended(run, 0);
    assert_eq!(report["plan"]["pods"][0]["wayBack"]["isOpen"], true);
    assert_eq!(report["reverted"][0]["done"], true, "{report}");
    assert_limit(&space, "db", "96Mi");
}

/// Says that the container was stopped, and does not start for want of a key.
fn cannot_start(space: &Space<'_>, name: &str) {
    let pod = space.pod(name);
    let generation = pod["metadata"]["generation"].as_i64().unwrap();
    let resources = &pod["spec"]["containers"][0]["resources"];
    let ended = json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:10:00Z"}});
    let waits = json!({"waiting": {"reason": "CreateContainerConfigError", "message": "couldn't find key greeting in ConfigMap shop/app"}});
    let container = json!({
        "name": "app", "image": "registry.k8s.io/pause:3.10", "imageID": "", "ready": false, "started": false,
        "restartCount": 0, "state": waits, "lastState": ended,
        "resources": resources, "allocatedResources": resources["requests"],
    });
    let condition = |(kind, status): (&str, &str)| json!({"type": kind, "status": status, "lastTransitionTime": "2026-01-01T00:10:00Z"});
    let conditions = [
        ("PodScheduled", "True"),
        ("Initialized", "True"),
        ("ContainersReady", "False"),
        ("Ready", "False"),
    ];
    let conditions = conditions.map(condition);
    let status =
        json!({"phase": "Running", "conditions": conditions, "containerStatuses": [container]});
    say(space, name, generation, status);
}

fn not_starting() {
    let history = Recorded::read("memory-resize-restart");
    let space = started(&history, &limits("64Mi"));
    let run = begin(space.by(Person::Admin), "pod/db", &["--memory", "96Mi"]);
    asked(&space, "db", 2);
    approve(&space, "db", "64Mi");
    cannot_start(&space, "db");
    asked(&space, "db", 3);
    // it is put back, and still does not start; and then it does
    cannot_start(&space, "db");
    runs(&space, "db");
    let report = ended(run, 1);
    let pod = &report["pods"][0];
    assert_eq!(state(&report), "not-starting", "{pod}");
    assert_eq!(
        pod["putBack"],
        json!({"done": true, "why": "app memory limit 96Mi -> 64Mi: done in place, no restart"})
    );
    assert_limit(&space, "db", "64Mi");
    assert_ne!(space.pod("db")["status"]["containerStatuses"][0]["state"]["running"], Value::Null);
}
