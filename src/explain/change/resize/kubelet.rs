//! What the kubelet does with a resize that was accepted.

use serde_json::Value;

use crate::explain::difference::Difference;
use crate::explain::effect::{Consequence, Effect};
use crate::explain::pod_spec::{
    amount, container, containers, is_plain_init, name_of, resize_policy,
};
use crate::heap::{Heap, Size, heaps};
use crate::kube::container::Container;
use crate::kube::object::Spec;
use crate::kube::resources::EffectiveLimit;
use crate::manifest::unstructured::Unstructured;

const RESOURCES: [&str; 2] = ["cpu", "memory"];

/// What comes of one difference of the resize from `old` to `new`, whose specs are `specs`.
pub(super) fn consequence(
    old: &Unstructured,
    new: &Unstructured,
    specs: (&Spec<'_>, &Spec<'_>),
    difference: &Difference<'_>,
) -> Consequence {
    let (Some(old_spec), Some(new_spec)) = (old.pod_spec(), new.pod_spec()) else {
        return Consequence::unknown("there is no spec");
    };
    if matches!(old.text("/status/phase"), Some("Succeeded" | "Failed")) {
        return Consequence::nothing(
            "nobody",
            "the pod has finished: the API server takes the values, and nothing is left to resize",
        );
    }
    let words = difference.path.words();
    let (list, resource) = match words.as_slice() {
        [.., list, resource] => (*list, *resource),
        _ => return Consequence::unknown("no resource is named"),
    };
    let Some((_, name)) = difference.path.container() else {
        return pod_level(old_spec, new_spec, resource);
    };
    let (Some((kind, before)), Some((_, after))) =
        (container(old_spec, name), container(new_spec, name))
    else {
        return Consequence::unknown("the container is not there");
    };
    if is_plain_init(kind, before) {
        let why = "an init container that ran to its end does not run again for it; should the pod's init containers run again, it counts";
        return Consequence::new(Effect::NextStart, "kubelet", why, "");
    }
    let restarting = restarting(before, after);
    let what = match (list, resource) {
        ("limits", "memory") => memory_limit(specs, name, restarting.is_some()),
        (_, "memory") => {
            "a memory request counts for scheduling and for who is evicted first".to_owned()
        }
        _ => "the container's share of cpu time changes at once".to_owned(),
    };
    match restarting {
        Some(cause) => Consequence::new(
            Effect::ResizeWithRestart,
            "kubelet",
            format!("{}; {what}{}", restart(cause), waiting(before, after)),
            "",
        ),
        None => Consequence::new(
            Effect::Resize,
            "kubelet",
            format!("{what}{}", waiting(before, after)),
            "",
        ),
    }
}

/// The resource whose policy restarts the container in this resize: one is enough for all of it.
fn restarting(before: &Value, after: &Value) -> Option<&'static str> {
    let changes = |resource: &str| {
        ["requests", "limits"]
            .into_iter()
            .any(|list| amount(before, list, resource) != amount(after, list, resource))
    };
    RESOURCES
        .into_iter()
        .find(|resource| resize_policy(before, resource) == "RestartContainer" && changes(resource))
}

fn restart(resource: &str) -> String {
    format!(
        "{resource} has resize policy RestartContainer: the container is stopped (preStop and grace period as usual) and started \
         in the same pod, restart count +1; environment, subPath mounts and image are resolved anew"
    )
}

/// An increase may have to wait.
fn waiting(before: &Value, after: &Value) -> &'static str {
    let grows = RESOURCES
        .into_iter()
        .any(|resource| amount(before, "requests", resource) < amount(after, "requests", resource));
    if grows {
        "; where the node has no room it waits: condition PodResizePending, reason Deferred"
    } else {
        ""
    }
}

fn memory_limit(specs: (&Spec<'_>, &Spec<'_>), name: &str, restarts: bool) -> String {
    let (old, new) = (limit(specs.0, name), limit(specs.1, name));
    let first = if matches!(old, EffectiveLimit::Unlimited) {
        "a first limit takes memory from a process that had no bound: "
    } else {
        ""
    };
    let what = match (old.falls_to(new), restarts) {
        (_, true) if matches!(new, EffectiveLimit::Unlimited) => {
            "0 is no limit: the API server accepts it, because nothing is removed; the process starts without a limit".to_owned()
        }
        (_, false) if matches!(new, EffectiveLimit::Unlimited) => {
            "0 is no limit: the API server accepts it, because nothing is removed; the kubelet changes nothing now, \
             and the next start of the container has no limit"
                .to_owned()
        }
        (true, true) => format!("{first}the process starts with the lower limit"),
        (true, false) => format!(
            "{first}the limit falls under the running process: the kubelet refuses while usage, page cache included, is at or above \
             the new limit (condition PodResizeInProgress, reason Error) and tries again; the spec keeps the new value, and any \
             later start has it; Kubernetes 1.33 refuses this (422)"
        ),
        (false, true) => "the process starts with the higher limit".to_owned(),
        (false, false) => "the limit rises under the running process".to_owned(),
    };
    let heaps = named(specs.1, name).map(heaps).unwrap_or_default();
    let words = heaps.iter().map(|heap| heap_word(heap, new, restarts));
    format!("{what}{}", words.collect::<String>())
}

fn named<'s, 'a>(spec: &'s Spec<'a>, name: &str) -> Option<&'s Container<'a>> {
    spec.all_containers().map(|placed| placed.container).find(|container| *container.name == *name)
}

/// The memory limit that the container of this name is under.
fn limit<'s>(spec: &'s Spec<'_>, name: &str) -> EffectiveLimit<'s> {
    let own = named(spec, name).and_then(|container| container.resources.limits.memory.as_ref());
    EffectiveLimit::of(own, spec.resources.limits.memory.as_ref())
}

/// What becomes of a heap that is fixed at start.
fn heap_word(heap: &Heap, limit: EffectiveLimit<'_>, restarts: bool) -> String {
    let setting = &heap.setting;
    match heap.size {
        Size::Share(_) if restarts => {
            format!("; heap {setting} is taken of the new limit at the restart")
        }
        Size::Share(_) => format!(
            "; heap {setting} was taken of the old limit at start, and stays so until a restart"
        ),
        Size::Bytes(_) if limit.bytes().is_some_and(|limit| heap.fills(limit)) => {
            format!(
                "; heap {setting} is at or above the new limit: the kernel ends the process when it fills up"
            )
        }
        Size::Bytes(_) => {
            format!(
                "; heap {setting} stays as it is whatever the limit: only another flag, by a rollout, changes it"
            )
        }
    }
}

fn pod_level(old_spec: &Value, new_spec: &Value, resource: &str) -> Consequence {
    let none = |container: &Value| {
        amount(container, "limits", resource).is_none_or(|limit| limit.is_zero())
    };
    let follows = |container: &Value| {
        none(container) && resize_policy(container, resource) == "RestartContainer"
    };
    let app = containers(old_spec).filter(|(list, container)| !is_plain_init(list, container));
    let restarted: Vec<_> = app
        .filter(|(_, container)| follows(container))
        .map(|(_, container)| name_of(container))
        .collect();
    let [old, new] = [old_spec, new_spec].map(|spec| amount(spec, "limits", resource));
    let changes = old != new;
    let falls =
        EffectiveLimit::of(old.as_ref(), None).falls_to(EffectiveLimit::of(new.as_ref(), None));
    let shrink = if falls && resource == "memory" {
        "; the kubelet refuses while usage of the pod, page cache included, is at or above the new limit (PodResizeInProgress, Error)"
    } else {
        ""
    };
    if !restarted.is_empty() && changes {
        let why = format!(
            "containers without a {resource} limit of their own follow the pod's: those with resize policy RestartContainer are \
             restarted ({}){shrink}",
            restarted.join(", ")
        );
        return Consequence::new(Effect::ResizeWithRestart, "kubelet", why, "");
    }
    let why = format!(
        "the bounds of the pod as a whole change under the running processes{shrink}; its node must know this (1.36)"
    );
    Consequence::new(Effect::Resize, "kubelet", why, "")
}
