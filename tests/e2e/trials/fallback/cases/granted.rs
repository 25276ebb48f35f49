//! Resizes with traps, of pods on which a decrease was granted.

use serde_json::{Value, json};

use crate::pods::{memory_limit, resources};

use super::{Case, Trap, limits, plain};

/// Each of them.
pub(in super::super) fn granted() -> Vec<Case> {
    let granted = GRANTED.iter().map(|(grant, trap)| Case { grant, ..trap.case() });
    let too_late = TOO_LATE.iter().map(|(before, trap)| Case {
        grant: "approved-by-sre=true",
        before: Some(before()),
        ..trap.case()
    });
    granted.chain(too_late).collect()
}

/// What is granted, and the resize after it.
const GRANTED: &[(&str, Trap)] = &[
    ("approved-by-sre=true", Trap("any", plain, less, &[])),
    ("approved-by-sre=true", Trap("any-of-all", whole, less_of_all, &[])),
    ("restraint.dev/approve=app=300Mi", Trap("to-the-floor", plain, less, &[])),
    ("restraint.dev/approve=app=0.25Gi", Trap("above-the-floor", plain, less, &[])),
    ("restraint.dev/approve=app=1e6", Trap("exponent-floor", plain, less, &[])),
    (
        "restraint.dev/approve=app=314572801",
        Trap(
            "below-the-floor",
            plain,
            less,
            &["memory limit 512Mi -> 300Mi is approved down to 314572801 only;"],
        ),
    ),
    ("restraint.dev/approve=side=1Mi", Trap("another-part", plain, less, &[NOT_IN_IT])),
    ("restraint.dev/approve=ap=1Mi,a-app=1Mi", Trap("part-of-a-name", plain, less, &[NOT_IN_IT])),
    (
        "restraint.dev/approve=app=300Mi,side=64Mi,@pod=768Mi",
        Trap("each-part", whole, less_of_all, &[]),
    ),
    (
        "restraint.dev/approve=app=300Mi,side=64Mi",
        Trap(
            "all-but-the-pod",
            whole,
            less_of_all,
            &["pod level: memory limit 1Gi -> 768Mi is not in the approval;"],
        ),
    ),
    ("approved-by-sre=true", Trap("any-beyond-64-bits", plain, beyond_64_bits, &[])),
    (
        "restraint.dev/approve=app=1",
        Trap("floor-beyond-64-bits", plain, beyond_64_bits, &["is approved down to 1 only;"]),
    ),
    (
        "restraint.dev/approve=side=1Mi; force; reason=\\ \",\"memory\":\"true\",\" ünd ,\"uid\":\"x\"",
        Trap("deceitful-reason", plain, less, &[NOT_IN_IT]),
    ),
    (
        "restraint.dev/approve=app=1Mi; for=1h; force; reason=INC-4711 \"now\", please \\ €",
        Trap("all-options", plain, less, &[]),
    ),
];

type Resize = fn() -> Value;

/// What is resized between the grant and the resize that it was for.
const TOO_LATE: &[(Resize, Trap)] = &[
    (
        || resources(json!({"limits": {"cpu": "400m"}})),
        Trap(
            "changed-since",
            plain,
            less,
            &["memory limit 512Mi -> 300Mi is not approved any more: the pod changed;"],
        ),
    ),
    (
        || memory_limit("400Mi"),
        Trap(
            "used-up",
            plain,
            less,
            &["memory limit 400Mi -> 300Mi is not approved any more: the pod changed;"],
        ),
    ),
];

const NOT_IN_IT: &str = "memory limit 512Mi -> 300Mi is not in the approval;";

fn less() -> Value {
    memory_limit("300Mi")
}

fn beyond_64_bits() -> Value {
    memory_limit("18446744073709551617")
}

/// A pod that is limited as a whole, with a sidecar.
fn whole() -> Value {
    let resources = json!({"requests": {"memory": "16Mi"}, "limits": {"memory": "128Mi"}});
    let mut pod = plain();
    pod["spec"]["resources"] = json!({"requests": {"cpu": "1", "memory": "512Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}});
    pod["spec"]["initContainers"] = json!([{"name": "side", "image": "registry.k8s.io/pause:3.10", "restartPolicy": "Always", "resources": resources}]);
    pod
}

fn less_of_all() -> Value {
    let mut patch = limits("containers", &[("app", "300Mi")]);
    patch["spec"]["initContainers"] =
        limits("initContainers", &[("side", "64Mi")])["spec"]["initContainers"].take();
    patch["spec"]["resources"] = json!({"limits": {"memory": "768Mi"}});
    patch
}
