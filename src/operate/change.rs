//! What a resize changes, amount by amount, and the patch that asks for it.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::kube::quantity::Quantity;
use crate::manifest::unstructured::Unstructured;

/// One amount that differs between two states of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    /// The container; `None` for the pod itself.
    pub(super) container: Option<String>,
    /// `limits` or `requests`.
    pub(super) list: &'static str,
    /// `memory` or `cpu`.
    pub(super) resource: &'static str,
    /// What is there.
    pub(super) from: Option<String>,
    /// What is to be there.
    pub(super) to: Option<String>,
}

/// Where a pod keeps resources: a JSON pointer, and the container's name.
type Place<'p> = (String, Option<&'p str>, &'p Value);

/// Every amount of cpu and memory in which `to` differs from `from`. `512Mi` and `0.5Gi` do not.
pub(super) fn changes(from: &Unstructured, to: &Unstructured) -> Vec<Change> {
    let mut changes = Vec::new();
    let wanted = places(to);
    for (pointer, container, old) in places(from) {
        let found = wanted.iter().find(|(other, ..)| *other == pointer);
        let new = found.map_or(&Value::Null, |(_, _, resources)| resources);
        for list in ["requests", "limits"] {
            for resource in ["cpu", "memory"] {
                let text = |resources: &Value| {
                    resources.get(list)?.get(resource)?.as_str().map(str::to_owned)
                };
                let (from, to) = (text(old), text(new));
                if !same(from.as_deref(), to.as_deref()) {
                    let container = container.map(str::to_owned);
                    changes.push(Change { container, list, resource, from, to });
                }
            }
        }
    }
    changes
}

/// The JSON patch that makes `from` into `to`, and fails where the pod is another by now or has
/// other resources.
pub(super) fn patch(from: &Unstructured, to: &Unstructured) -> Value {
    let mut operations = Vec::new();
    let test = |path: &str, value: &Value| json!({"op": "test", "path": path, "value": value});
    if let Some(uid) = from.value().pointer("/metadata/uid") {
        operations.push(test("/metadata/uid", uid));
    }
    let wanted = places(to);
    for (pointer, container, old) in places(from) {
        let Some((_, _, new)) = wanted.iter().find(|(other, ..)| *other == pointer) else {
            continue;
        };
        if old == *new {
            continue;
        }
        if let Some(name) = container {
            operations.push(test(&format!("{pointer}/name"), &name.into()));
        }
        let path = format!("{pointer}/resources");
        let operation = if old.is_null() { "add" } else { "replace" };
        if !old.is_null() {
            operations.push(test(&path, old));
        }
        operations.push(json!({"op": operation, "path": path, "value": new}));
    }
    Value::Array(operations)
}

/// `to` with the resources of `from`: the way back.
pub(super) fn put_back(from: &Unstructured, to: &Unstructured) -> Unstructured {
    let mut value = to.value().clone();
    for (pointer, _, old) in places(from) {
        let Some(holder) = value.pointer_mut(&pointer).and_then(Value::as_object_mut) else {
            continue;
        };
        if old.is_null() {
            holder.remove("resources");
        } else {
            holder.insert("resources".to_owned(), old.clone());
        }
    }
    to.with(value)
}

/// The containers of the pod, and the pod itself.
fn places(pod: &Unstructured) -> Vec<Place<'_>> {
    let none = &Value::Null;
    let Some(spec) = pod.value().get("spec") else { return Vec::new() };
    let mut places = vec![("/spec".to_owned(), None, spec.get("resources").unwrap_or(none))];
    for list in ["initContainers", "containers"] {
        let containers = spec.get(list).and_then(Value::as_array).into_iter().flatten();
        for (index, container) in containers.enumerate() {
            let name = container.get("name").and_then(Value::as_str);
            let resources = container.get("resources").unwrap_or(none);
            places.push((format!("/spec/{list}/{index}"), name, resources));
        }
    }
    places
}

fn read(text: Option<&str>) -> Option<Quantity<'_>> {
    text.and_then(|text| Quantity::parse(text).ok())
}

fn same(one: Option<&str>, other: Option<&str>) -> bool {
    one == other || read(one).is_some_and(|one| read(other).is_some_and(|other| one == other))
}

impl Change {
    /// Whether it asks for more.
    pub(super) fn is_growth(&self) -> bool {
        self.order() == Ordering::Greater
    }

    /// A limit that was none was more than any.
    fn order(&self) -> Ordering {
        let (from, to) = (read(self.from.as_deref()), read(self.to.as_deref()));
        match (from, to, self.list) {
            (Some(from), Some(to), _) => to.partial_cmp(&from).unwrap_or(Ordering::Equal),
            (None, Some(_), "requests") => Ordering::Greater,
            (None, Some(_), _) => Ordering::Less,
            (Some(_), None, "requests") => Ordering::Less,
            (Some(_), None, _) => Ordering::Greater,
            (None, None, _) => Ordering::Equal,
        }
    }

    /// Whether it is one of limits.
    pub(super) fn is_of_limits(&self) -> bool {
        self.list == "limits"
    }

    /// The container, or `@pod` as approvals write it.
    fn whose(&self) -> &str {
        self.container.as_deref().unwrap_or("@pod")
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self.list.trim_end_matches('s');
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "none".to_owned());
        let (from, to) = (side(&self.from), side(&self.to));
        write!(formatter, "{} {} {list} {from} -> {to}", self.whose(), self.resource)
    }
}

/// Changes in a line.
pub(super) fn listed(changes: &[Change]) -> String {
    changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::explain::wanted::{Wish, resize_wanted};

    use super::*;

    fn pod(resources: &Value) -> Unstructured {
        let containers =
            json!([{"name": "app", "resources": resources}, {"name": "side", "resources": {}}]);
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "uid": "u"}, "spec": {"containers": containers}});
        Unstructured::of(pod, "shop").unwrap()
    }

    fn wanted(from: &Unstructured, amount: &str) -> Unstructured {
        resize_wanted(from, &[Wish::parse(amount, "limits", "memory").unwrap()]).unwrap()
    }

    #[test]
    fn the_patch_tests_what_it_replaces() {
        let from = pod(&json!({"limits": {"cpu": "1", "memory": "512Mi"}}));
        let to = wanted(&from, "app=1Gi");
        let expected = json!([
            {"op": "test", "path": "/metadata/uid", "value": "u"},
            {"op": "test", "path": "/spec/containers/0/name", "value": "app"},
            {"op": "test", "path": "/spec/containers/0/resources", "value": {"limits": {"cpu": "1", "memory": "512Mi"}}},
            {"op": "replace", "path": "/spec/containers/0/resources", "value": {"limits": {"cpu": "1", "memory": "1Gi"}}},
        ]);
        assert_eq!(patch(&from, &to), expected);
        assert_eq!(listed(&changes(&from, &to)), "app memory limit 512Mi -> 1Gi");
        let back = put_back(&from, &to);
        assert_eq!(changes(&from, &back), []);
        assert_eq!(listed(&changes(&to, &back)), "app memory limit 1Gi -> 512Mi");
    }

    #[test]
    fn the_same_amount_in_other_words_is_no_change() {
        let from = pod(&json!({"limits": {"memory": "512Mi"}}));
        assert_eq!(changes(&from, &wanted(&from, "app=536870912")), []);
    }

    #[test]
    fn a_first_limit_takes_and_a_first_request_asks_for_more() {
        let change = |list: &'static str, from: Option<&str>, to: &str| Change {
            container: Some("app".to_owned()),
            list,
            resource: "memory",
            from: from.map(str::to_owned),
            to: Some(to.to_owned()),
        };
        assert!(change("limits", Some("512Mi"), "1Gi").is_growth());
        assert!(!change("limits", Some("1Gi"), "512Mi").is_growth());
        assert!(!change("limits", None, "1Gi").is_growth());
        assert!(change("requests", None, "1Gi").is_growth());
    }
}
