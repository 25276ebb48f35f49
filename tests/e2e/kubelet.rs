//! What a kubelet would say: that there is a node, and what became of the resize of a pod. Nobody
//! runs one here, so the agent writes it.

use serde_json::{Value, json};

use crate::kubectl::Person;
use crate::pods::{memory_limit, pod};
use crate::space::Space;

/// Creates a node for the space, of the same name, with room for much.
pub(crate) fn join(space: &Space<'_>) {
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": space.name(), "labels": {"kubernetes.io/os": "linux"}},
        "status": {"allocatable": {"cpu": "64", "memory": "128Gi", "pods": "110"}, "nodeInfo": {"operatingSystem": "linux"}},
    });
    space.create(&node).accepted();
}

/// The pod, on the node of the space.
pub(crate) fn bound(space: &Space<'_>, mut pod: Value) -> Value {
    pod["spec"]["nodeName"] = json!(space.name());
    pod
}

/// What is said of a resize: the type of a condition, its reason, and its status.
pub(crate) type Condition<'c> = (&'c str, &'c str, &'c str);

/// The resize waits for room.
pub(crate) const DEFERRED: Condition<'_> = ("PodResizePending", "Deferred", "True");

/// What the kubelet may say of a resize, and whether it says that it waits or failed.
pub(crate) const CONDITIONS: [(Condition<'_>, bool); 6] = [
    (DEFERRED, true),
    (("PodResizePending", "Infeasible", "True"), true),
    (("PodResizeInProgress", "Error", "True"), true),
    (("PodResizeInProgress", "", "True"), false),
    (("PodResizePending", "Deferred", "False"), false),
    (("PodResizePending", "Other", "True"), false),
];

/// Says this of the pod in its present generation, and that the container `app` has `resources`;
/// nothing of the container where they are null.
pub(crate) fn says(space: &Space<'_>, pod: &str, condition: Condition<'_>, resources: &Value) {
    let generation = space.pod(pod)["metadata"]["generation"].take();
    let (kind, reason, status) = condition;
    let condition =
        json!({"type": kind, "reason": reason, "status": status, "observedGeneration": generation});
    let container = json!({
        "name": "app", "image": "registry.k8s.io/pause:3.10", "imageID": "", "ready": true, "restartCount": 0,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        "resources": resources,
    });
    let containers = if resources.is_null() { json!([]) } else { json!([container]) };
    let status = json!({"status": {"conditions": [condition], "containerStatuses": containers}});
    let line = ["patch", "pod", pod, "--subresource", "status", "--patch", &status.to_string()];
    space.by(Person::Agent).run(&line).accepted();
}

/// A pod that has 512Mi, is to have 4Gi, and of which this is said.
pub(crate) fn grown(space: &Space<'_>, name: &str, condition: Condition<'_>) {
    let pod = bound(space, pod(name));
    space.create(&pod).accepted();
    space.resize(name, &memory_limit("4Gi")).accepted();
    says(space, name, condition, &pod["spec"]["containers"][0]["resources"]);
}
