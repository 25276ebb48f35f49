//! Vertical Pod Autoscalers.

use serde_json::{Value, json};

/// An autoscaler that resizes running pods, without a floor for memory.
pub(crate) fn in_place(name: &str) -> Value {
    json!({
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "updatePolicy": {"updateMode": "InPlaceOrRecreate"},
        },
    })
}

/// Container policies with a floor for the memory of every container.
pub(crate) fn floor() -> Value {
    json!({"containerPolicies": [{"containerName": "*", "minAllowed": {"memory": "256Mi"}}]})
}
