//! Resizes with traps, of pods with nothing granted on them.

use serde_json::{Value, json};

use crate::pods::{memory_limit, pod_with, resources};

use super::{Case, Trap, limits, plain};

/// Each of them.
pub(in super::super) fn ungranted() -> Vec<Case> {
    let tables = [DIRECTIONS, AMOUNTS, WITHOUT_LIMIT, PARTS, POD_LEVEL];
    tables.into_iter().flatten().map(Trap::case).collect()
}

/// Up, down, or neither.
const DIRECTIONS: &[Trap] = &[
    Trap(
        "less",
        plain,
        || memory_limit("300Mi"),
        &["container \"app\": memory limit 512Mi -> 300Mi is not approved;"],
    ),
    Trap("more", plain, || memory_limit("1Gi"), &[]),
    Trap("same", plain, || memory_limit("536870912"), &[]),
    Trap("cpu-alone", plain, || resources(json!({"limits": {"cpu": "400m"}})), &[]),
    Trap(
        "cpu-and-memory",
        plain,
        || resources(json!({"limits": {"cpu": "400m", "memory": "300Mi"}})),
        &["memory limit 512Mi -> 300Mi is not approved;"],
    ),
    Trap("request-alone", plain, || resources(json!({"requests": {"memory": "16Mi"}})), &[]),
    Trap(
        "approval-brought-along",
        plain,
        with_approval,
        &["memory limit 512Mi -> 300Mi is not approved;"],
    ),
];

/// Amounts that are hard to compare.
const AMOUNTS: &[Trap] = &[
    Trap(
        "one-byte-less",
        plain,
        || memory_limit("536870911"),
        &["container \"app\": memory limit 512Mi -> 536870911 is not approved;"],
    ),
    Trap(
        "half-a-byte-less",
        plain,
        || memory_limit("536870911.5"),
        &["memory limit 512Mi -> 536870911500m is not approved;"],
    ),
    Trap("half-a-byte-more", plain, || memory_limit("536870912.5"), &[]),
    Trap(
        "decimal",
        plain,
        || memory_limit("536M"),
        &["memory limit 512Mi -> 536M is not approved;"],
    ),
    Trap("exponent", plain, || memory_limit("1e9"), &[]),
    Trap("largest", plain, || memory_limit("9223372036854775807"), &[]),
    Trap(
        "beyond-64-bits",
        plain,
        || memory_limit("18446744073709551617"),
        &["memory limit 512Mi -> 18446744073709551617 is not approved;"],
    ),
    Trap(
        "more-beyond-64-bits",
        beyond_64_bits,
        || memory_limit("18446744073709551618"),
        &["memory limit 18446744073709551617 -> 18446744073709551618 is not approved;"],
    ),
    Trap(
        "back-from-64-bits",
        beyond_64_bits,
        || memory_limit("1Gi"),
        &["memory limit 18446744073709551617 -> 1Gi is not approved;"],
    ),
];

/// To no limit and from none.
const WITHOUT_LIMIT: &[Trap] = &[
    Trap(
        "to-zero",
        limited,
        || resources(json!({"requests": {"memory": "0"}, "limits": {"memory": "0"}})),
        &[],
    ),
    Trap(
        "after-zero",
        zero,
        || memory_limit("8Gi"),
        &["memory limit unlimited -> 8Gi is not approved;"],
    ),
    Trap(
        "first-limit",
        unlimited,
        || memory_limit("8Gi"),
        &["memory limit unlimited -> 8Gi is not approved;"],
    ),
];

/// Other containers than one, and several.
const PARTS: &[Trap] = &[
    Trap(
        "sidecar",
        with_sidecar,
        || init_limit("64Mi"),
        &["container \"first\": memory limit 128Mi -> 64Mi is not approved;"],
    ),
    Trap(
        "init",
        with_init,
        || init_limit("64Mi"),
        &["container \"first\": memory limit 128Mi -> 64Mi is not approved;"],
    ),
    Trap("init-more", with_init, || init_limit("256Mi"), &[]),
    Trap(
        "one-of-two",
        two,
        || both("600Mi", "64Mi"),
        &["container \"side\": memory limit 128Mi -> 64Mi is not approved;"],
    ),
    Trap(
        "both",
        two,
        || both("300Mi", "64Mi"),
        &[
            "container \"app\": memory limit 512Mi -> 300Mi is not approved",
            "container \"side\": memory limit 128Mi -> 64Mi is not approved",
        ],
    ),
    Trap(
        "exchanged",
        two,
        || both("128Mi", "512Mi"),
        &["container \"app\": memory limit 512Mi -> 128Mi is not approved;"],
    ),
];

/// Limits of the pod as a whole.
const POD_LEVEL: &[Trap] = &[
    Trap(
        "pod-less",
        of_pod,
        || pod_limit("1500Mi"),
        &["pod level: memory limit 2Gi -> 1500Mi is not approved;"],
    ),
    Trap("pod-more", of_pod, || pod_limit("3Gi"), &[]),
    Trap(
        "pod-less-and-own",
        of_pod_and_own,
        || pod_limit("1500Mi"),
        &["pod level: memory limit 2Gi -> 1500Mi is not approved;"],
    ),
    Trap(
        "pod-first",
        partly_limited,
        || pod_limit("2Gi"),
        &["pod level: memory limit unlimited -> 2Gi is not approved;"],
    ),
    Trap(
        "own-beside-pod",
        of_pod,
        || memory_limit("1Gi"),
        &["container \"app\": memory limit 2Gi -> 1Gi is not approved;"],
    ),
    Trap(
        "own-as-the-pod",
        of_pod,
        || resources(json!({"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}})),
        &[],
    ),
    Trap(
        "own-goes-to-the-pod",
        own_in_pod,
        || resources(json!({"requests": {"memory": "0"}, "limits": {"memory": "0"}})),
        &[],
    ),
];

fn container(name: &str, requests: Value, limits: Value) -> Value {
    json!({"name": name, "image": "registry.k8s.io/pause:3.10", "resources": {"requests": requests, "limits": limits}})
}

fn with_limit(name: &str, amount: &str) -> Value {
    container(name, json!({"cpu": "100m", "memory": "16Mi"}), json!({"memory": amount}))
}

fn bare(name: &str) -> Value {
    json!({"name": name, "image": "registry.k8s.io/pause:3.10"})
}

fn of(containers: Value) -> Value {
    pod_with("", json!({"containers": containers}))
}

fn limited() -> Value {
    of(json!([with_limit("app", "512Mi")]))
}

fn beyond_64_bits() -> Value {
    of(json!([with_limit("app", "18446744073709551617")]))
}

fn partly_limited() -> Value {
    of(json!([with_limit("app", "512Mi"), bare("side")]))
}

fn zero() -> Value {
    let requests = json!({"cpu": "100m", "memory": "0"});
    of(json!([container("app", requests, json!({"memory": "0"}))]))
}

fn unlimited() -> Value {
    of(json!([container("app", json!({"cpu": "100m", "memory": "16Mi"}), json!({}))]))
}

fn two() -> Value {
    of(json!([with_limit("app", "512Mi"), with_limit("side", "128Mi")]))
}

fn both(app: &str, side: &str) -> Value {
    limits("containers", &[("app", app), ("side", side)])
}

fn with_init() -> Value {
    let mut pod = plain();
    pod["spec"]["initContainers"] = json!([with_limit("first", "128Mi")]);
    pod
}

fn with_sidecar() -> Value {
    let mut pod = with_init();
    pod["spec"]["initContainers"][0]["restartPolicy"] = json!("Always");
    pod
}

fn init_limit(amount: &str) -> Value {
    limits("initContainers", &[("first", amount)])
}

/// A pod of these containers that has resources of its own.
fn whole(containers: Value) -> Value {
    let mut pod = of(containers);
    pod["spec"]["resources"] =
        json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}});
    pod
}

fn of_pod() -> Value {
    whole(json!([bare("app")]))
}

fn of_pod_and_own() -> Value {
    whole(json!([bare("app"), with_limit("side", "1Gi")]))
}

fn own_in_pod() -> Value {
    whole(json!([with_limit("app", "512Mi")]))
}

fn pod_limit(amount: &str) -> Value {
    json!({"spec": {"resources": {"limits": {"memory": amount}}}})
}

fn with_approval() -> Value {
    let mut patch = memory_limit("300Mi");
    patch["metadata"] =
        json!({"annotations": {"restraint.dev/approval": "true", "approved-by-sre": "true"}});
    patch
}
