//! The fallback policies answer as the service does, and go on while the service is away.

mod allowances;
mod cases;
mod comparison;
mod creations;
mod outage;
mod restoring;
mod stamps;
mod what_it_has;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::fallback::LABEL;
use crate::kubectl::Person;
use crate::pods::{memory_limit, pod};
use crate::space::Space;
use crate::world::{enforcing, fallback};

use super::approvals::STAMP;
use super::trial;

/// How the denials of the fallback policies begin.
const FALLBACK: &str = "ValidatingAdmissionPolicy 'memory-limit-decrease.fallback.restraint.dev' with binding \
                     'memory-limit-decrease.fallback.restraint.dev' denied request: restraint fallback: ";

pub(super) fn trials() -> Vec<Trial> {
    let rest = [
        trial("fallback: a capped namespace is left alone", a_cap),
        trial("fallback: what is denied and what is approved is in the audit log", audit_log),
    ];
    comparison::trials()
        .into_iter()
        .chain(stamps::trials())
        .chain(what_it_has::trials())
        .chain(allowances::trials())
        .chain(restoring::trials())
        .chain(rest)
        .chain(outage::trials())
        .collect()
}

/// A namespace with the fallback policies and without the service.
fn fallback_alone() -> Space<'static> {
    fallback();
    enforcing().space_labelled(&json!({LABEL: "yes"}))
}

fn a_cap() {
    fallback();
    let space = enforcing().space_labelled(&json!({LABEL: "yes", "restraint.dev/cap": "audit"}));
    space.create(&pod("db")).accepted();
    assert!(space.pod("db")["spec"]["containers"][0]["resizePolicy"].is_null());
    space.resize("db", &memory_limit("300Mi")).accepted();
}

fn audit_log() {
    let space = fallback_alone();
    space.create(&pod("db")).accepted();
    space.resize("db", &memory_limit("300Mi")).refused();
    space.resize("db", &memory_limit("1Gi")).accepted();
    write_stamp(&space, "db", &forged(&space.pod("db"), "true", "2999-01-01T00:00:00Z"));
    space.resize("db", &memory_limit("300Mi")).accepted();
    let key = "memory-limit-decrease.fallback.restraint.dev/decrease";
    let events = space.audited("pods", "resize", "db", 3);
    let noted: Vec<_> = events.iter().map(|event| event.annotation(key)).collect();
    assert_eq!(
        noted,
        [
            "container \"app\" 512Mi to 300Mi is not approved",
            "",
            "container \"app\" 1Gi to 300Mi is approved"
        ]
    );
}

/// Writes a stamp where no hook guards it. The fallback policies let pass who may approve.
fn write_stamp(space: &Space<'_>, pod: &str, stamp: &str) {
    space
        .by(Person::Sre)
        .run(&["annotate", "--overwrite", "pod", pod, &format!("{STAMP}={stamp}")])
        .accepted();
}

/// A stamp in the service's form for this pod in its present state, with a seal that is none.
fn forged(pod: &Value, memory: &str, expires: &str) -> String {
    let (uid, generation) = (&pod["metadata"]["uid"], &pod["metadata"]["generation"]);
    format!(
        r#"{{"version":1,"approver":"alice@example.com","memory":"{memory}","granted":"2026-01-01T00:00:00Z","expires":"{expires}","uid":{uid},"generation":{generation},"key":"k","seal":"c2VhbA"}}"#
    )
}
