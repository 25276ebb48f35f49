//! Changes of a pod that are sent to `pods/resize`.

use serde_json::{Value, json};

use super::case::{Case, remove, set};
use super::objects::{pod, pod_with};

pub(super) const ACCEPTED: &[Case] = &[
    Case("a resize where the kubelet tells what runs", told, |pod| set(pod, LIMIT, json!("1Gi"))),
    Case("a resize of a pod that has finished", finished, |pod| set(pod, LIMIT, json!("1Gi"))),
    Case("more memory", pod, |pod| set(pod, LIMIT, json!("1Gi"))),
    Case("a limit in other words", pod, |pod| set(pod, LIMIT, json!("524288k"))),
    Case("a first limit", request_only, |pod| set(pod, LIMIT, json!("1Gi"))),
    Case("a limit of 0", pod, |pod| {
        set(pod, RESOURCES, resources(("200m", "0"), ("500m", "0")));
    }),
    Case("a Guaranteed pod that stays so", guaranteed, |pod| {
        set(pod, RESOURCES, resources(("1", "2Gi"), ("1", "2Gi")));
    }),
    Case("a resize of an init container", with_init, |pod| set(pod, INIT_LIMIT, json!("1Gi"))),
    Case("a resize of a sidecar", with_sidecar, |pod| set(pod, INIT_LIMIT, json!("1Gi"))),
    Case("a resize at pod level", of_pod, |pod| set(pod, POD_LIMIT, json!("3Gi"))),
    Case("a limit of one byte above the request of nothing", pod, |pod| {
        set(pod, RESOURCES, resources(("200m", "1"), ("500m", "1")));
    }),
];

pub(super) const REFUSED: &[Case] = &[
    Case("a resize where the kubelet does not tell what runs", untold, |pod| {
        set(pod, LIMIT, json!("1Gi"))
    }),
    Case("a limit of 0 below the request", pod, |pod| set(pod, LIMIT, json!("0"))),
    Case("a limit that is removed", pod, |pod| remove(pod, LIMIT)),
    Case("a request that is removed", request_only, |pod| remove(pod, REQUEST)),
    Case("a limit below the request", pod, |pod| set(pod, LIMIT, json!("100Mi"))),
    Case("a limit that is no quantity", pod, |pod| set(pod, LIMIT, json!("1 GB"))),
    Case("resources for a BestEffort pod", best_effort, |pod| {
        set(pod, RESOURCES, json!({"requests": {"cpu": "1"}}))
    }),
    Case("a Guaranteed pod made Burstable", guaranteed, |pod| set(pod, LIMIT, json!("2Gi"))),
    Case("a Burstable pod made Guaranteed", pod, |pod| {
        set(pod, RESOURCES, resources(("500m", "512Mi"), ("500m", "512Mi")));
    }),
    Case("ephemeral storage", pod, |pod| {
        set(pod, "/spec/containers/0/resources/limits/ephemeral-storage", json!("1Gi"))
    }),
    Case("a resize of a pod with a resource claim", with_claim, |pod| {
        set(pod, LIMIT, json!("1Gi"))
    }),
    Case("a resize of a Windows pod", windows, |pod| set(pod, LIMIT, json!("1Gi"))),
    Case("a resize of a static pod", mirror, |pod| set(pod, LIMIT, json!("1Gi"))),
    Case("a pod-level limit below the request", of_pod, |pod| set(pod, POD_LIMIT, json!("512Mi"))),
    Case("a pod-level limit that is removed", of_pod, |pod| remove(pod, POD_LIMIT)),
    Case("a container limit above the pod's", of_pod, |pod| set(pod, LIMIT, json!("4Gi"))),
];

const RESOURCES: &str = "/spec/containers/0/resources";
const REQUEST: &str = "/spec/containers/0/resources/requests/memory";
const LIMIT: &str = "/spec/containers/0/resources/limits/memory";
const INIT_LIMIT: &str = "/spec/initContainers/0/resources/limits/memory";
const POD_LIMIT: &str = "/spec/resources/limits/memory";

/// Cpu and memory that are requested, and those that are the limit.
fn resources(requests: (&str, &str), limits: (&str, &str)) -> Value {
    let amounts = |(cpu, memory): (&str, &str)| json!({"cpu": cpu, "memory": memory});
    json!({"requests": amounts(requests), "limits": amounts(limits)})
}

fn best_effort() -> Value {
    crate::pods::pod_with("a", json!({"containers": [{"name": "app", "image": "a"}]}))
}

fn guaranteed() -> Value {
    pod_with(RESOURCES, resources(("1", "1Gi"), ("1", "1Gi")))
}

fn request_only() -> Value {
    pod_with(RESOURCES, json!({"requests": {"cpu": "200m", "memory": "256Mi"}}))
}

/// A pod whose resources are those of the pod as a whole.
fn of_pod() -> Value {
    let mut pod = best_effort();
    set(&mut pod, "/spec/resources", resources(("1", "1Gi"), ("2", "2Gi")));
    pod
}

fn with_init() -> Value {
    let mut init = pod()["spec"]["containers"][0].take();
    init["name"] = json!("init");
    pod_with("/spec/initContainers", json!([init]))
}

fn with_sidecar() -> Value {
    let mut pod = with_init();
    set(&mut pod, "/spec/initContainers/0/restartPolicy", json!("Always"));
    pod
}

fn with_claim() -> Value {
    let claims = json!([{"name": "gpu", "resourceClaimName": "gpu"}]);
    let mut pod = pod_with("/spec/resourceClaims", claims);
    set(&mut pod, "/spec/containers/0/resources/claims", json!([{"name": "gpu"}]));
    pod
}

fn windows() -> Value {
    pod_with("/spec/os", json!({"name": "windows"}))
}

fn mirror() -> Value {
    let mut pod = pod_with("/spec/nodeName", json!("n1"));
    pod["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "a"});
    pod
}

fn finished() -> Value {
    pod_with("/status", json!({"phase": "Succeeded"}))
}

/// A running pod whose kubelet says with which resources.
fn told() -> Value {
    running(json!({"limits": {"memory": "512Mi"}}))
}

/// A running pod whose kubelet does not.
fn untold() -> Value {
    running(Value::Null)
}

fn running(resources: Value) -> Value {
    let state = json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}});
    let container = json!({"name": "app", "image": "a", "imageID": "", "ready": true, "restartCount": 0, "state": state, "resources": resources});
    pod_with("/status", json!({"phase": "Running", "containerStatuses": [container]}))
}
