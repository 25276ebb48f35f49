//! Under a cap of audit nothing is denied and nothing is changed, and what would have happened is
//! on record.

use libtest_mimic::Trial;
use serde_json::json;

use crate::pods::{memory_limit, pod, stored_limit};
use crate::world::auditing;

use super::shapes::{self, Shape};
use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    let shapes = shapes::all().into_iter().map(|shape| {
        let name = format!("cap audit: the recorded pod {} is stored as it was sent", shape.name);
        trial(name, move || a_recorded_pod(&shape))
    });
    let rest = [trial("cap audit: a memory decrease is allowed and recorded", a_decrease)];
    rest.into_iter().chain(shapes).collect()
}

fn a_recorded_pod(shape: &Shape) {
    let space = auditing().space();
    let outcome = space.create(&shape.sent).accepted();
    outcome.assert_warnings(&[]);
    Shape::assert_stored(&outcome.object(), &shape.sent);
    let events = space.audited("pods", "", shape.name, 1);
    let would_amend = events[0].annotation("pods.restraint.dev/would-amend");
    assert_eq!(!would_amend.is_empty(), shape.is_amended(), "{would_amend}");
    let strips = shape.sent["metadata"]["annotations"] == json!({"approved-by-sre": "true"});
    assert_eq!(
        would_amend.contains("approval-in-template: annotation \"approved-by-sre\""),
        strips
    );
    for outcome in ["amended", "denied", "warned"] {
        assert!(
            !events[0]
                .annotation_keys()
                .any(|key| key.ends_with(&format!(".restraint.dev/{outcome}")))
        );
    }
}

fn a_decrease() {
    let space = auditing().space();
    space.create(&pod("db")).accepted();
    let outcome = space.resize("db", &memory_limit("300Mi")).accepted();
    outcome.assert_warnings(&[]);
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
    let events = space.audited("pods", "resize", "db", 1);
    let would_deny = events[0].annotation("resize.restraint.dev/would-deny");
    assert!(
        would_deny
            .starts_with("memory-limit-decrease: container \"app\": memory limit 512Mi -> 300Mi"),
        "{would_deny}"
    );
    assert_eq!(events[0].annotation("resize.restraint.dev/cap"), "audit");
}
