//! What the kubelet does with a resize that was accepted.

use serde_json::Value;

use crate::explain::change::valid::{
    amount, container, containers, is_plain_init, name_of, resize_policy,
};
use crate::explain::difference::Difference;
use crate::explain::effect::{Effect, Outcome};
use crate::heap::{Heap, Size, heaps};
use crate::kube::container::Container;
use crate::kube::resources::EffectiveLimit;
use crate::manifest::object::Document;

const RESOURCES: [&str; 2] = ["cpu", "memory"];

/// What comes of one difference of the resize from `old` to `new`.
pub(super) fn outcome(old: &Document, new: &Document, difference: &Difference<'_>) -> Outcome {
    let (Some(old_spec), Some(new_spec)) = (old.pod_spec(), new.pod_spec()) else {
        return Outcome::unknown("there is no spec");
    };
    if matches!(old.text("/status/phase"), Some("Succeeded" | "Failed")) {
        return Outcome::nothing(
            "nobody",
            "the pod has finished: the API server takes the values, and nothing is left to resize",
        );
    }
    let words = difference.path.words();
    let (list, resource) = match words.as_slice() {
        [.., list, resource] => (*list, *resource),
        _ => return Outcome::unknown("no resource is named"),
    };
    let Some((_, name)) = difference.path.container() else {
        return pod_level(old_spec, new_spec, resource);
    };
    let (Some((kind, before)), Some((_, after))) =
        (container(old_spec, name), container(new_spec, name))
    else {
        return Outcome::unknown("the container is not there");
    };
    if is_plain_init(kind, before) {
        let why = "an init container that ran to its end does not run again for it; should the pod's init containers run again, it counts";
        return Outcome::new(Effect::NextStart, "kubelet", why, "");
    }
    let restarting = restarting(before, after);
    let what = match (list, resource) {
        ("limits", "memory") => {
            memory_limit(old_spec, new_spec, before, after, restarting.is_some())
        }
        (_, "memory") => {
            "a memory request counts for scheduling and for who is evicted first".to_owned()
        }
        _ => "the container's share of cpu time changes at once".to_owned(),
    };
    match restarting {
        Some(cause) => Outcome::new(
            Effect::ResizeWithRestart,
            "kubelet",
            format!("{}; {what}", restart(cause)),
            "",
        ),
        None => {
            Outcome::new(Effect::Resize, "kubelet", format!("{what}{}", waiting(before, after)), "")
        }
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

fn memory_limit(
    old_spec: &Value,
    new_spec: &Value,
    before: &Value,
    after: &Value,
    restarts: bool,
) -> String {
    let own = [amount(before, "limits", "memory"), amount(after, "limits", "memory")];
    let pods = [amount(old_spec, "limits", "memory"), amount(new_spec, "limits", "memory")];
    let [old, new] = [(&own[0], &pods[0]), (&own[1], &pods[1])]
        .map(|(own, pod)| EffectiveLimit::of(own.as_ref(), pod.as_ref()));
    let first = if matches!(old, EffectiveLimit::Unlimited) {
        "a first limit takes memory from a process that had no bound: "
    } else {
        ""
    };
    let what = match (old.falls_to(new), restarts) {
        (_, _) if matches!(new, EffectiveLimit::Unlimited) => {
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
    format!("{what}{}", heap_words(after, new, restarts))
}

/// What becomes of heaps that are fixed at start.
fn heap_words(container: &Value, limit: EffectiveLimit<'_>, restarts: bool) -> String {
    let text = container.to_string();
    let Ok(container) = Container::from_json(&text) else { return String::new() };
    heaps(&container).iter().map(|heap| heap_word(heap, limit, restarts)).collect()
}

fn heap_word(heap: &Heap, limit: EffectiveLimit<'_>, restarts: bool) -> String {
    let setting = &heap.setting;
    let is_above = |bytes: u64| match limit {
        EffectiveLimit::Limited(limit) => {
            limit.value().is_some_and(|limit| i128::from(bytes) >= i128::from(limit))
        }
        EffectiveLimit::Unlimited => false,
    };
    match heap.size {
        Size::Share(_) if restarts => {
            format!("; heap {setting} is taken of the new limit at the restart")
        }
        Size::Share(_) => format!(
            "; heap {setting} was taken of the old limit at start, and stays so until a restart"
        ),
        Size::Whole(bytes) | Size::OldSpace(bytes) if is_above(bytes) => {
            format!(
                "; heap {setting} is at or above the new limit: the kernel ends the process when it fills up"
            )
        }
        Size::Whole(_) | Size::OldSpace(_) => {
            format!(
                "; heap {setting} stays as it is whatever the limit: only another flag, by a rollout, changes it"
            )
        }
    }
}

fn pod_level(old_spec: &Value, new_spec: &Value, resource: &str) -> Outcome {
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
        return Outcome::new(Effect::ResizeWithRestart, "kubelet", why, "");
    }
    let why = format!(
        "the bounds of the pod as a whole change under the running processes{shrink}; its node must know this (1.36)"
    );
    Outcome::new(Effect::Resize, "kubelet", why, "")
}
