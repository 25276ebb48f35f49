//! Decreases are told by what the process has, as far as the stored pod says so.

use libtest_mimic::Trial;
use serde_json::json;

use crate::kubelet::{self, DEFERRED};
use crate::pods::{memory_limit, pod_with, stored_limit};
use crate::space::Space;

use super::super::trial;
use super::{FALLBACK, fallback_alone};

pub(super) fn trials() -> [Trial; 2] {
    [
        trial("fallback: a first limit of the pod takes what its containers lose", first_limits),
        trial("fallback: growth that was never carried out may be taken back", growth_taken_back),
    ]
}

fn first_limits() {
    let space = fallback_alone();
    let container = |name: &str, amount: &str| json!({"name": name, "image": "registry.k8s.io/pause:3.10", "resources": {"requests": {"memory": "16Mi"}, "limits": {"memory": amount}}});
    let mut sidecar = container("sidecar", "128Mi");
    sidecar["restartPolicy"] = json!("Always");
    let apps = json!([container("app", "512Mi"), container("side", "64Mi")]);
    let both = json!({"containers": apps});
    // beside the sidecar
    let with_sidecar =
        json!({"initContainers": [sidecar, container("init", "300Mi")], "containers": apps});
    let large_init =
        json!({"initContainers": [sidecar, container("init", "1Gi")], "containers": apps});
    for (name, spec, sum, less) in [
        ("two", both, "576Mi", "575Mi"),
        ("with-sidecar", with_sidecar, "704Mi", "703Mi"),
        ("large-init", large_init, "1152Mi", "1151Mi"),
    ] {
        space.create(&pod_with(name, spec)).accepted();
        let limit = |amount: &str| json!({"spec": {"resources": {"limits": {"memory": amount}}}});
        let said = space.resize(name, &limit(less)).refused();
        let change = format!("pod level: memory limit {sum} -> {less} is not approved");
        assert!(said.contains(FALLBACK) && said.contains(&change), "{said}");
        space.resize(name, &limit(sum)).accepted();
    }
}

fn growth_taken_back() {
    let space = fallback_alone();
    kubelet::join(&space);
    for (number, (condition, told)) in kubelet::CONDITIONS.into_iter().enumerate() {
        let name = format!("db-{number}");
        kubelet::grown(&space, &name, condition);
        denied(&space, &name, "511Mi");
        if told {
            space.resize(&name, &memory_limit("512Mi")).accepted();
            assert_eq!(stored_limit(&space.pod(&name)), "512Mi");
            // that was carried out, for all that the spec says
            denied(&space, &name, "511Mi");
        } else {
            denied(&space, &name, "512Mi");
        }
    }
    // of another generation
    kubelet::grown(&space, "later", DEFERRED);
    space.resize("later", &memory_limit("5Gi")).accepted();
    denied(&space, "later", "512Mi");
}

#[track_caller]
fn denied(space: &Space<'_>, name: &str, amount: &str) {
    let said = space.resize(name, &memory_limit(amount)).refused();
    let change = format!("-> {amount} is not approved");
    assert!(said.contains(FALLBACK) && said.contains(&change), "{said}");
}
