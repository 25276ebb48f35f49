//! Differences of a pod itself, but for its resources. Little of a pod can change
//! (`ValidatePodUpdate`).

use serde_json::Value;

use crate::approval::{DEFAULT_ANNOTATION, GRANT_ANNOTATION};
use crate::explain::difference::Difference;
use crate::explain::effect::{Consequence, Effect};

use super::{Pair, other, template};
use crate::explain::pod_spec::{container, is_plain_init};

/// The annotation by which the kubelet marks the API's copy of a static pod.
pub(super) const MIRROR: &str = "/metadata/annotations/kubernetes.io~1config.mirror";

/// What comes of a difference of a live pod.
pub(super) fn consequence(pair: Pair<'_>, difference: &Difference<'_>) -> Consequence {
    let words = difference.path.words();
    if pair.new.text(MIRROR).is_some() && words.first() == Some(&"spec") {
        let remedy =
            "change the file in the kubelet's manifest folder: the kubelet then replaces the pod";
        return Consequence::refused(
            "the API has only a copy of this static pod: nothing that changes here reaches it",
            remedy,
        );
    }
    match words.as_slice() {
        ["metadata", "labels", ..] => Consequence::nothing(
            "whoever selects by label",
            "the process does not notice; but Services, NetworkPolicies and controllers choose pods by label: \
             a pod that leaves its controller's selector is replaced by another, and goes on without an owner",
        ),
        ["metadata", "annotations", GRANT_ANNOTATION | DEFAULT_ANNOTATION] => Consequence::nothing(
            "Restraint",
            "a grant: Restraint makes a stamp of it if the requester may approve, and denies it otherwise; no process notices",
        ),
        ["metadata", ..] => other::metadata(pair),
        ["spec", "containers" | "initContainers", "*", "image"] => image(pair, difference),
        ["spec", "ephemeralContainers", ..] => Consequence::refused(
            "ephemeral containers come through another door (422)",
            "kubectl debug",
        ),
        ["spec", "containers" | "initContainers", "*", "resizePolicy"] => Consequence::refused(
            "the resize policy of a pod cannot change (422)",
            "set it in the template or manifest that new pods are made from; that replaces this one",
        ),
        ["spec", "containers" | "initContainers", "*"]
        | ["spec", "containers" | "initContainers"] => Consequence::refused(
            "containers of a pod cannot be added, removed, renamed or put in another order (422)",
            again(pair),
        ),
        ["spec", "activeDeadlineSeconds"] => deadline(difference),
        ["spec", "tolerations"] if only_adds(difference) => Consequence::nothing(
            "scheduler and taint manager",
            "tolerations may be added to a pod: from now on it stays where those taints are",
        ),
        ["spec", "schedulingGates"] if only_removes(difference) => Consequence::nothing(
            "scheduler",
            "once the last gate is gone the pod is scheduled; nothing of it runs yet",
        ),
        ["spec", "nodeSelector", ..] if has_gates(pair) && difference.from.is_none() => {
            Consequence::nothing("scheduler", "a pod that is gated may be narrowed to fewer nodes")
        }
        ["spec", "nodeSelector", ..] if has_gates(pair) => Consequence::refused(
            "a pod that is gated may be narrowed to fewer nodes, and to no others (422)",
            again(pair),
        ),
        ["spec", "affinity", ..] if has_gates(pair) => Consequence::unknown(
            "a pod that is gated may be narrowed to fewer nodes, and to no others",
        ),
        ["spec", "terminationGracePeriodSeconds"]
            if difference.from.and_then(Value::as_i64).is_some_and(|old| old < 0) =>
        {
            Consequence::nothing("kubelet", "a negative grace period may become 1")
        }
        ["spec", ..] => {
            Consequence::refused("this field of a pod cannot change (422)", again(pair))
        }
        _ => Consequence::unknown("no field of a pod is known by this name"),
    }
}

/// How a pod is made anew.
fn again(pair: Pair<'_>) -> String {
    match pair.new.value().pointer("/metadata/ownerReferences/0/kind").and_then(Value::as_str) {
        Some(owner) => format!("change the template of the {owner} that keeps it"),
        None => format!(
            "`kubectl replace --force` deletes pod {} and makes it anew: new UID, new IP",
            pair.new.name
        ),
    }
}

fn image(pair: Pair<'_>, difference: &Difference<'_>) -> Consequence {
    let Some((_, name)) = difference.path.container() else {
        return Consequence::unknown("no container has it");
    };
    let Some(image) = difference.to.and_then(Value::as_str) else {
        return Consequence::refused("a container needs an image (422)", "name one");
    };
    let plain = pair
        .new
        .pod_spec()
        .and_then(|spec| container(spec, name))
        .is_some_and(|(list, container)| is_plain_init(list, container));
    if plain {
        let why = "an init container that ran to its end does not run again for it; should the pod's init containers run again, it is used";
        return Consequence::new(Effect::NextStart, "kubelet", why, "");
    }
    let broken = if template::is_no_image(image) {
        "; this is no image's name: the container stays down in InvalidImageName"
    } else {
        "; should the image not be pullable, the container stays down in ImagePullBackOff"
    };
    let owned = pair.new.value().pointer("/metadata/ownerReferences/0").is_some();
    let why = format!(
        "the kubelet stops the container and starts it from the new image: same pod, same IP, restart count +1{broken}"
    );
    let remedy = if owned {
        "its controller does not know: the next pod has the template's image again, change that too"
    } else {
        ""
    };
    Consequence::new(Effect::ContainerRestart, "kubelet", why, remedy)
}

/// It may be set or shortened.
fn deadline(difference: &Difference<'_>) -> Consequence {
    let number = |value: Option<&Value>| value.and_then(Value::as_i64);
    match (number(difference.from), number(difference.to)) {
        (old, Some(new)) if new >= 1 && old.is_none_or(|old| new <= old) => Consequence::new(
            Effect::PodDeletion,
            "kubelet",
            format!(
                "the pod is failed once it is {new} s old, with all its containers; only a controller makes another"
            ),
            "",
        ),
        _ => Consequence::refused(
            "the deadline of a pod may be set or shortened, not removed or extended (422)",
            "make the pod anew",
        ),
    }
}

fn items(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Whether every old toleration is still there, but for how long it tolerates.
fn only_adds(difference: &Difference<'_>) -> bool {
    let without = |mut toleration: Value| {
        toleration.as_object_mut().map(|fields| fields.remove("tolerationSeconds"));
        toleration
    };
    let new: Vec<_> = items(difference.to).into_iter().map(without).collect();
    items(difference.from).into_iter().map(without).all(|old| new.contains(&old))
}

fn only_removes(difference: &Difference<'_>) -> bool {
    let old = items(difference.from);
    items(difference.to).iter().all(|gate| old.contains(gate))
}

fn has_gates(pair: Pair<'_>) -> bool {
    pair.old
        .value()
        .pointer("/spec/schedulingGates")
        .and_then(Value::as_array)
        .is_some_and(|gates| !gates.is_empty())
}
