//! Objects that more than one table changes, each by the name `a`.

use serde_json::{Value, json};

use super::case::set;

/// A pod with the container `app`.
pub(super) fn pod() -> Value {
    crate::pods::pod("a")
}

/// The same with more in it.
pub(super) fn pod_with(pointer: &str, value: Value) -> Value {
    let mut pod = pod();
    set(&mut pod, pointer, value);
    pod
}

/// Lets the container `app` restart when its memory is resized, in a pod or a template.
pub(super) fn restart_on_resize(pod: &mut Value) {
    let policy = json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}]);
    set(pod, "/spec/containers/0/resizePolicy", policy);
}

/// The place of the image in a template.
pub(super) const IMAGE: &str = "/spec/template/spec/containers/0/image";

/// A workload of `apps` with the container `app`.
pub(super) fn workload(kind: &str) -> Value {
    let labels = json!({"app": "a"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "a:1"}]}});
    let spec = json!({"selector": {"matchLabels": labels}, "template": template});
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec})
}
