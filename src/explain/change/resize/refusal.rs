//! What the API server refuses on `pods/resize` (`ValidatePodResize` of Kubernetes 1.36).

use serde_json::Value;

use crate::explain::change::valid::fault;
use crate::explain::change::{pod, qos};
use crate::explain::difference::Difference;
use crate::explain::pod_spec::{container, containers, is_plain_init, name_of, resize_policy};
use crate::manifest::unstructured::Unstructured;

use super::node;

/// Why each of `differences` is refused, where it is. What is wrong with the pod as a whole is told
/// of the first.
pub(super) fn all(
    old: &Unstructured,
    new: &Unstructured,
    differences: &[Difference<'_>],
    others: &[Unstructured],
) -> Vec<Option<String>> {
    let mut refusals: Vec<_> = differences.iter().map(|difference| own(new, difference)).collect();
    if let Some(whole) = whole(old, new)
        .or_else(|| node::refusal(new, others))
        .filter(|_| refusals.iter().all(Option::is_none))
    {
        refusals.iter_mut().for_each(|refusal| *refusal = Some(whole.clone()));
    }
    refusals
}

fn own(new: &Unstructured, difference: &Difference<'_>) -> Option<String> {
    let words = difference.path.words();
    let place = match words.as_slice() {
        ["spec", "resources", rest @ ..] => rest,
        ["spec", _, "*", "resources", rest @ ..] => rest,
        _ => return None,
    };
    match place {
        [list @ ("requests" | "limits"), "cpu" | "memory"] if difference.to.is_none() => {
            let list = list.trim_end_matches('s');
            Some(format!(
                "a resize cannot remove a {list} (422); a memory limit of 0 would be accepted, and means no limit"
            ))
        }
        ["requests" | "limits", "cpu" | "memory"] => {
            let (list, container) = container(new.pod_spec()?, difference.path.container()?.1)?;
            let restarts = ["cpu", "memory"]
                .into_iter()
                .any(|resource| resize_policy(container, resource) == "RestartContainer");
            let refused = is_plain_init(list, container) && restarts;
            refused.then(|| {
                "an init container with resize policy RestartContainer cannot be resized (422)"
                    .to_owned()
            })
        }
        ["requests" | "limits", resource] => {
            Some(format!("only cpu and memory can be resized, not {resource} (422)"))
        }
        _ => Some("only requests and limits can be resized (422)".to_owned()),
    }
}

fn whole(old: &Unstructured, new: &Unstructured) -> Option<String> {
    let (old_spec, new_spec) = (old.pod_spec()?, new.pod_spec()?);
    if old.text(pod::MIRROR).is_some() {
        return Some(
            "a static pod cannot be resized (422): the API has only a copy of it".to_owned(),
        );
    }
    if old.text("/spec/os/name") == Some("windows") {
        return Some("Windows pods cannot be resized (422)".to_owned());
    }
    if old.text("/spec/nodeSelector/kubernetes.io~1os") == Some("windows") {
        return Some(
            "Windows pods cannot be resized (403; before Kubernetes 1.36 the kubelet answers with Infeasible)"
                .to_owned(),
        );
    }
    let stored = old.text("/status/qosClass").unwrap_or_else(|| qos::class(old_spec));
    let resized = qos::class(new_spec);
    if stored != resized {
        return Some(format!(
            "the QoS class would change from {stored} to {resized}, and a resize must keep it (422)"
        ));
    }
    let claims = |value: &Value| {
        value
            .pointer("/resources/claims")
            .and_then(Value::as_array)
            .is_some_and(|claims| !claims.is_empty())
    };
    if let Some((_, container)) = containers(old_spec).find(|(_, container)| claims(container)) {
        return Some(format!(
            "container {:?} holds a resource claim: no resize of such a pod is accepted (422)",
            name_of(container)
        ));
    }
    if old
        .value()
        .pointer("/status/nodeAllocatableResourceClaimStatuses")
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty())
    {
        return Some(
            "the pod holds resource claims of its node: no resize of it is accepted (422)"
                .to_owned(),
        );
    }
    if is_old_kubelet(old) {
        return Some(
            "its kubelet does not tell what running containers have: it cannot resize (422)"
                .to_owned(),
        );
    }
    fault(new_spec, None)
}

/// Whether the first running container has no resources in its status.
fn is_old_kubelet(pod: &Unstructured) -> bool {
    let statuses = pod
        .value()
        .pointer("/status/containerStatuses")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let running =
        |status: &&Value| status.pointer("/state/running").is_some_and(|state| !state.is_null());
    statuses
        .into_iter()
        .find(running)
        .is_some_and(|status| status.get("resources").is_none_or(Value::is_null))
}
