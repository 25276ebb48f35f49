//! Autoscalers that may take memory in place.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::autoscalers::{floor, in_place};
use crate::kubectl::Outcome;
use crate::space::Space;
use crate::world::enforcing;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("autoscaling: an autoscaler without a floor is warned about, once", without_a_floor),
        trial(
            "autoscaling: a floor, another mode and its owner's word are respected",
            without_a_warning,
        ),
        trial(
            "autoscaling: an autoscaler that leaves limits alone is only recorded",
            requests_only,
        ),
    ]
}

const WARNING: &str =
    "vpa-memory-floor: every container: InPlaceOrRecreate takes memory with no minAllowed.memory";

fn without_a_floor() {
    let space = enforcing().space();
    space.create(&in_place("web")).accepted().assert_warnings(&[WARNING]);
    // it was there before
    patch(&space, &json!({"updatePolicy": {"minReplicas": 1}})).assert_warnings(&[]);
    space.kubectl().run(&["label", "vpa", "web", "tier=gold"]).accepted().assert_warnings(&[]);
    patch(&space, &json!({"resourcePolicy": floor()})).assert_warnings(&[]);
    patch(&space, &json!({"resourcePolicy": null})).assert_warnings(&[WARNING]);
    let reviews = space.reviews();
    let operations: Vec<_> =
        reviews.iter().map(|review| review["operation"].as_str().unwrap()).collect();
    assert_eq!(
        operations,
        ["CREATE", "UPDATE", "UPDATE", "UPDATE"],
        "a label is no change of the spec"
    );
    let events = space.audited("verticalpodautoscalers", "", "web", 5);
    let warned: Vec<_> =
        events.iter().map(|event| event.annotation("advice.restraint.dev/warned")).collect();
    assert_eq!(warned, [WARNING, "", "", "", WARNING]);
}

fn without_a_warning() {
    let space = enforcing().space();
    let mut with_floor = in_place("floor");
    with_floor["spec"]["resourcePolicy"] = floor();
    let mut recreating = in_place("recreating");
    recreating["spec"]["updatePolicy"]["updateMode"] = json!("Recreate");
    let mut silenced = in_place("silenced");
    silenced["metadata"]["annotations"] = json!({"restraint.dev/ignore": "vpa-memory-floor"});
    for autoscaler in [&with_floor, &recreating, &silenced] {
        space.create(autoscaler).accepted().assert_warnings(&[]);
    }
    assert_eq!(space.reviews().len(), 3, "each was judged");
}

fn requests_only() {
    let space = enforcing().space();
    let mut autoscaler = in_place("web");
    autoscaler["spec"]["resourcePolicy"] = json!({"containerPolicies": [{"containerName": "app", "controlledValues": "RequestsOnly"}]});
    space.create(&autoscaler).accepted().assert_warnings(&[]);
    let events = space.audited("verticalpodautoscalers", "", "web", 1);
    let noted = events[0].annotation("advice.restraint.dev/noted");
    assert_eq!(
        noted,
        "vpa-memory-floor: container \"app\": InPlaceOrRecreate lowers memory requests with no minAllowed.memory"
    );
}

/// Changes the autoscaler `web`.
#[track_caller]
fn patch(space: &Space<'_>, spec: &Value) -> Outcome {
    let patch = json!({"spec": spec}).to_string();
    space.kubectl().run(&["patch", "vpa", "web", "--type", "merge", "--patch", &patch]).accepted()
}
