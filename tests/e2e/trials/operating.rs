//! `restraint resize`: planned, done, watched to its end and put back. A stand-in plays what a real
//! kubelet said.

mod consent;
mod managers;
mod returning;
mod rights;
mod stopped;

use std::thread::{JoinHandle, spawn};

use jiff::Timestamp;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::kubectl::{Kubectl, Outcome, Person};
use crate::kubelet;
use crate::recorded::{Recorded, asked, runs};
use crate::space::Space;
use crate::world::enforcing;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    let more = [
        consent::trials(),
        managers::trials(),
        rights::trials(),
        stopped::trials(),
        returning::trials(),
    ];
    let trials = vec![
        trial("restraint resize: in place, with an event, and the lease is given back", in_place),
        trial("restraint resize: with a restart, and how long it took", with_a_restart),
        trial("restraint resize: what waits too long is put back", deferred),
        trial("restraint resize: what the kubelet will not do is put back at once", infeasible),
        trial("restraint resize: a decrease below what is in use is put back", below_usage),
        trial(
            "restraint resize: a process that is killed for memory afterwards is a failure",
            out_of_memory,
        ),
        trial("restraint resize: a pod that goes away is told from one that is done", gone),
        trial(
            "restraint resize: the second of two people sees the first and changes nothing",
            two_people,
        ),
        trial(
            "restraint resize: a denial comes with what grants it, and nothing is changed",
            denied,
        ),
        trial("restraint resize: bad input asks for nothing", bad_input),
        trial(
            "restraint resize: a workload stops at its first failure and goes on with --resume",
            a_workload,
        ),
        trial(
            "restraint resize: a template is written last, and who else manages is told",
            persisted,
        ),
    ];
    trials.into_iter().chain(more.into_iter().flatten()).collect()
}

/// Flags of every run: nobody to ask, and no waiting for what cannot come.
const QUIET: [&str; 5] = ["--yes", "--settle", "0s", "--output", "json"];

/// Runs it beside the stand-in.
fn begin(kubectl: Kubectl, target: &str, flags: &[&str]) -> JoinHandle<Outcome> {
    let line: Vec<String> =
        ["resize", target].iter().chain(flags).chain(&QUIET).map(|&word| word.to_owned()).collect();
    spawn(move || {
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        kubectl.restraint(&line)
    })
}

#[track_caller]
fn ended(run: JoinHandle<Outcome>, code: i32) -> Value {
    let outcome = run.join().unwrap();
    assert_eq!(outcome.code(), Some(code), "{outcome:#?}");
    outcome.object()
}

/// A space with a pod "db" that has what the recorded one had before.
fn started<'i>(history: &Recorded, before: &Value) -> Space<'i> {
    let space = enforcing().space();
    kubelet::join(&space);
    history.start(&space, "db", &history.resources(before), &Value::Null);
    space
}

fn limits(memory: &str) -> Value {
    json!({"limits": {"memory": memory}})
}

fn state(report: &Value) -> &Value {
    &report["pods"][0]["outcome"]["state"]
}

#[track_caller]
fn assert_limit(space: &Space<'_>, name: &str, expected: &str) {
    let pod = space.pod(name);
    assert_eq!(pod["spec"]["containers"][0]["resources"]["limits"]["memory"], expected, "{name}");
}

fn approve(space: &Space<'_>, name: &str, amount: &str) {
    let (pod, amount) = (format!("pod/{name}"), format!("app={amount}"));
    space.by(Person::Sre).restraint(&["approve", &pod, "--memory", &amount]).accepted();
}

fn in_place() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("64Mi"));
    let plan = space.by(Person::Developer).restraint(&[
        "resize",
        "pod/db",
        "--memory",
        "96Mi",
        "--dry-run",
    ]);
    let plan = plan.printed();
    for part in [
        "pod/db (ready): app memory limit 64Mi -> 96Mi",
        "effect on app: resize in place, no restart: the limit rises",
        "answer: allowed",
        "way back: closed: a growth that waits or failed can be put back",
        "restraint.dev/approve=app=64Mi",
        "at most 5 min a pod",
        "nothing is changed: this is the plan",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let nobody = space.by(Person::Developer).restraint(&["resize", "pod/db", "--memory", "96Mi"]);
    assert_eq!(nobody.code(), Some(2));
    assert!(nobody.refused().contains("nothing is done without consent"));
    assert_limit(&space, "db", "64Mi");

    let run = begin(space.by(Person::Developer), "pod/db", &["--memory", "app=96Mi"]);
    asked(&space, "db", 2);
    let lease = format!("restraint-{}", space.pod("db")["metadata"]["uid"].as_str().unwrap());
    let held = space.object(&["get", "lease", &lease]);
    let holder = held["spec"]["holderIdentity"].as_str().unwrap();
    assert!(holder.starts_with("dev@example.com ("), "{holder}");
    history.play(&space, "db");
    let report = ended(run, 0);
    assert_eq!(
        (&report["schema"], &report["result"]),
        (&json!("restraint.dev/resize/v1"), &json!("done"))
    );
    assert_eq!(state(&report), "done");
    assert_limit(&space, "db", "96Mi");
    let gone = space.kubectl().run(&["get", "lease", &lease]).refused();
    assert!(gone.contains("not found"), "{gone}");
    let again = space.by(Person::Developer).restraint(&["resize", "pod/db", "--memory", "96Mi"]);
    assert!(again.printed().contains("has it already"));
}

fn with_a_restart() {
    let history = Recorded::read("memory-resize-restart");
    let space = started(&history, &limits("64Mi"));
    let run = begin(space.by(Person::Developer), "pod/db", &["--memory", "96Mi"]);
    asked(&space, "db", 2);
    history.play(&space, "db");
    let report = ended(run, 0);
    assert_eq!(state(&report), "restarted");
    let restart = &report["pods"][0]["outcome"]["restarted"][0];
    assert!(restart["container"] == "app" && restart["seconds"].is_i64(), "{restart}");
    let warnings = report["plan"]["pods"][0]["answer"]["warnings"].to_string();
    assert!(warnings.contains("resize-restarts-container: "), "{warnings}");
}

fn deferred() {
    let history = Recorded::read("deferred");
    let before = json!({"limits": {"memory": "512Mi"}, "requests": {"memory": "256Mi"}});
    let space = started(&history, &before);
    let flags = ["--memory", "3000Mi", "--request-memory", "3000Mi", "--timeout", "60s"];
    let run = begin(space.by(Person::Developer), "pod/db", &flags);
    asked(&space, "db", 2);
    history.play(&space, "db");
    asked(&space, "db", 3);
    Recorded::read("deferred-then-reverted").play(&space, "db");
    let report = ended(run, 1);
    let pod = &report["pods"][0];
    assert_eq!((state(&report), &pod["timedOut"]), (&json!("deferred"), &json!(true)));
    assert_eq!(pod["putBack"]["done"], true, "{pod}");
    let message = pod["outcome"]["message"].as_str().unwrap();
    assert!(message.starts_with("Node didn't have enough resource: memory"), "{message}");
    assert_limit(&space, "db", "512Mi");
}

fn infeasible() {
    let history = Recorded::read("infeasible");
    let before = json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1"}});
    let space = started(&history, &before);
    let run = begin(space.by(Person::Developer), "pod/db", &["--cpu", "app=500m"]);
    asked(&space, "db", 2);
    history.play(&space, "db");
    asked(&space, "db", 3);
    runs(&space, "db");
    let report = ended(run, 1);
    assert_eq!(
        (state(&report), &report["pods"][0]["putBack"]["done"]),
        (&json!("infeasible"), &json!(true))
    );
}

fn below_usage() {
    let history = Recorded::read("resize-error-below-usage");
    let space = started(&history, &limits("192Mi"));
    approve(&space, "db", "64Mi");
    let run = begin(space.by(Person::Developer), "pod/db", &["--memory", "64Mi"]);
    asked(&space, "db", 2);
    history.play(&space, "db");
    asked(&space, "db", 3);
    runs(&space, "db");
    let report = ended(run, 1);
    assert_eq!(
        (state(&report), &report["pods"][0]["putBack"]["done"]),
        (&json!("below-usage"), &json!(true))
    );
    assert_eq!(report["plan"]["pods"][0]["wayBack"]["isOpen"], true);
    assert_limit(&space, "db", "192Mi");
}

fn out_of_memory() {
    let history = Recorded::read("resize-restart-first-oom");
    let space = started(&history, &limits("192Mi"));
    approve(&space, "db", "64Mi");
    let flags = ["--memory", "64Mi", "--on-failure", "stop"];
    let run = begin(space.by(Person::Developer), "pod/db", &flags);
    asked(&space, "db", 2);
    history.play(&space, "db");
    let report = ended(run, 1);
    assert_eq!(
        (state(&report), &report["pods"][0]["putBack"]),
        (&json!("out-of-memory"), &Value::Null)
    );
    assert_limit(&space, "db", "64Mi");
}

fn gone() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("64Mi"));
    let run = begin(space.by(Person::Developer), "pod/db", &["--memory", "96Mi"]);
    asked(&space, "db", 2);
    space.kubectl().run(&["delete", "pod", "db", "--grace-period=0", "--force"]).accepted();
    let report = ended(run, 1);
    assert_eq!((state(&report), &report["pods"][0]["putBack"]), (&json!("gone"), &Value::Null));
}

fn two_people() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("64Mi"));
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string();
    let name = format!("restraint-{}", space.pod("db")["metadata"]["uid"].as_str().unwrap());
    let spec = json!({"holderIdentity": "bob@example.com (there, process 7)", "leaseDurationSeconds": 3600, "acquireTime": now, "renewTime": now});
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec});
    space.create(&lease).accepted();
    let run = begin(space.by(Person::Developer), "pod/db", &["--memory", "96Mi"]);
    let report = ended(run, 2);
    let why = report["why"].as_str().unwrap();
    assert!(why.starts_with("bob@example.com (there, process 7) is at it since 20"), "{why}");
    assert_limit(&space, "db", "64Mi");
    space.object(&["get", "lease", &name]);
}

fn denied() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("96Mi"));
    let run = begin(space.by(Person::Developer), "pod/db", &["--memory", "64Mi"]);
    let report = ended(run, 3);
    let answer = &report["plan"]["pods"][0]["answer"];
    assert_eq!(answer["verdict"], "denied", "{answer}");
    let message = answer["message"].as_str().unwrap();
    let grant =
        format!("kubectl annotate pod db -n {} restraint.dev/approve=app=64Mi", space.name());
    assert!(message.contains(&grant), "{message}");
    assert_eq!(space.pod("db")["metadata"]["generation"], 1);
    // the API server's own no
    let run = begin(space.by(Person::Developer), "pod/db", &["--request-memory", "200Mi"]);
    let report = ended(run, 3);
    assert_eq!(report["plan"]["pods"][0]["answer"]["verdict"], "refused");
}

fn bad_input() {
    let space = enforcing().space();
    for (flags, said) in [
        (vec!["--memory", "app=512m"], "write 512Mi for mebibytes"),
        (vec!["--memory", "app=much"], "\"app=much\" is no amount"),
        (vec!["--cpu", "app=500Mi"], "has a unit of memory"),
        (vec![], "nothing is asked for"),
        (vec!["--memory", "96Mi", "--timeout", "soon"], "expected a duration"),
    ] {
        let outcome = begin(space.by(Person::Developer), "pod/db", &flags).join().unwrap();
        assert_eq!(outcome.code(), Some(2), "{outcome:#?}");
        let error = outcome.refused();
        assert!(error.contains(said), "{said}: {error}");
    }
}

/// A StatefulSet of two pods that have 64Mi.
fn workload(history: &Recorded, strategy: &str) -> Space<'static> {
    let space = enforcing().space();
    kubelet::join(&space);
    let labels = json!({"app": "db"});
    let resources = history.resources(&limits("64Mi"));
    let container =
        json!({"name": "app", "image": "registry.k8s.io/pause:3.10", "resources": resources});
    let set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
        "spec": {
            "replicas": 2, "serviceName": "db", "selector": {"matchLabels": labels}, "updateStrategy": {"type": strategy},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    });
    let set = space.create(&set).accepted().object();
    let owner = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": set["metadata"]["uid"], "controller": true});
    for name in ["db-0", "db-1"] {
        history.start(&space, name, &resources, &owner);
    }
    space
}

fn a_workload() {
    let history = Recorded::read("memory-resize-live");
    let space = workload(&history, "RollingUpdate");
    // the highest ordinal first, and the other is not touched
    let run =
        begin(space.by(Person::Developer), "sts/db", &["--memory", "96Mi", "--on-failure", "stop"]);
    asked(&space, "db-1", 2);
    Recorded::read("infeasible").play(&space, "db-1");
    let report = ended(run, 1);
    assert_eq!((&report["pods"][0]["pod"], state(&report)), (&json!("db-1"), &json!("infeasible")));
    assert_eq!(report["notTouched"], json!(["db-0"]));
    assert_limit(&space, "db-0", "64Mi");

    let waits = ended(begin(space.by(Person::Developer), "sts/db", &["--memory", "96Mi"]), 2);
    let why = waits["why"].as_str().unwrap();
    assert!(why.contains("--resume"), "{why}");
    runs(&space, "db-1");
    let run = begin(space.by(Person::Developer), "sts/db", &["--memory", "96Mi", "--resume"]);
    asked(&space, "db-0", 2);
    history.play(&space, "db-0");
    let report = ended(run, 0);
    let turns: Vec<_> =
        report["plan"]["pods"].as_array().unwrap().iter().map(|pod| &pod["turn"]).collect();
    assert_eq!(turns, ["done", "resize"]);
    let note =
        "\"dev@example.com\": app memory limit 64Mi -> 96Mi: 1 of 1 pods resized, 0 put back";
    assert!(
        notes(&space).contains(&("Normal".to_owned(), note.to_owned())),
        "{:#?}",
        notes(&space)
    );
}

/// The Events on workloads that tell of resizes, each with its type.
fn notes(space: &Space<'_>) -> Vec<(String, String)> {
    let events = space.object(&["get", "events.events.k8s.io"]);
    let told = events["items"].as_array().unwrap().iter();
    let word = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    told.filter(|event| event["reason"] == "ResizedInPlace")
        .map(|event| (word(event, "type"), word(event, "note")))
        .collect()
}

fn persisted() {
    let history = Recorded::read("memory-resize-live");
    let space = workload(&history, "OnDelete");
    let target = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db"});
    let metric = json!({"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}}});
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "db"}, "spec": {"scaleTargetRef": target, "maxReplicas": 3, "metrics": [metric]}});
    space.create(&scaler).accepted();
    let flags = ["resize", "sts/db", "--memory", "96Mi", "--persist", "--dry-run"];
    let plan = space.by(Person::Admin).restraint(&flags).printed();
    assert!(plan.contains("horizontalpodautoscaler/db: it scales by memory"), "{plan}");
    assert!(plan.contains("pod/db-0 (ready): the same"), "{plan}");
    let run = begin(space.by(Person::Developer), "sts/db", &["--memory", "96Mi", "--persist"]);
    for name in ["db-1", "db-0"] {
        asked(&space, name, 2);
        history.play(&space, name);
    }
    let report = ended(run, 0);
    assert_eq!(
        (&report["persisted"], &report["plan"]["persist"]["rolls"]),
        (&json!(true), &json!(false))
    );
    let set = space.object(&["get", "statefulset", "db"]);
    let resources = &set["spec"]["template"]["spec"]["containers"][0]["resources"];
    assert_eq!(resources["limits"], json!({"cpu": "200m", "memory": "96Mi"}));
}
