//! New pods whose fix is missed: the hook that fixes was away, late or told otherwise, or somebody
//! undid it. They start all the same, and it is told and counted.

mod apart;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::hooks;
use crate::injector::{Injector, SIDECAR};
use crate::installation::{Installation, LABEL, SECOND};
use crate::kubectl::Person;
use crate::pods::{memory_limit, pod, stored_limit};
use crate::space::Space;
use crate::world::{cluster, enforcing};

use super::approvals::grant;
use super::stopping::is_amended;
use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "missed fixes: no creation is refused while replicas differ in policies and cap",
            apart::replicas_apart,
        ),
        trial("missed fixes: pods start while the hook that fixes is frozen", a_frozen_hook),
        trial(
            "missed fixes: without the hooks that mutate pods start, and grants are to be repeated",
            without_hooks,
        ),
        trial(
            "missed fixes: an injector that undoes a fix keeps no pod from starting",
            an_injector_afterwards,
        ),
    ]
}

const RULE: &str = "memory-resize-policy";

/// What is counted.
const MISSED: &str = "restraint_fix_missed_total";

/// A pod that a controller made.
fn owned(name: &str) -> Value {
    let mut pod = pod(name);
    pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true, "name": "web", "uid": "0f7c5f0e-2a52-4b53-8f5c-3c7e4a1d9b10"}]);
    pod
}

/// Creates a pod that nobody owns and one that a controller made. Both are stored as they were
/// sent, the client is told of the first, and both are counted.
fn assert_missed(installation: &Installation<'_>, space: &Space<'_>, causes: &[&str]) {
    let before = installation.counted(MISSED, "");
    space.create(&pod("bare")).accepted().assert_warnings(&[&format!("{RULE}: container \"app\"")]);
    space.create(&owned("owned")).accepted().assert_warnings(&[]);
    for (name, outcome) in [("bare", "warned"), ("owned", "noted")] {
        assert!(!is_amended(&space.pod(name)));
        let events = space.audited("pods", "", name, 1);
        let annotation = |key: &str| events[0].annotation(&format!("advice.restraint.dev/{key}"));
        assert!(annotation(outcome).contains(RULE), "{name}: {events:#?}");
        assert!(causes.contains(&annotation("fix-missed")), "{name}: {events:#?}");
    }
    assert_eq!(installation.counted(MISSED, ""), before + 2);
    for name in ["bare", "owned"] {
        space.kubectl().run(&["delete", "pod", name, "--grace-period=0", "--force"]).accepted();
    }
}

/// What a replica says that has not been there for two minutes, or after them.
const NOBODY_FIXED: [&str; 2] = ["other-policies", "mutating-hook"];

fn is_fixed(space: &Space<'_>) -> bool {
    let line = ["create", "--dry-run=server", "--filename", "-", "--output", "json"];
    let tried = space.kubectl().feed(&line, &pod("tried").to_string()).accepted();
    is_amended(&tried.object())
}

fn a_frozen_hook() {
    let installation = Installation::new(cluster(), "frozen", &[]);
    let space = installation.space();
    let fixing = installation.start_at(SECOND);
    hooks::lead_to(&installation, SECOND);
    eventually("the second replica fixes", || {
        assert!(is_fixed(&space));
        (!fixing.reviews(|line| line.contains("tried")).is_empty()).then_some(())
    });
    hooks::change(&installation, |hook| {
        if hook["name"] == "pods.restraint.dev" {
            hook["timeoutSeconds"] = json!(1);
        }
    });
    fixing.freeze();
    assert_missed(&installation, &space, &NOBODY_FIXED);
    fixing.thaw();
    eventually("pods are fixed again", || is_fixed(&space).then_some(()));
}

fn without_hooks() {
    let installation = Installation::new(cluster(), "half-there", &[]);
    let space = installation.space();
    space.create(&pod("db")).accepted();
    let configuration = hooks::delete(&installation);
    eventually("nobody fixes", || (!is_fixed(&space)).then_some(()));
    assert_missed(&installation, &space, &NOBODY_FIXED);

    for annotation in ["approved-by-sre=true", "restraint.dev/approve=app=300Mi"] {
        let said = grant(&space, "db", annotation).refused();
        assert!(said.contains("was not turned into a stamp: ask again"), "{said}");
    }
    assert!(space.pod("db")["metadata"]["annotations"].is_null());
    space.resize("db", &memory_limit("300Mi")).refused();
    // what automation takes is denied, too: nobody is there to restore it
    let patch = memory_limit("300Mi").to_string();
    let line = ["patch", "pod", "db", "--subresource", "resize", "--patch", &patch];
    space.by(Person::Autoscaler).run(&line).refused();
    // a new pod brings no approval in
    let mut approved = pod("approved");
    approved["metadata"]["annotations"] = json!({"approved-by-sre": "true"});
    space.create(&approved).accepted().assert_warnings(&["approval-in-template: ", RULE]);
    space.resize("approved", &memory_limit("300Mi")).refused();

    space.create(&configuration).accepted();
    eventually("pods are fixed again", || is_fixed(&space).then_some(()));
    grant(&space, "db", "approved-by-sre=true").accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
}

/// The label of the namespaces in which something is injected; its value says when.
const INJECTED: &str = "e2e.example/injected";

fn an_injector_afterwards() {
    let injector = Injector::start();
    let [before, after] = ["before", "after"].map(|when| {
        let space = enforcing().space_labelled(&json!({LABEL: enforcing().name(), INJECTED: when}));
        // hooks are asked by the names of their configurations: that of Restraint stands between
        let name = if when == "before" { "a-sidecar-injector" } else { "sidecar-injector" };
        space.create(&injector.configuration(name, (INJECTED, when))).accepted();
        eventually("sidecars are injected", || {
            let line = ["create", "--dry-run=server", "--filename", "-", "--output", "json"];
            let tried = space.kubectl().feed(&line, &pod("tried").to_string()).accepted().object();
            (sidecar(&tried)["name"] == SIDECAR).then_some(())
        });
        space
    });
    let stored = before.create(&pod("bare")).accepted();
    stored.assert_warnings(&[]);
    assert!(sidecar(&stored.object())["resizePolicy"].is_array());

    let outcome = after.create(&pod("bare")).accepted();
    outcome.assert_warnings(&[&format!("{RULE}: container \"{SIDECAR}\"")]);
    let stored = outcome.object();
    assert!(is_amended(&stored) && sidecar(&stored)["resizePolicy"].is_null(), "{stored}");
    after.create(&owned("owned")).accepted().assert_warnings(&[]);
    for name in ["bare", "owned"] {
        let events = after.audited("pods", "", name, 1);
        let cause = events[0].annotation("advice.restraint.dev/fix-missed");
        assert!(["other-policies", "other-webhook"].contains(&cause), "{name}: {events:#?}");
    }
}

fn sidecar(pod: &Value) -> &Value {
    &pod["spec"]["initContainers"][0]
}
