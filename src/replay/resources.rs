//! The resources of a pod as values: what a resize takes from a body, what the API server makes of
//! it, and what they may have been.

use serde_json::{Map, Value, json};

use crate::kube::quantity::Quantity;

use super::patch::{json_patched, patched};

/// The lists of a pod's containers.
const LISTS: [&str; 2] = ["containers", "initContainers"];

/// What is asked for and allowed of what.
const AMOUNTS: [(&str, &str); 4] =
    [("limits", "memory"), ("requests", "memory"), ("limits", "cpu"), ("requests", "cpu")];

/// More and less than any pod has, to be taken for what is not known.
const EXTREMES: [(&str, &str, &str); 2] = [("memory", "1Pi", "1"), ("cpu", "10000", "1m")];

/// Every container of a pod: the list, the place in it, and the container.
fn containers(pod: &Value) -> impl Iterator<Item = (&'static str, usize, &Value)> {
    LISTS.into_iter().flat_map(move |list| {
        let items = pod.get("spec").and_then(|spec| spec.get(list)).and_then(Value::as_array);
        items.into_iter().flatten().enumerate().map(move |(index, item)| (list, index, item))
    })
}

fn name(container: &Value) -> &str {
    container.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn amount<'v>(holder: &'v Value, list: &str, resource: &str) -> Option<&'v Value> {
    holder.get("resources")?.get(list)?.get(resource).filter(|amount| !amount.is_null())
}

fn container_mut<'v>(pod: &'v mut Value, list: &str, index: usize) -> Option<&'v mut Value> {
    pod.get_mut("spec")?.get_mut(list)?.get_mut(index)
}

fn set(holder: &mut Value, list: &str, resource: &str, amount: Value) {
    let Some(holder) = holder.as_object_mut() else { return };
    let mut fields = holder;
    for field in ["resources", list] {
        let entry = fields.entry(field).or_insert(Value::Null);
        if !entry.is_object() {
            *entry = Value::Object(Map::new());
        }
        let Some(inner) = entry.as_object_mut() else { return };
        fields = inner;
    }
    fields.insert(resource.to_owned(), amount);
}

/// What a resize of `old` with this body comes to: every answer that the API server would not
/// refuse. A resize takes resources alone, whatever else its body says.
pub(super) fn resized(old: &Value, body: &Value, way: Way, is_asked: bool) -> Vec<Value> {
    let bodies = match (way, body) {
        (Way::Put, _) => vec![body.clone()],
        (Way::Apply, _) => patched(old, body, true),
        (Way::Patch, Value::Array(_)) if is_asked => {
            json_patched(old, &lenient(old, body)).into_iter().collect()
        }
        (Way::Patch, _) => patched(old, body, false),
    };
    let mut answers: Vec<Value> = Vec::new();
    for body in bodies {
        let Some(mut answer) = with_resources_of(old, &body) else { continue };
        default_requests(&mut answer);
        if is_acceptable(old, &answer, is_asked) && !answers.contains(&answer) {
            answers.push(answer);
        }
    }
    answers
}

/// How a body is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is the object.
    Put,
    /// It is a patch, of some type.
    Patch,
    /// It is a manager's share of the object.
    Apply,
}

/// The operations as they are meant where a LimitRange may have added what they replace.
fn lenient(old: &Value, operations: &Value) -> Value {
    let mut lenient = Vec::new();
    let mut so_far = old.clone();
    for operation in operations.as_array().into_iter().flatten() {
        let text = |field| operation.get(field).and_then(Value::as_str).unwrap_or_default();
        let mut steps = Vec::new();
        let parents: Vec<&str> = text("path").split('/').collect();
        for depth in 5..parents.len() {
            // `/spec/containers/0/resources`, then what is in it
            let path = parents.get(..depth).unwrap_or_default().join("/");
            if parents.get(1) == Some(&"spec") && so_far.pointer(&path).is_none() {
                steps.push(json!({"op": "add", "path": path, "value": {}}));
            }
        }
        let is_there = so_far.pointer(text("path")).is_some();
        match text("op") {
            "test" | "remove" if !is_there => {}
            "replace" if !is_there => {
                steps.push(
                    json!({"op": "add", "path": text("path"), "value": operation.get("value")}),
                );
            }
            _ => steps.push(operation.clone()),
        }
        if let Some(next) = json_patched(&so_far, &Value::Array(steps.clone())) {
            so_far = next;
        }
        lenient.append(&mut steps);
    }
    Value::Array(lenient)
}

/// `old` with the resources of `body`; `None` where that has other containers, which is refused.
fn with_resources_of(old: &Value, body: &Value) -> Option<Value> {
    let names = |pod| containers(pod).map(|(list, _, one)| (list, name(one))).collect::<Vec<_>>();
    if names(old) != names(body) {
        return None;
    }
    let mut answer = old.clone();
    for (list, index, container) in containers(body) {
        put_resources(container_mut(&mut answer, list, index)?, container);
    }
    put_resources(answer.get_mut("spec")?, body.get("spec")?);
    Some(answer)
}

fn put_resources(holder: &mut Value, from: &Value) {
    let Some(fields) = holder.as_object_mut() else { return };
    match from.get("resources") {
        Some(resources) => drop(fields.insert("resources".to_owned(), resources.clone())),
        None => drop(fields.remove("resources")),
    }
}

/// Gives a limit without a request one of the same amount, as the API server does.
pub(super) fn default_requests(pod: &mut Value) {
    for list in LISTS {
        let items = pod.get_mut("spec").and_then(|spec| spec.get_mut(list));
        for container in items.and_then(Value::as_array_mut).into_iter().flatten() {
            for resource in ["memory", "cpu"] {
                let limit = amount(container, "limits", resource).cloned();
                if let (Some(limit), None) = (limit, amount(container, "requests", resource)) {
                    set(container, "requests", resource, limit);
                }
            }
        }
    }
}

/// Whether the API server takes it: nothing is removed, and the pod keeps its class.
fn is_acceptable(old: &Value, new: &Value, is_asked: bool) -> bool {
    let keeps = |old: &Value, new: &Value| {
        AMOUNTS.iter().all(|(list, resource)| {
            amount(old, list, resource).is_none() || amount(new, list, resource).is_some()
        })
    };
    let kept =
        containers(old).zip(containers(new)).all(|((_, _, old), (_, _, new))| keeps(old, new));
    let of_pod = old.get("spec").zip(new.get("spec")).is_some_and(|(old, new)| keeps(old, new));
    kept && of_pod && (is_asked || is_guaranteed(old) == is_guaranteed(new))
}

/// Whether every container has limits of both, and asks for as much.
fn is_guaranteed(pod: &Value) -> bool {
    let equal = |container: &Value, resource| {
        let text = |list| amount(container, list, resource).map(quantity);
        let (limit, request) = (text("limits"), text("requests"));
        match (limit.flatten(), request.flatten()) {
            (Some(limit), Some(request)) => !limit.is_zero() && limit == request,
            _ => false,
        }
    };
    let has_own = pod.get("spec").is_some_and(|spec| spec.get("resources").is_some());
    !has_own && containers(pod).all(|(_, _, one)| equal(one, "memory") && equal(one, "cpu"))
}

/// An amount, in text or as a number.
fn quantity(amount: &Value) -> Option<Quantity<'_>> {
    match amount {
        Value::String(text) => Quantity::parse(text.as_str()).ok(),
        number => Quantity::parse(number.to_string()).ok(),
    }
}

/// Whether memory grows, or may: growth waits where a node has no room for it.
pub(super) fn may_grow(old: &Value, new: &Value) -> bool {
    !agree(new, old, |new, old| match (new, old) {
        (Some(new), Some(old)) => new <= old,
        (new, old) => new.is_none() && old.is_none(),
    })
}

/// Whether both pods have the same resources, however they are written.
pub(super) fn same_resources(one: &Value, other: &Value) -> bool {
    agree(one, other, |one, other| one == other)
}

/// Whether `new` is what was asked for of `old`, as far as `old` had it: a LimitRange adds what was
/// not there. If it is not, another change came between, of which the log does not tell.
pub(super) fn is_as_asked(old: &Value, new: &Value, asked: &Value) -> bool {
    same_resources(&with_only(asked, old), &with_only(new, old))
}

/// `pod` with those amounts alone that `old` has as well.
fn with_only(pod: &Value, old: &Value) -> Value {
    let mut only = pod.clone();
    for (list, index, container) in containers(pod) {
        let had = old.get("spec").and_then(|spec| spec.get(list)).and_then(|list| list.get(index));
        for (kind, resource) in AMOUNTS {
            if had.is_none_or(|had| amount(had, kind, resource).is_none())
                && amount(container, kind, resource).is_some()
                && let Some(container) = container_mut(&mut only, list, index)
            {
                set(container, kind, resource, Value::Null);
            }
        }
    }
    for (kind, resource) in AMOUNTS {
        let lacks =
            |pod: &Value| pod.get("spec").is_none_or(|spec| amount(spec, kind, resource).is_none());
        if lacks(old)
            && !lacks(pod)
            && let Some(spec) = only.get_mut("spec")
        {
            set(spec, kind, resource, Value::Null);
        }
    }
    only
}

/// Whether every two amounts of the containers, and of the pods themselves, are as `same` wants.
fn agree(
    one: &Value,
    other: &Value,
    same: impl Fn(Option<Quantity<'_>>, Option<Quantity<'_>>) -> bool,
) -> bool {
    let agrees = |one: &Value, other: &Value| {
        AMOUNTS.iter().all(|(list, resource)| {
            let of = |holder| amount(holder, list, resource).and_then(quantity);
            same(of(one), of(other))
        })
    };
    let of_pod =
        one.get("spec").zip(other.get("spec")).is_none_or(|(one, other)| agrees(one, other));
    of_pod
        && containers(one)
            .zip(containers(other))
            .all(|((_, _, one), (_, _, other))| agrees(one, other))
}

/// The pods before and after as they may have been where a LimitRange added what nobody asked for:
/// the same as is asked for now, more, or less.
pub(super) fn with_hidden_defaults(old: &Value, new: &Value) -> Vec<Value> {
    let hidden: Vec<_> = containers(new)
        .flat_map(|(list, index, one)| AMOUNTS.map(move |what| (list, index, one, what)))
        .filter_map(|(list, index, one, (kind, resource))| {
            let asked = amount(one, kind, resource)?;
            let before = old.get("spec")?.get(list)?.get(index)?;
            amount(before, kind, resource).is_none().then_some((list, index, kind, resource, asked))
        })
        .collect();
    if hidden.is_empty() {
        return Vec::new();
    }
    let with = |choose: &dyn Fn(&str, &Value) -> Value| {
        let mut pod = old.clone();
        for (list, index, kind, resource, asked) in &hidden {
            if let Some(container) = container_mut(&mut pod, list, *index) {
                set(container, kind, resource, choose(resource, asked));
            }
        }
        pod
    };
    let [more, less] = extremes();
    vec![
        with(&|_, asked| asked.clone()),
        with(&|resource, _| more(resource)),
        with(&|resource, _| less(resource)),
    ]
}

fn extremes() -> [impl Fn(&str) -> Value; 2] {
    [true, false].map(|is_more| {
        move |resource: &str| {
            let row = EXTREMES.iter().find(|row| row.0 == resource);
            row.map_or(Value::Null, |row| json!(if is_more { row.1 } else { row.2 }))
        }
    })
}

/// A new pod as it may be where a LimitRange adds what its containers do not name of memory.
pub(super) fn with_limit_range(pod: &Value) -> Vec<Value> {
    let lacks = |one: &Value| amount(one, "limits", "memory").is_none();
    if !containers(pod).any(|(_, _, one)| lacks(one)) {
        return Vec::new();
    }
    extremes()
        .iter()
        .map(|extreme| {
            let mut filled = pod.clone();
            for (list, index, _) in containers(pod).filter(|(_, _, one)| lacks(one)) {
                let Some(container) = container_mut(&mut filled, list, index) else { continue };
                set(container, "limits", "memory", extreme("memory"));
                if amount(container, "requests", "memory").is_none() {
                    set(container, "requests", "memory", json!("1"));
                }
            }
            filled
        })
        .collect()
}

/// `old` with a status that says that it has no more than `new` asks for: what it may have where
/// nobody saw its status since it was resized.
pub(super) fn with_less(old: &Value, new: &Value) -> Value {
    let mut pod = old.clone();
    let resources = |one: &Value| one.get("resources").cloned().unwrap_or(json!({}));
    let statuses: Vec<_> = containers(new)
        .map(|(_, _, one)| json!({"name": name(one), "resources": resources(one)}))
        .collect();
    let generation =
        old.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
    let condition = json!({
        "type": "PodResizePending", "status": "True", "reason": "Deferred",
        "observedGeneration": generation,
    });
    let own = new.get("spec").map(resources).unwrap_or_default();
    if let Some(metadata) = pod.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("generation".to_owned(), json!(generation));
    }
    if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
        spec.entry("nodeName").or_insert(json!("node"));
    }
    if let Some(fields) = pod.as_object_mut() {
        let status =
            json!({"conditions": [condition], "containerStatuses": statuses, "resources": own});
        fields.insert("status".to_owned(), status);
    }
    pod
}

#[cfg(test)]
mod tests;
