//! What the API server's audit log tells of Restraint.

use libtest_mimic::Trial;
use serde_json::json;

use crate::audit::Event;
use crate::kubectl::Person;
use crate::pods::{memory_limit, pod, resources};
use crate::world::enforcing;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("audit log: a denial, its approval and the change after it", a_decrease),
        trial("audit log: what was added to a new pod and what was noted about it", a_creation),
    ]
}

fn a_decrease() {
    let space = enforcing().space();
    space.create(&pod("db")).accepted();
    space.resize("db", &memory_limit("300Mi")).refused();
    space.by(Person::Sre).run(&["annotate", "pod", "db", "approved-by-sre=true"]).accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
    space.resize("db", &resources(json!({"requests": {"memory": "128Mi"}}))).accepted();

    let events = space.audited("pods", "resize", "db", 3);
    let [denied, approved, warned] = &events[..] else { panic!("{events:#?}") };
    says(
        denied,
        "resize.restraint.dev/denied",
        "memory-limit-decrease: container \"app\": memory limit 512Mi -> 300Mi",
    );
    assert_eq!(denied.code(), 403);
    says(
        approved,
        "resize.restraint.dev/approval-used",
        "container \"app\" 512Mi to 300Mi, approved: any decrease by \"alice@example.com\" from ",
    );
    assert_eq!(approved.annotation("resize.restraint.dev/denied"), "");
    says(
        warned,
        "resize-advice.restraint.dev/warned",
        "memory-request-decrease: container \"app\": memory request 256Mi -> 128Mi",
    );
    // creation and annotation
    let events = space.audited("pods", "", "db", 2);
    says(
        &events[1],
        "approval.restraint.dev/approval-granted",
        "any decrease by \"alice@example.com\" from ",
    );
    assert_eq!(events[1].user(), Person::Sre.username());
}

fn a_creation() {
    let space = enforcing().space();
    let mut pod = pod("db");
    pod["spec"]["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": "app-config"}}]);
    space.create(&pod).accepted();
    let events = space.audited("pods", "", "db", 1);
    says(&events[0], "pods.restraint.dev/amended", "memory-resize-policy: container \"app\": ");
    says(&events[0], "advice.restraint.dev/noted", "frozen-env-config: ");
    assert_eq!(events[0].annotation("advice.restraint.dev/denied"), "");
}

/// That the annotation begins with this.
#[track_caller]
fn says(event: &Event, key: &str, beginning: &str) {
    assert!(event.annotation(key).starts_with(beginning), "{key} of {event:#?}");
}
