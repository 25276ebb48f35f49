//! What a live pod has while an earlier resize of it is not carried out.

use serde_json::{Value, json};

use crate::explain::difference::Difference;
use crate::explain::history::{Amount, History, HistoryContext, ResizeState};
use crate::explain::pod_spec::{container, resize_policy};
use crate::manifest::unstructured::Unstructured;

/// An earlier resize that waits or failed, by the pod's status.
pub(super) struct Standing {
    state: ResizeState,
    amounts: Vec<Amount>,
}

impl Standing {
    /// What stands of the resize before; `None` where nothing does.
    pub(super) fn of(pod: &Unstructured) -> Option<Self> {
        let resize = History::of(pod, &HistoryContext::default()).ok()?.resize;
        let lowers = || {
            let mut decreases = resize.differing.iter().filter(|one| one.is_memory_decrease());
            decreases.any(|amount| !restarts(pod, amount))
        };
        let stands = match resize.state {
            ResizeState::Deferred | ResizeState::Infeasible | ResizeState::Error => true,
            // one that fails looks so for moments, each time it is tried again
            ResizeState::InProgress => lowers(),
            _ => false,
        };
        let standing = Self { state: resize.state, amounts: resize.differing };
        (stands && !standing.amounts.is_empty()).then_some(standing)
    }

    /// The pod with what is in force instead of what was asked for in vain.
    pub(super) fn in_force(&self, pod: &Unstructured) -> Unstructured {
        let mut value = pod.value().clone();
        for amount in &self.amounts {
            let (list, resource) = place(amount);
            let Some(holder) = holder(&mut value, amount) else { continue };
            let resources = holder.entry("resources").or_insert_with(|| json!({}));
            let Some(resources) = resources.as_object_mut() else { continue };
            let list = resources.entry(list).or_insert_with(|| json!({}));
            let Some(list) = list.as_object_mut() else { continue };
            match actual(amount) {
                Some(actual) => drop(list.insert(resource.to_owned(), actual.into())),
                None => drop(list.remove(resource)),
            }
        }
        pod.with(value)
    }

    /// What is said of a difference that asks for what is in force anyway: nothing changes, and
    /// what waited behind it is free.
    pub(super) fn put_back(&self, difference: &Difference<'_>) -> Option<String> {
        let amount = self.amounts.iter().find(|amount| is_about(amount, difference))?;
        let asked = difference.to.and_then(Value::as_str)?;
        let is_same = actual(amount).is_some_and(|actual| super::same(actual, asked));
        let behind =
            self.amounts.iter().any(|other| other.behind.as_ref() == Some(&amount.resource));
        let frees = if behind { "; what waits behind it is carried out" } else { "" };
        is_same.then(|| {
            format!(
                "{asked} is what is in force, because the resize to {} {}: no process notices, and nothing restarts{frees}",
                amount.desired.as_deref().unwrap_or("none"),
                self.words()
            )
        })
    }

    /// What is said of a difference that has to wait, because what stands is still asked for beside
    /// it.
    pub(super) fn waits(
        &self,
        difference: &Difference<'_>,
        all: &[Difference<'_>],
    ) -> Option<String> {
        let is_decrease = |amount: &&Amount| match self.state {
            ResizeState::Error | ResizeState::InProgress => amount.is_memory_decrease(),
            _ => true,
        };
        let unchanged = |amount: &&Amount| !all.iter().any(|one| is_about(amount, one));
        let stuck: Vec<&Amount> =
            self.amounts.iter().filter(is_decrease).filter(unchanged).collect();
        let first = stuck.first()?;
        if is_about(first, difference) {
            return None;
        }
        let whose = first
            .container
            .as_ref()
            .map_or_else(|| "the pod's".to_owned(), |name| format!("container {name:?}"));
        Some(format!(
            "it waits: a resize happens as a whole or not at all, and {whose} {} {} -> {} before it {}; it is carried out with that, or once \
             that is put back to {}",
            first.resource,
            actual(first).unwrap_or("none"),
            first.desired.as_deref().unwrap_or("none"),
            self.words(),
            actual(first).unwrap_or("none"),
        ))
    }

    fn words(&self) -> &'static str {
        match self.state {
            ResizeState::Deferred => "is deferred (condition PodResizePending)",
            ResizeState::Infeasible => "is infeasible (condition PodResizePending)",
            ResizeState::InProgress => {
                "is being tried (condition PodResizeInProgress; should it fail, that has the reason Error)"
            }
            _ => "fails (condition PodResizeInProgress, reason Error)",
        }
    }
}

/// Whether the container of this amount is restarted for its memory.
fn restarts(pod: &Unstructured, amount: &Amount) -> bool {
    let named = |name: &String| container(pod.pod_spec()?, name);
    let found = amount.container.as_ref().and_then(named);
    found.is_some_and(|(_, container)| resize_policy(container, "memory") == "RestartContainer")
}

/// What is in force of it.
fn actual(amount: &Amount) -> Option<&str> {
    amount.allocated.as_deref().or(amount.actual.as_deref())
}

fn place(amount: &Amount) -> (&str, &str) {
    amount.resource.split_once('.').unwrap_or_default()
}

/// Whether the difference is one of this amount.
fn is_about(amount: &Amount, difference: &Difference<'_>) -> bool {
    let (list, resource) = place(amount);
    difference.path.container().map(|(_, name)| name) == amount.container.as_deref()
        && difference.path.words().ends_with(&[list, resource])
}

/// The object that has the amount's `resources`.
fn holder<'v>(
    pod: &'v mut Value,
    amount: &Amount,
) -> Option<&'v mut serde_json::Map<String, Value>> {
    let spec = pod.get_mut("spec")?.as_object_mut()?;
    let Some(name) = &amount.container else { return Some(spec) };
    let lists = spec
        .iter_mut()
        .filter(|(list, _)| matches!(list.as_str(), "containers" | "initContainers"));
    let mut items = lists.filter_map(|(_, items)| items.as_array_mut()).flatten();
    items
        .find(|item| item.get("name").and_then(Value::as_str) == Some(name))
        .and_then(Value::as_object_mut)
}
