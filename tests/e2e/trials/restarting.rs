//! `restraint restart`: planned, held back by its runbook, done in place, by eviction or by a
//! rollout, and stopped. The tests say what a kubelet and controllers would.

mod capacity;
mod stopped;

use std::thread::{JoinHandle, spawn};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::kubectl::{Kubectl, Outcome, Person};
use crate::kubelet::{self, bound};
use crate::pods::pod_with;
use crate::recorded::{asked, runs, say};
use crate::space::Space;
use crate::world::{enforcing, metrics_api};

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    let more = [capacity::trials(), stopped::trials()];
    let trials = vec![
        trial(
            "restraint restart: a red runbook stops it, and each line can be skipped by its name",
            runbook,
        ),
        trial("restraint restart: in place, with an event, and what is read anew", in_place),
        trial("restraint restart: the first pod that fails is the last", a_row),
        trial(
            "restraint restart: an eviction that the disruption budget refuses changes nothing",
            budget,
        ),
        trial("restraint restart: an eviction is done once the next pod is ready", eviction),
        trial("restraint restart: a rollout is watched until it is complete", rollout),
        trial(
            "restraint restart: what cannot be restarted so says why, and bad input asks for nothing",
            refused,
        ),
    ];
    trials.into_iter().chain(more.into_iter().flatten()).collect()
}

/// Flags of every run: nobody to ask, and no waiting for what cannot come.
const QUIET: [&str; 5] = ["--yes", "--ready-for", "0s", "--output", "json"];

/// The lines of the runbook that a pod of these trials has red.
const ALONE: [&str; 4] = ["--skip", "ready-siblings", "--skip", "readiness-probe"];

/// Runs it beside whoever says what a kubelet would.
fn begin(kubectl: Kubectl, target: &str, flags: &[&str]) -> JoinHandle<Outcome> {
    let line: Vec<String> = ["restart", target]
        .iter()
        .chain(flags)
        .chain(&QUIET)
        .map(|&word| word.to_owned())
        .collect();
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

/// Starts a pod that runs well.
fn start(space: &Space<'_>, name: &str, policy: &str, owner: &Value) {
    start_labelled(space, name, policy, owner, owner["name"].as_str().unwrap_or("db"));
}

/// The same, with the label `app`.
fn start_labelled(space: &Space<'_>, name: &str, policy: &str, owner: &Value, app: &str) {
    let container = json!({
        "name": "app", "image": "registry.k8s.io/pause:3.10",
        "resources": {"requests": {"memory": "64Mi"}, "limits": {"memory": "64Mi"}},
        "resizePolicy": [{"resourceName": "memory", "restartPolicy": policy}],
        "envFrom": [{"configMapRef": {"name": "app", "optional": true}}],
    });
    let mut pod = bound(space, pod_with(name, json!({"containers": [container]})));
    if !owner.is_null() {
        pod["metadata"]["ownerReferences"] = json!([owner]);
        pod["metadata"]["labels"] = json!({"app": app});
    }
    space.create(&pod).accepted();
    runs(space, name);
}

/// A StatefulSet of two pods that run well.
fn workload(policy: &str) -> (Space<'static>, Value) {
    let space = enforcing().space();
    kubelet::join(&space);
    let container = json!({"name": "app", "image": "registry.k8s.io/pause:3.10"});
    let template =
        json!({"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [container]}});
    let spec = json!({"replicas": 2, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": template});
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec});
    let set = space.create(&set).accepted().object();
    let owner = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": set["metadata"]["uid"], "controller": true});
    for name in ["db-0", "db-1"] {
        start(&space, name, policy, &owner);
    }
    (space, owner)
}

/// Says that the container was restarted, and ended with this code before or, of a crash, since.
fn restarts(space: &Space<'_>, name: &str, crashes: bool) {
    let pod = space.pod(name);
    let generation = pod["metadata"]["generation"].as_i64().unwrap();
    let resources = &pod["spec"]["containers"][0]["resources"];
    let end = |code: i64| json!({"terminated": {"exitCode": code, "reason": "Error", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:10:00Z"}});
    let container = json!({
        "name": "app", "image": "registry.k8s.io/pause:3.10", "imageID": "", "ready": true, "started": true,
        "restartCount": if crashes { 2 } else { 1 }, "state": {"running": {"startedAt": "2026-01-01T00:10:03Z"}},
        "lastState": end(if crashes { 3 } else { 0 }),
        "resources": resources, "allocatedResources": resources["requests"],
    });
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:10:07Z"});
    let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(condition);
    let status =
        json!({"phase": "Running", "conditions": conditions, "containerStatuses": [container]});
    say(space, name, generation, status);
}

fn fate(report: &Value) -> &Value {
    &report["pods"][0]["fate"]
}

fn runbook() {
    let space = enforcing().space();
    kubelet::join(&space);
    start(&space, "db", "RestartContainer", &Value::Null);
    let report = ended(begin(space.kubectl().clone(), "pod/db", &[]), 2);
    let why = report["why"].as_str().unwrap();
    for part in [
        "the runbook of pod/db is red: ready-siblings: 0 of 0 other pods are ready",
        "readiness-probe: no container that restarts has a readiness probe",
        "; --skip ready-siblings --skip readiness-probe goes on",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert_eq!(space.pod("db")["metadata"]["generation"], 1);
    let line = ["restart", "pod/db", "--dry-run"];
    // another trial may serve it
    let absent = metrics_api();
    let plan = space.kubectl().restraint(&[&line[..], &ALONE].concat()).printed();
    drop(absent);
    for part in [
        "pod/db (ready): in place",
        "way: every container can be restarted in its pod",
        "by: app memory request 64Mi -> 65540Ki, app memory limit 64Mi -> 65540Ki",
        "answer: allowed",
        "ready-siblings: red, and skipped: 0 of 0 other pods are ready",
        "spare-capacity: not known: there is no metrics API that may be read",
        "endpoints: green: no Service sends to it",
        "time-to-drain: green: 30 s until it is killed",
        "also changes: limits that equal their request grow with it",
        "nothing is changed: this is the plan",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let nobody = space.kubectl().restraint(&[&["restart", "pod/db"][..], &ALONE].concat());
    assert_eq!(nobody.code(), Some(2));
    assert!(nobody.refused().contains("nothing is done without consent"));
    assert_eq!(space.pod("db")["metadata"]["generation"], 1);
}

fn in_place() {
    let space = enforcing().space();
    kubelet::join(&space);
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app"}, "data": {"a": "b"}});
    space.create(&config).accepted();
    start(&space, "db", "RestartContainer", &Value::Null);
    let uid = space.pod("db")["metadata"]["uid"].clone();
    let run = begin(space.kubectl().clone(), "pod/db", &ALONE);
    asked(&space, "db", 2);
    restarts(&space, "db", false);
    let report = ended(run, 0);
    assert_eq!(report["schema"], "restraint.dev/restart/v1");
    assert_eq!((fate(&report), &report["result"]), (&json!("restarted"), &json!("done")));
    let restarted =
        json!([{"container": "app", "restarts": [0, 1], "downSeconds": 7, "warmUpSeconds": 4}]);
    assert_eq!(report["pods"][0]["restarted"], restarted);
    // the stand-in's container started long before the ConfigMap was written
    let anew = &report["pods"][0]["configuration"][0];
    assert_eq!(
        (&anew["object"], &anew["isNewer"]),
        (&json!("configmap/app"), &json!(true)),
        "{report}"
    );
    let pod = space.pod("db");
    assert_eq!(pod["metadata"]["uid"], uid);
    assert_eq!(pod["spec"]["containers"][0]["resources"]["requests"]["memory"], "65540Ki");
    let events = space.object(&["get", "events.events.k8s.io"]);
    let told = events["items"].as_array().unwrap().iter();
    let notes: Vec<_> = told
        .filter(|event| event["reason"] == "Restarted")
        .map(|event| event["note"].as_str().unwrap())
        .collect();
    assert_eq!(notes, ["\"admin\": 1 of 1 pods restarted, in place"]);
    let lease = format!("restraint-{}", uid.as_str().unwrap());
    let gone = space.kubectl().run(&["get", "lease", &lease]).refused();
    assert!(gone.contains("not found"), "{gone}");
}

fn a_row() {
    let (space, _) = workload("RestartContainer");
    let run = begin(space.kubectl().clone(), "sts/db", &["--skip", "readiness-probe"]);
    asked(&space, "db-1", 2);
    restarts(&space, "db-1", true);
    let report = ended(run, 1);
    assert_eq!((&report["pods"][0]["pod"], fate(&report)), (&json!("db-1"), &json!("crashed")));
    assert_eq!(report["notTouched"], json!(["db-0"]));
    assert_eq!(space.pod("db-0")["metadata"]["generation"], 1);
}

/// Says that so many pods may go.
fn allow(space: &Space<'_>, allowed: i64) {
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "db"},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "db"}}}});
    space.create(&budget).accepted();
    allow_now(space, allowed);
}

/// Says that so many may go now.
fn allow_now(space: &Space<'_>, allowed: i64) {
    let status = json!({"status": {"observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 2, "desiredHealthy": 2, "expectedPods": 2}});
    let status = status.to_string();
    let line =
        ["patch", "pdb", "db", "--subresource", "status", "--type", "merge", "--patch", &status];
    space.kubectl().run(&line).accepted();
}

fn budget() {
    let (space, _) = workload("NotRequired");
    allow(&space, 0);
    let report = ended(begin(space.kubectl().clone(), "sts/db", &["--skip", "readiness-probe"]), 2);
    let why = report["why"].as_str().unwrap();
    assert!(
        why.contains("disruption budget \"db\" allows none to go; --skip ready-siblings"),
        "{why}"
    );
    let flags = [&ALONE[..], &["--wait", "0s"]].concat();
    let report = ended(begin(space.kubectl().clone(), "sts/db", &flags), 3);
    assert_eq!(fate(&report), "refused-by-budget", "{report}");
    let said = report["pods"][0]["message"].as_str().unwrap();
    assert!(said.contains("disruption budget"), "{said}");
    assert_eq!(report["notTouched"], json!(["db-1", "db-0"]));
    assert_eq!(space.pod("db-1")["metadata"]["deletionTimestamp"], Value::Null);
}

fn eviction() {
    let (space, owner) = workload("NotRequired");
    // a dry run evicts nothing
    let uid = space.pod("db-1")["metadata"]["uid"].clone();
    let line = ["restart", "pod/db-1", "--dry-run", "--skip", "readiness-probe"];
    let plan = space.kubectl().restraint(&line).printed();
    assert!(plan.contains("pod/db-1 (ready): by eviction"), "{plan}");
    let pod = space.pod("db-1");
    assert_eq!(
        (&pod["metadata"]["uid"], &pod["metadata"]["deletionTimestamp"]),
        (&uid, &Value::Null)
    );
    let run = begin(space.kubectl().clone(), "pod/db-1", &["--skip", "readiness-probe"]);
    eventually("pod db-1 is evicted", || {
        let pod = space.pod("db-1");
        (pod["metadata"]["deletionTimestamp"] != Value::Null).then_some(())
    });
    space.kubectl().run(&["delete", "pod", "db-1", "--grace-period=0", "--force"]).accepted();
    start(&space, "db-1", "NotRequired", &owner);
    let report = ended(run, 0);
    let result = &report["pods"][0];
    assert_eq!((fate(&report), &result["replacement"]), (&json!("replaced"), &json!("db-1")));
    assert!(result["readySeconds"].is_u64(), "{report}");
    let why = report["plan"]["pods"][0]["why"].as_str().unwrap();
    assert!(
        why.ends_with(
            "has no memory resize policy RestartContainer; its controller makes another pod"
        ),
        "{why}"
    );
}

fn rollout() {
    let space = enforcing().space();
    kubelet::join(&space);
    let container = json!({"name": "app", "image": "registry.k8s.io/pause:3.10"});
    let template =
        json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}});
    let spec =
        json!({"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template});
    let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec});
    let web = space.create(&web).accepted().object();
    let owner = |kind: &str, name: &str, uid: &Value| json!({"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": true});
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "web-1", "labels": {"app": "web"}, "ownerReferences": [owner("Deployment", "web", &web["metadata"]["uid"])]},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": web["spec"]["template"]}});
    let set = space.create(&set).accepted().object();
    let of_set = owner("ReplicaSet", "web-1", &set["metadata"]["uid"]);
    start_labelled(&space, "web-1-a", "NotRequired", &of_set, "web");
    let run = begin(space.kubectl().clone(), "deploy/web", &["--skip", "readiness-probe"]);
    let read = || space.object(&["get", "deployment", "web"]);
    let annotated = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt";
    eventually("the template is written", || read().pointer(annotated).map(|_| ()));
    let says = |updated: i64| {
        let status = json!({"status": {"observedGeneration": read()["metadata"]["generation"], "replicas": 1, "updatedReplicas": updated, "readyReplicas": 1, "availableReplicas": 1}});
        let status = status.to_string();
        let line = [
            "patch",
            "deployment",
            "web",
            "--subresource",
            "status",
            "--type",
            "merge",
            "--patch",
            &status,
        ];
        space.kubectl().run(&line).accepted();
    };
    says(0);
    says(1);
    let report = ended(run, 0);
    assert_eq!(
        (fate(&report), &report["pods"][0]["pod"]),
        (&json!("rolled-out"), &json!("deployment/web"))
    );
    let plan = &report["plan"]["pods"][0];
    assert_eq!(
        (&plan["way"], &plan["runbook"][0]["light"]),
        (&json!("rollout"), &json!("green")),
        "{report}"
    );
}

fn refused() {
    let space = enforcing().space();
    kubelet::join(&space);
    start(&space, "db", "NotRequired", &Value::Null);
    let report = ended(begin(space.kubectl().clone(), "pod/db", &ALONE), 2);
    let ways = report["plan"]["noWay"].to_string();
    for part in [
        "has no memory resize policy RestartContainer",
        "what is evicted is gone for good",
        "name it instead of a pod",
    ] {
        assert!(ways.contains(part), "{part}: {ways}");
    }
    let named = ended(begin(space.kubectl().clone(), "pod/db", &["--container", "web"]), 2);
    assert_eq!(named["why"], "pod/db runs no container \"web\"");
    for (flags, said) in [
        (vec!["--in-place", "--evict"], "cannot be used with"),
        (vec!["--skip", "everything"], "possible values: ready-siblings"),
        (vec!["--max-usage", "0"], "0 is not in 1..=100"),
        (vec!["--wait", "soon"], "expected a duration"),
    ] {
        let outcome = begin(space.by(Person::Developer), "pod/db", &flags).join().unwrap();
        assert_eq!(outcome.code(), Some(2), "{outcome:#?}");
        let error = outcome.refused();
        assert!(error.contains(said), "{said}: {error}");
    }
    let rights = begin(space.by(Person::Sre), "pod/db", &["--in-place"]).join().unwrap();
    assert_eq!(rights.code(), Some(2), "{rights:#?}");
}
