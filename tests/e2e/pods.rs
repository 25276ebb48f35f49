//! Pods and patches of their resources.

use serde_json::{Value, json};

/// A pod with one container, `app`, that has a memory request of 256Mi and a limit of 512Mi.
pub(crate) fn pod(name: &str) -> Value {
    let resources = json!({"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}});
    pod_with(
        name,
        json!({"containers": [{"name": "app", "image": "registry.k8s.io/pause:3.10", "resources": resources}]}),
    )
}

/// A pod with this spec.
pub(crate) fn pod_with(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
}

/// A strategic merge patch of what the container `app` requests and is limited to.
pub(crate) fn resources(resources: Value) -> Value {
    json!({"spec": {"containers": [{"name": "app", "resources": resources}]}})
}

/// A strategic merge patch of the memory limit of the container `app`.
pub(crate) fn memory_limit(amount: &str) -> Value {
    resources(json!({"limits": {"memory": amount}}))
}

/// A strategic merge patch of request and limit of the container `app`.
pub(crate) fn memory(request: &str, limit: &str) -> Value {
    resources(json!({"requests": {"memory": request}, "limits": {"memory": limit}}))
}

/// The memory limit of the container `app`.
pub(crate) fn stored_limit(pod: &Value) -> &str {
    pod["spec"]["containers"][0]["resources"]["limits"]["memory"].as_str().unwrap_or_default()
}
