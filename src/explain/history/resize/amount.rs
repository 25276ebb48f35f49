//! Amounts of a pod as wanted, agreed to and in force.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::explain::history::record::{Record, Resources, Told};
use crate::kube::container::Role;
use crate::kube::quantity::Quantity;

/// The smallest cpu limit that the kernel is given: what is below it is read back as this.
const LEAST_CPU: i128 = 10;

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
    /// What it waits for, where something else of the same resize holds it up: `limits.memory`.
    pub behind: Option<String>,
}

impl Amount {
    /// Whether it is a memory limit that is to become lower, or the first.
    pub(in crate::explain) fn is_memory_decrease(&self) -> bool {
        let (desired, actual) = (read(self.desired.as_ref()), read(self.actual.as_ref()));
        self.resource == "limits.memory"
            && desired.is_some_and(|desired| actual.is_none_or(|actual| desired < actual))
    }

    /// Whether it is a limit that is to be none: `0` means that, and changes nothing of a process
    /// that runs.
    pub(super) fn is_limit_to_none(&self) -> bool {
        self.resource.starts_with("limits") && read(self.desired.as_ref()).is_none()
    }

    /// The list it stands in, and the resource.
    fn place(&self) -> (&str, &str) {
        self.resource.split_once('.').unwrap_or_default()
    }

    /// The resource: `memory`.
    pub(super) fn kind(&self) -> &str {
        self.place().1
    }
}

/// Where wanted, agreed to and in force are not the same. The kubelet fills the pod's own status
/// from the cgroup of any pod, rounded, and late for requests, so of the pod itself only that
/// counts which its spec asks for.
pub(super) fn differing(record: &Record) -> Vec<Amount> {
    let mut amounts = Vec::new();
    let own = &record.spec.resources;
    for (list, resource, desired) in spelled(own) {
        let status = &record.status;
        let (actual, agreed) = match (list, &status.resources) {
            ("limits", Some(actual)) => (actual.limits.get(resource), None),
            ("requests", _) => {
                let agreed = status.allocated_resources.get(resource);
                (agreed, agreed)
            }
            _ => continue,
        };
        // a kubelet that tells nothing of the pod itself is no kubelet that waits
        if actual.is_none() || same(list, resource, Some(desired), actual) {
            continue;
        }
        amounts.push(amount(None, (list, resource), Some(desired), agreed, actual));
    }
    for told in record.containers() {
        of_container(told, &mut amounts);
    }
    amounts
}

fn of_container(told: Told<'_>, amounts: &mut Vec<Amount>) {
    let Told { status, spec: Some(container), role } = told else { return };
    let runs = status.state.running.is_some();
    let has_ended = role == Role::Init && !runs && status.state.terminated.is_some();
    let Some(actual) = status.resources.as_ref().filter(|_| !has_ended) else { return };
    for list in ["requests", "limits"] {
        for resource in ["cpu", "memory"] {
            let of = |resources: &Resources| -> Option<String> {
                let amounts =
                    if list == "requests" { &resources.requests } else { &resources.limits };
                amounts.get(resource).cloned()
            };
            let (desired, in_force) = (of(&container.resources), of(actual));
            let agreed = status.allocated_resources.get(resource).filter(|_| list == "requests");
            // requests are read back from the weights of the cgroup: what is agreed to counts
            let settled = agreed.or(in_force.as_ref());
            if !same(list, resource, desired.as_ref(), settled) {
                let place = (list, resource);
                let name = Some(status.name.clone());
                amounts.push(amount(name, place, desired.as_ref(), agreed, in_force.as_ref()));
            }
        }
    }
}

fn amount(
    container: Option<String>,
    (list, resource): (&str, &str),
    desired: Option<&String>,
    allocated: Option<&String>,
    actual: Option<&String>,
) -> Amount {
    Amount {
        container,
        resource: format!("{list}.{resource}"),
        desired: desired.cloned(),
        allocated: allocated.cloned(),
        actual: actual.cloned(),
        behind: None,
    }
}

/// The cpu and memory that `resources` spell out.
fn spelled(resources: &Resources) -> impl Iterator<Item = (&'static str, &'static str, &String)> {
    [("requests", &resources.requests), ("limits", &resources.limits)].into_iter().flat_map(
        |(list, amounts)| {
            ["cpu", "memory"]
                .into_iter()
                .filter_map(move |resource| Some((list, resource, amounts.get(resource)?)))
        },
    )
}

fn read(text: Option<&String>) -> Option<Quantity<'_>> {
    Quantity::parse(text?.as_str()).ok().filter(|amount| !amount.is_zero())
}

/// Whether both are the same amount. None is none, and so is zero.
fn same(list: &str, resource: &str, one: Option<&String>, other: Option<&String>) -> bool {
    let (one, other) = (read(one), read(other));
    let is_least = |amount: &Option<Quantity<'_>>| {
        amount.as_ref().and_then(Quantity::milli_value).is_some_and(|millis| millis <= LEAST_CPU)
    };
    one == other || (list, resource) == ("limits", "cpu") && is_least(&one) && is_least(&other)
}

/// The patch that asks for what is in force again; `None` where something was not there before,
/// which a resize cannot take away. A Guaranteed pod keeps its requests equal to its limits.
pub(super) fn put_back<'a>(
    record: &Record,
    amounts: impl Iterator<Item = &'a Amount>,
) -> Option<Value> {
    let is_guaranteed = record.status.qos_class == "Guaranteed";
    let mut holders: BTreeMap<Option<&str>, Value> = BTreeMap::new();
    for amount in amounts {
        let (list, resource) = amount.place();
        let actual = amount.allocated.as_ref().or(amount.actual.as_ref())?;
        let resources = holders.entry(amount.container.as_deref()).or_insert_with(|| json!({}));
        put(resources, list, resource, actual);
        if is_guaranteed && list == "limits" {
            put(resources, "requests", resource, actual);
        }
    }
    patch(record, holders)
}

/// The patch that sets this memory limit of a container, or of the pod itself.
pub(in crate::explain::history) fn set_memory_limit(
    record: &Record,
    container: Option<&str>,
    limit: &str,
) -> Option<Value> {
    let mut resources = json!({});
    put(&mut resources, "limits", "memory", limit);
    if record.status.qos_class == "Guaranteed" {
        put(&mut resources, "requests", "memory", limit);
    }
    patch(record, BTreeMap::from([(container, resources)]))
}

/// The patch that gives containers, and the pod itself, these resources.
fn patch(record: &Record, holders: BTreeMap<Option<&str>, Value>) -> Option<Value> {
    let mut spec = Map::new();
    for (container, resources) in holders {
        let Some(name) = container else {
            spec.insert("resources".to_owned(), resources);
            continue;
        };
        let is_init = record.spec.init_containers.iter().any(|container| container.name == name);
        let list = if is_init { "initContainers" } else { "containers" };
        let items = spec.entry(list).or_insert_with(|| json!([]));
        if let Some(items) = items.as_array_mut() {
            items.push(json!({"name": name, "resources": resources}));
        }
    }
    (!spec.is_empty()).then(|| json!({"spec": spec}))
}

fn put(resources: &mut Value, list: &str, resource: &str, amount: &str) {
    let lists = resources.as_object_mut();
    let list = lists.map(|lists| lists.entry(list).or_insert_with(|| json!({})));
    if let Some(list) = list.and_then(Value::as_object_mut) {
        list.insert(resource.to_owned(), amount.into());
    }
}
