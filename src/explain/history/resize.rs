//! The state of a pod's resize: what is wanted, what the kubelet agreed to, and what the containers
//! have.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::kube::quantity::Quantity;

use super::record::{Condition, Record, Resources};

/// The state of a resize.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resize {
    /// How far it is.
    pub state: State,
    /// What the kubelet says about it.
    pub message: String,
    /// `metadata.generation`: the state of the spec.
    pub generation: Option<i64>,
    /// The generation that the kubelet speaks of.
    pub observed_generation: Option<i64>,
    /// What it means.
    pub why: String,
    /// What to do.
    pub remedy: String,
    /// Amounts that are not the same everywhere.
    pub differing: Vec<Amount>,
}

/// How far a resize is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing is left to do: wanted and actual are the same.
    Settled,
    /// It waits for room.
    Deferred,
    /// The kubelet will not do it.
    Infeasible,
    /// The kubelet is at it.
    InProgress,
    /// The kubelet tried, and it failed.
    Error,
    /// The kubelet did not say anything about it yet.
    Unseen,
    /// The pod does not run.
    NotRunning,
}

impl State {
    /// What it is called in the text form.
    pub fn words(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Deferred => "deferred",
            Self::Infeasible => "infeasible",
            Self::InProgress => "in progress",
            Self::Error => "failed, tried again",
            Self::Unseen => "not seen by the kubelet yet",
            Self::NotRunning => "the pod does not run",
        }
    }
}

/// An amount of one container, or of the pod, as wanted, agreed to and in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// The container; `None` for the pod itself.
    pub container: Option<String>,
    /// `requests` or `limits`, and the resource: `limits.memory`.
    pub resource: String,
    /// What the spec says.
    pub desired: Option<String>,
    /// What the kubelet agreed to: it tells requests only.
    pub allocated: Option<String>,
    /// What is in force.
    pub actual: Option<String>,
}

/// The state of the resize of a pod.
pub(super) fn state(record: &Record) -> Resize {
    let differing = differing(record);
    let condition = |kind: &str| {
        record.status.conditions.iter().find(|one| one.kind == kind && one.status == "True")
    };
    let pending = condition("PodResizePending");
    let progress = condition("PodResizeInProgress");
    let (state, why, remedy) = match (pending, progress) {
        (Some(pending), _) => waiting(pending),
        (None, Some(progress)) => working(progress),
        (None, None) => quiet(record, &differing),
    };
    let spoken = pending.or(progress);
    let (generation, observed) = (
        record.metadata.generation,
        spoken.and_then(|one| one.observed_generation).or(record.status.observed_generation),
    );
    let is_behind = matches!((generation, observed), (Some(now), Some(seen)) if seen < now);
    let mut why = if is_behind && state != State::NotRunning {
        format!(
            "{why}; the spec has changed since (generation {} of {})",
            observed.unwrap_or_default(),
            generation.unwrap_or_default()
        )
    } else {
        why.to_owned()
    };
    if let (Some(_), Some(progress)) = (pending, progress) {
        let word =
            if progress.reason == "Error" { "failed and is tried again" } else { "is in progress" };
        why = format!("{why}; an earlier resize {word}");
    }
    let message = spoken.map(|one| one.message.clone()).unwrap_or_default();
    Resize {
        state,
        message,
        generation,
        observed_generation: observed,
        why,
        remedy: remedy.to_owned(),
        differing,
    }
}

fn waiting(pending: &Condition) -> (State, &'static str, &'static str) {
    if pending.reason == "Infeasible" {
        return (
            State::Infeasible,
            "the kubelet will not do it, and does not try again until the spec changes: a static cpu or memory manager, swap, Windows, \
             or a feature that is off on the node",
            "ask for other values, or put the old ones back; else change the template and have the pod replaced",
        );
    }
    (
        State::Deferred,
        "the node has no room for it now: tried again when pods on the node end or shrink, and every 3 minutes",
        "wait, make room on the node, ask for less, or have the pod replaced elsewhere",
    )
}

fn working(progress: &Condition) -> (State, &'static str, &'static str) {
    if progress.reason == "Error" {
        return (
            State::Error,
            "the kubelet tried and failed, and tries again: for a lower memory limit usage, page cache included, is at or above it \
             (the usage in the message is the pod's, not the container's); the spec has the new value, and the next start of the \
             container takes it",
            "have the process use less, or restart it, or put the old limit back",
        );
    }
    (
        State::InProgress,
        "the kubelet agreed and is changing the containers: seconds, or a restart with its grace period",
        "wait",
    )
}

fn quiet(record: &Record, differing: &[Amount]) -> (State, &'static str, &'static str) {
    match record.status.phase.as_str() {
        "Running" if differing.is_empty() => (State::Settled, "what the spec says is in force", ""),
        "Running" => (
            State::Unseen,
            "the spec differs from what is in force and the kubelet says nothing: it has not looked yet, cannot resize, or does not \
             tell what containers have",
            "wait a minute; then see whether the kubelet is 1.33 or later and its node is ready",
        ),
        _ => (
            State::NotRunning,
            "resources of a pod that does not run are given to its containers when they start",
            "",
        ),
    }
}

/// Where wanted, agreed to and in force are not the same.
fn differing(record: &Record) -> Vec<Amount> {
    let mut amounts = Vec::new();
    if let Some(actual) = &record.status.resources {
        compare(
            None,
            &record.spec.resources,
            &record.status.allocated_resources,
            actual,
            &mut amounts,
        );
    }
    for (status, container) in record.containers() {
        let (Some(container), Some(actual)) = (container, &status.resources) else { continue };
        compare(
            Some(&status.name),
            &container.resources,
            &status.allocated_resources,
            actual,
            &mut amounts,
        );
    }
    amounts
}

fn compare(
    name: Option<&str>,
    desired: &Resources,
    allocated: &BTreeMap<String, String>,
    actual: &Resources,
    amounts: &mut Vec<Amount>,
) {
    for (list, desired, actual) in [
        ("requests", &desired.requests, &actual.requests),
        ("limits", &desired.limits, &actual.limits),
    ] {
        for resource in ["cpu", "memory"] {
            let agreed = allocated.get(resource).filter(|_| list == "requests");
            let (desired, actual) = (desired.get(resource), actual.get(resource));
            if same(desired, actual) && agreed.is_none_or(|agreed| same(desired, Some(agreed))) {
                continue;
            }
            amounts.push(Amount {
                container: name.map(str::to_owned),
                resource: format!("{list}.{resource}"),
                desired: desired.cloned(),
                allocated: agreed.cloned(),
                actual: actual.cloned(),
            });
        }
    }
}

/// Whether both are the same amount. None is none, and so is zero.
fn same(one: Option<&String>, other: Option<&String>) -> bool {
    fn read(text: Option<&String>) -> Option<Quantity<'_>> {
        Quantity::parse(text?.as_str()).ok().filter(|amount| !amount.is_zero())
    }
    read(one) == read(other)
}
