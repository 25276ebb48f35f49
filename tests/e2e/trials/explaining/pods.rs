//! Changes of a pod by a plain update.

use serde_json::{Value, json};

use super::case::{Case, remove, set};
use super::objects::{pod, pod_with, restart_on_resize};

pub(super) const ACCEPTED: &[Case] = &[
    Case("the image of a pod", pod, |pod| set(pod, "/spec/containers/0/image", json!("b:2"))),
    Case("a label of a pod", pod, |pod| set(pod, "/metadata/labels", json!({"a": "b"}))),
    Case("an annotation of a pod", pod, |pod| set(pod, "/metadata/annotations", json!({"a": "b"}))),
    Case("a deadline for a pod", pod, |pod| set(pod, DEADLINE, json!(60))),
    Case("an earlier deadline for a pod", with_deadline, |pod| set(pod, DEADLINE, json!(30))),
    Case("one gate less for a pod", gated, |pod| remove(pod, GATES)),
    Case("one toleration more for a pod", pod, |pod| set(pod, TOLERATIONS, toleration())),
];

pub(super) const REFUSED: &[Case] = &[
    Case("no image for a pod", pod, |pod| remove(pod, "/spec/containers/0/image")),
    Case("a variable of a pod", pod, |pod| {
        set(pod, "/spec/containers/0/env", json!([{"name": "A", "value": "b"}]))
    }),
    Case("the command of a pod", pod, |pod| set(pod, "/spec/containers/0/command", json!(["a"]))),
    Case("resources of a pod by a plain update", pod, |pod| {
        set(pod, "/spec/containers/0/resources/limits/memory", json!("1Gi"))
    }),
    Case("another container for a pod", pod, |pod| {
        let containers = pod["spec"]["containers"].as_array_mut().unwrap();
        containers.push(json!({"name": "b", "image": "b"}));
    }),
    Case("another name for a container", pod, |pod| {
        set(pod, "/spec/containers/0/name", json!("b"))
    }),
    Case("a resize policy for a pod", pod, restart_on_resize),
    Case("a volume for a pod", pod, |pod| {
        set(pod, "/spec/volumes", json!([{"name": "v", "emptyDir": {}}]))
    }),
    Case("a later deadline for a pod", with_deadline, |pod| set(pod, DEADLINE, json!(90))),
    Case("no deadline any more for a pod", with_deadline, |pod| remove(pod, DEADLINE)),
    Case("another grace period for a pod", pod, |pod| {
        set(pod, "/spec/terminationGracePeriodSeconds", json!(5))
    }),
    Case("another restart policy for a pod", pod, |pod| {
        set(pod, "/spec/restartPolicy", json!("OnFailure"))
    }),
    Case("a node selector for a pod", pod, |pod| set(pod, "/spec/nodeSelector", json!({"a": "b"}))),
    Case("one toleration less for a pod", tolerant, |pod| set(pod, TOLERATIONS, json!([]))),
    Case("one gate more for a pod", pod, |pod| set(pod, GATES, gate())),
];

const DEADLINE: &str = "/spec/activeDeadlineSeconds";
const GATES: &str = "/spec/schedulingGates";
const TOLERATIONS: &str = "/spec/tolerations";

fn with_deadline() -> Value {
    pod_with(DEADLINE, json!(60))
}

fn gate() -> Value {
    json!([{"name": "example.com/a"}])
}

fn gated() -> Value {
    pod_with(GATES, gate())
}

fn toleration() -> Value {
    json!([{"key": "a", "operator": "Exists"}])
}

fn tolerant() -> Value {
    pod_with(TOLERATIONS, toleration())
}
