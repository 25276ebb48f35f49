//! What `restraint explain change` says the API server refuses, it refuses, and nothing else of the
//! same table.
//!
//! Each change is made to an object that the API server stored, in a namespace without Restraint,
//! and explained from the same two objects.

mod case;
mod commands;
mod jobs;
mod objects;
mod others;
mod pods;
mod resizes;
mod stored;
mod workloads;

use libtest_mimic::Trial;
use restraint::explain::change::{ChangeContext, explain};
use restraint::explain::{Effect, Explanation};
use restraint::manifest::unstructured::Unstructured;
use serde_json::{Value, json};

use crate::kubectl::{Kubectl, Outcome};
use crate::world::cluster;

use self::case::{Case, merge_patch};
use super::trial;

/// How a change is sent.
#[derive(Clone, Copy, PartialEq)]
enum Door {
    /// To the object itself.
    Object,
    /// To `pods/resize`.
    Resize,
}

use Door::{Object, Resize};

/// Every table, with the door that its changes take and whether they are refused there.
const TABLES: [(&[Case], Door, bool); 10] = [
    (pods::ACCEPTED, Object, false),
    (pods::REFUSED, Object, true),
    (resizes::ACCEPTED, Resize, false),
    (resizes::REFUSED, Resize, true),
    (jobs::ACCEPTED, Object, false),
    (jobs::REFUSED, Object, true),
    (workloads::ACCEPTED, Object, false),
    (workloads::REFUSED, Object, true),
    (others::ACCEPTED, Object, false),
    (others::REFUSED, Object, true),
];

pub(super) fn trials() -> Vec<Trial> {
    let cases = TABLES.into_iter().flat_map(|(table, door, is_refused)| {
        table.iter().map(move |case| (case, door, is_refused))
    });
    let trials = cases.enumerate().map(|(index, (case, door, is_refused))| {
        let outcome = if is_refused { "refused" } else { "accepted" };
        let name = format!("explaining: {} is {outcome}", case.0);
        trial(name, move || try_out(&format!("explaining-{index}"), case, door, is_refused))
    });
    trials.chain(commands::trials()).chain(stored::trials()).collect()
}

/// Makes the change, and compares what came of it with what is said about it.
fn try_out(namespace: &str, Case(name, old, change): &Case, door: Door, is_refused: bool) {
    let old = old();
    let mut wanted = old.clone();
    change(&mut wanted);
    let outcome = make(&space(namespace), &old, &wanted, door);
    if is_refused {
        outcome.refused();
    } else {
        outcome.accepted();
    }
    let read = |value: &Value| Unstructured::read(&value.to_string(), namespace).unwrap();
    let told = explain(&read(&old), &read(&wanted), &ChangeContext::default());
    let says_refused = told.iter().any(|one| one.effect == Effect::Refused);
    let is_plain_resize = door == Object
        && !told.is_empty()
        && told.iter().all(|one| one.remedy.contains("--subresource resize"));
    if is_plain_resize {
        let says_so = |one: &Explanation| {
            one.why.contains("a plain `kubectl apply` or `edit` of it is refused (422)")
        };
        assert!(told.iter().all(says_so), "{told:#?}");
    } else {
        assert_eq!(says_refused, is_refused, "{told:#?}");
        // the same amount in other words is no difference
        assert!(!told.is_empty() || *name == "a limit in other words");
    }
}

/// Creates the object as it was, and makes of it what is wanted.
fn make(kubectl: &Kubectl, old: &Value, wanted: &Value, door: Door) -> Outcome {
    kubectl.feed(&["create", "--filename", "-"], &old.to_string()).accepted();
    if let Some(status) = old.get("status") {
        let patch = json!({"status": status}).to_string();
        kubectl
            .run(&["patch", "pod", "a", "--subresource", "status", "--patch", &patch])
            .accepted();
    }
    let patch = merge_patch(old, wanted).to_string();
    let kind = old["kind"].as_str().unwrap();
    let door: &[&str] = if door == Resize { &["--subresource", "resize"] } else { &[] };
    kubectl.run(&[&["patch", kind, "a", "--type", "merge", "--patch", &patch], door].concat())
}

/// A namespace that Restraint does not look after.
fn space(name: &str) -> Kubectl {
    let kubectl = cluster().kubectl();
    kubectl.run(&["create", "namespace", name]).accepted();
    kubectl.within(name)
}
