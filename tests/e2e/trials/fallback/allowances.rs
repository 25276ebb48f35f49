//! What a policy allows, the fallback policies allow as well, as far as CEL can say it.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::fallback::LABEL;
use crate::kubectl::{Outcome, Person};
use crate::pods::{memory_limit, pod};
use crate::space::Space;
use crate::world::{enforcing, fallback_with_allowances};

use super::super::trial;

pub(super) fn trials() -> [Trial; 2] {
    [
        trial("fallback: an allowance lets through what it says, and no more", allowed),
        trial(
            "fallback: an allowance covers the whole resize, and is named in the audit log",
            named,
        ),
    ]
}

/// A namespace with the fallback policies that know the allowances of `charts/check.py`.
pub(super) fn with_allowances() -> Space<'static> {
    fallback_with_allowances();
    enforcing().space_labelled(&json!({LABEL: "allowances"}))
}

const UPDATER: &str = "system:serviceaccount:vpa-system:other-updater";

/// Who takes what of a pod with 512Mi, and whether an allowance covers it.
const TRIED: [(&str, &str, bool); 16] = [
    // above what is in use, which nobody can tell here: it is left to the service
    (UPDATER, "256Mi", true),
    (UPDATER, "255Mi", false),
    ("system:serviceaccount:other:other-updater", "256Mi", false),
    // by group
    ("dev@example.com", "256Mi", true),
    ("dev@example.com", "268435455", false),
    ("bob@example.com", "256Mi", false),
    // containers that restart
    ("agent@example.com", "64Mi", true),
    ("agent@example.com", "63Mi", false),
    // a quarter at once
    ("any:step@example.com", "384Mi", true),
    ("any:step@example.com", "402653184", true),
    ("any:step@example.com", "402653183", false),
    ("any:step@example.com", "383Mi", false),
    ("any.step@example.com", "384Mi", false),
    // pods on no node
    ("scheduler@example.com", "33Mi", true),
    ("scheduler@example.com", "600Mi", true),
    ("scheduler@example.com", "18446744073709551617", false),
];

fn allowed() {
    let space = with_allowances();
    space.create(&slim("db")).accepted();
    let mut live = slim("live");
    live["spec"]["containers"][0]["resizePolicy"] =
        json!([{"resourceName": "memory", "restartPolicy": "NotRequired"}]);
    live["spec"]["nodeName"] = json!("node");
    space.create(&live).accepted();
    for (user, amount, is_allowed) in TRIED {
        let outcome = resize_as(&space, user, "db", &memory_limit(amount));
        assert_eq!(outcome.succeeded(), is_allowed, "{user} {amount}: {outcome:?}");
    }
    for user in ["agent@example.com", "scheduler@example.com"] {
        resize_as(&space, user, "live", &memory_limit("256Mi")).refused();
    }
}

fn named() {
    let space = with_allowances();
    let mut two = slim("db");
    let mut side = two["spec"]["containers"][0].clone();
    side["name"] = json!("side");
    two["spec"]["containers"].as_array_mut().unwrap().push(side);
    space.create(&two).accepted();
    let both = |app: &str, side: &str| {
        json!({"spec": {"containers": [
            {"name": "app", "resources": {"limits": {"memory": app}}},
            {"name": "side", "resources": {"limits": {"memory": side}}},
        ]}})
    };
    space.resize("db", &both("300Mi", "255Mi")).refused();
    space.resize("db", &both("300Mi", "256Mi")).accepted();
    let key = "memory-limit-decrease.allowances.fallback.restraint.dev/decrease";
    let events = space.audited("pods", "resize", "db", 2);
    let allowance = "is left to allowance \"platform-team\"";
    assert_eq!(
        events[1].annotation(key),
        format!(
            "container \"app\" 512Mi to 300Mi {allowance}; container \"side\" 512Mi to 256Mi {allowance}"
        )
    );
}

/// A pod whose request leaves room for any limit.
pub(super) fn slim(name: &str) -> Value {
    let mut pod = pod(name);
    pod["spec"]["containers"][0]["resources"]["requests"]["memory"] = json!("32Mi");
    pod["spec"]["containers"][0]["resizePolicy"] =
        json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}]);
    pod
}

/// Resizes a pod in a dry run as somebody whom the cluster does not know, but lets do it.
pub(super) fn resize_as(space: &Space<'_>, user: &str, pod: &str, patch: &Value) -> Outcome {
    let group = if user == Person::Developer.username() { "developers" } else { "others" };
    space.resize_as(user, pod, patch, &["--as-group", group, "--dry-run=server"])
}
