//! The fallback policies while the service is away.

use libtest_mimic::Trial;
use serde_json::json;

use crate::deadline::eventually;
use crate::fallback::LABEL;
use crate::installation::{self, Installation};
use crate::kubectl::Person;
use crate::pods::{memory_limit, pod, resources, stored_limit};
use crate::space::Space;
use crate::world::{cluster, fallback};

use super::super::approvals::{STAMP, grant};
use super::super::trial;
use super::{FALLBACK, forged};

pub(super) fn trials() -> [Trial; 1] {
    [trial(
        "fallback: they stand while the service is away and ignored, and after its hooks are deleted",
        an_outage,
    )]
}

fn an_outage() {
    fallback();
    let installation = Installation::new(cluster(), "fallback", &["--drain-delay", "0"]);
    let space = installation
        .space_labelled(&json!({LABEL: "yes", installation::LABEL: installation.name()}));
    for name in ["db", "approved"] {
        space.create(&pod(name)).accepted();
    }
    grant(&space, "approved", "restraint.dev/approve=app=300Mi").accepted();
    let mut replica = installation.take().unwrap();
    replica.terminate();
    assert!(replica.wait().success());

    let configuration = format!("restraint-{}", installation.name());
    let ignore = json!([{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}])
        .to_string();
    let validating = ["validatingwebhookconfiguration", &configuration];
    let patch = [&["patch"], &validating[..], &["--type", "json", "--patch", &ignore]].concat();
    space.kubectl().run(&patch).accepted();
    let more = || space.resize_with("db", &memory_limit("600Mi"), &["--dry-run=server"]);
    eventually("the service's answer is ignored", || more().succeeded().then_some(()));
    without_answers(&space);

    for kind in ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"] {
        space.kubectl().run(&["delete", kind, &configuration]).accepted();
    }
    without_hooks(&space);
}

/// The service is away, and who resizes goes on without it; who approves does not.
fn without_answers(space: &Space<'_>) {
    denied(space, "db", "300Mi", Person::Developer);
    // nobody is there to restore what the autoscaler takes
    denied(space, "db", "300Mi", Person::Autoscaler);
    denied(space, "approved", "299Mi", Person::Developer);
    space.resize("approved", &memory_limit("300Mi")).accepted();
    denied(space, "approved", "299Mi", Person::Developer);
    space.resize("db", &resources(json!({"limits": {"cpu": "400m"}}))).accepted();
    let forgery = format!("{STAMP}={}", forgery(space));
    for annotation in ["approved-by-sre=true", &forgery] {
        let said = grant(space, "db", annotation).refused();
        assert!(said.contains("failed calling webhook \"approval.restraint.dev\""), "{said}");
    }
    space.create(&pod("meanwhile")).accepted();
    assert!(space.pod("meanwhile")["spec"]["containers"][0]["resizePolicy"].is_array());
}

/// The hooks are gone, and with them the seal.
fn without_hooks(space: &Space<'_>) {
    denied(space, "db", "300Mi", Person::Developer);
    let forgery = format!("{STAMP}={}", forgery(space));
    let annotate = ["annotate", "pod", "db", &forgery];
    eventually("no hook guards the annotation", || {
        let tried = [&annotate[..], &["--dry-run=server"]].concat();
        space.by(Person::Sre).run(&tried).succeeded().then_some(())
    });
    let said = space.by(Person::Developer).run(&annotate).refused();
    assert!(
        said.contains("user \"dev@example.com\" may not write restraint.dev/approval"),
        "{said}"
    );
    // what is left then: whoever may approve writes what they like
    space.by(Person::Sre).run(&annotate).accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
}

/// That a resize is denied, and by the fallback policies.
#[track_caller]
fn denied(space: &Space<'_>, pod: &str, amount: &str, person: Person) {
    let patch = memory_limit(amount).to_string();
    let line = ["patch", "pod", pod, "--subresource", "resize", "--patch", &patch];
    let said = space.by(person).run(&line).refused();
    assert!(said.contains(FALLBACK), "{said}");
}

fn forgery(space: &Space<'_>) -> String {
    forged(&space.pod("db"), "true", "2999-01-01T00:00:00Z")
}
