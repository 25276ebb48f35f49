//! What differs between two objects, place by place.

mod path;

use serde_json::{Map, Value};

use super::pod_spec::amount_text;
use super::schema::Shape;
use crate::kube::quantity::Quantity;

pub(super) use path::{Path, Step};

/// A place where two objects differ.
#[derive(Clone, Debug)]
pub(super) struct Difference<'v> {
    /// Where.
    pub(super) path: Path,
    /// The old value; `None` where there was none.
    pub(super) from: Option<&'v Value>,
    /// The new value; `None` where it is gone.
    pub(super) to: Option<&'v Value>,
}

/// What the API server, controllers and kubectl keep of their own in metadata.
const OWN_METADATA: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Annotations that tools keep of their own.
const OWN_ANNOTATIONS: [&str; 3] =
    ["deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation", LAST_APPLIED];

/// Where kubectl keeps what was applied last.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Objects that are told apart field by field even where one side has none.
const OPEN: [&str; 15] = [
    "annotations",
    "binaryData",
    "data",
    "jobTemplate",
    "labels",
    "limits",
    "matchLabels",
    "metadata",
    "requests",
    "resources",
    "rollingUpdate",
    "spec",
    "stringData",
    "template",
    "updateStrategy",
];

/// The differences between two objects as they are stored, of the same shape; `status` and what the
/// API server keeps for itself count for nothing.
pub(super) fn differences<'v>(
    shape: &Shape,
    old: &'v Value,
    new: &'v Value,
) -> Vec<Difference<'v>> {
    let mut found = Vec::new();
    compare(&Path::default(), shape, Some(old), Some(new), &mut found);
    found
}

fn compare<'v>(
    path: &Path,
    shape: &Shape,
    old: Option<&'v Value>,
    new: Option<&'v Value>,
    found: &mut Vec<Difference<'v>>,
) {
    let is_open = || path.last_field().is_some_and(|field| OPEN.contains(&field));
    match (old, new) {
        (None, None) => {}
        (Some(old), Some(new)) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            compare_fields(path, shape, Some(old), Some(new), found)
        }
        (Some(Value::Object(old)), None) if is_open() && !old.is_empty() => {
            compare_fields(path, shape, Some(old), None, found);
        }
        (None, Some(Value::Object(new))) if is_open() && !new.is_empty() => {
            compare_fields(path, shape, None, Some(new), found);
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if keyed(path, old, new).is_some() => {
            compare_items(path, shape.item(), old, new, found)
        }
        (Some(Value::Array(old)), Some(Value::Array(new)))
            if same_items(shape.item(), old, new) => {}
        (Some(old), Some(new)) if is_amount(path, shape) && same_amount(old, new) => {}
        _ => found.push(Difference { path: path.clone(), from: old, to: new }),
    }
}

/// Whether lists that count as one value are the same, in whatever words.
fn same_items(shape: &Shape, old: &[Value], new: &[Value]) -> bool {
    let same = |(old, new): (&Value, &Value)| {
        let mut found = Vec::new();
        compare(&Path::default(), shape, Some(old), Some(new), &mut found);
        found.is_empty()
    };
    old.len() == new.len() && old.iter().zip(new).all(same)
}

type Fields<'v> = Option<&'v Map<String, Value>>;

fn compare_fields<'v>(
    path: &Path,
    shape: &Shape,
    old: Fields<'v>,
    new: Fields<'v>,
    found: &mut Vec<Difference<'v>>,
) {
    let value = |fields: Fields<'v>, key: &str| fields.and_then(|fields| fields.get(key));
    let keys = |fields: Fields<'v>| fields.into_iter().flat_map(Map::keys);
    let added = keys(new).filter(|key| value(old, key).is_none());
    for key in keys(old).chain(added).filter(|key| !is_own(path, key)) {
        let shape = shape.field(key).unwrap_or(&Shape::Any);
        compare(&path.field(key), shape, value(old, key), value(new, key), found);
    }
}

/// Items are matched by name. Other places in the list count only where the same items are in
/// another order.
fn compare_items<'v>(
    path: &Path,
    shape: &Shape,
    old: &'v [Value],
    new: &'v [Value],
    found: &mut Vec<Difference<'v>>,
) {
    let Some(key) = keyed(path, old, new) else { return };
    let place = |list: &'v [Value], name: &str| {
        list.iter().enumerate().find(|(_, item)| key(item).as_deref() == Some(name))
    };
    for (index, item) in old.iter().enumerate() {
        let Some(name) = key(item) else { continue };
        match place(new, &name) {
            Some((index, other)) => {
                compare(&path.item(&name, index), shape, Some(item), Some(other), found)
            }
            None => {
                found.push(Difference { path: path.item(&name, index), from: Some(item), to: None })
            }
        }
    }
    for (index, item) in new.iter().enumerate() {
        let Some(name) = key(item).filter(|name| place(old, name).is_none()) else { continue };
        found.push(Difference { path: path.item(&name, index), from: None, to: Some(item) });
    }
}

/// How the items of both lists are told apart: by the first of these that each has, once. `None`
/// for lists that count as one value, and for the same items in another order.
fn keyed(path: &Path, old: &[Value], new: &[Value]) -> Option<fn(&Value) -> Option<String>> {
    let keys = [key_of, port_key];
    let key = keys.into_iter().find(|key| is_key(path, old, *key) && is_key(path, new, *key))?;
    let order = |list: &[Value], other: &[Value]| {
        let others: Vec<_> = other.iter().filter_map(key).collect();
        list.iter().filter_map(key).filter(|name| others.contains(name)).collect::<Vec<_>>()
    };
    (order(old, new) == order(new, old)).then_some(key)
}

fn is_key(path: &Path, list: &[Value], key: fn(&Value) -> Option<String>) -> bool {
    // atomic for the API server too
    if path.last_field() == Some("resizePolicy") {
        return false;
    }
    let names: Vec<_> = list.iter().map_while(key).collect();
    names.len() == list.len()
        && names
            .iter()
            .enumerate()
            .all(|(index, name)| !names.iter().take(index).any(|other| other == name))
}

/// What an item of a list is called: its mount path or its name.
pub(super) fn key_of(item: &Value) -> Option<String> {
    ["mountPath", "name"].into_iter().find_map(|field| item.get(field)?.as_str().map(str::to_owned))
}

fn port_key(item: &Value) -> Option<String> {
    let protocol = item.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
    ["containerPort", "port"]
        .into_iter()
        .find_map(|field| Some(format!("{}/{protocol}", item.get(field)?.as_u64()?)))
}

fn is_own(path: &Path, key: &str) -> bool {
    match path.steps() {
        [] => key == "status",
        [.., Step::Field(field)] if field == "metadata" => OWN_METADATA.contains(&key),
        [.., Step::Field(field)] if field == "annotations" => OWN_ANNOTATIONS.contains(&key),
        _ => false,
    }
}

/// Whether it is an amount, of a resource list where nothing is known of its kind.
fn is_amount(path: &Path, shape: &Shape) -> bool {
    *shape == Shape::Amount
        || *shape == Shape::Any
            && matches!(path.steps(), [.., Step::Field(list), Step::Field(_)] if list == "limits" || list == "requests")
}

fn same_amount(old: &Value, new: &Value) -> bool {
    let (Some(old), Some(new)) = (amount_text(old), amount_text(new)) else { return false };
    let (old, new) = (Quantity::parse(old), Quantity::parse(new));
    // what is finer than a thousandth is rounded up to one
    matches!((old, new), (Ok(old), Ok(new)) if old == new || old.milli_value().is_some_and(|amount| new.milli_value() == Some(amount)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(old: &Value, new: &Value) -> Vec<(String, bool, bool)> {
        let list = differences(&Shape::Any, old, new);
        list.iter()
            .map(|difference| {
                (difference.path.to_string(), difference.from.is_some(), difference.to.is_some())
            })
            .collect()
    }

    #[test]
    fn containers_are_matched_by_name() {
        let pod = |containers: Value| json!({"spec": {"containers": containers}});
        let (one, two) =
            (json!({"name": "a", "image": "a:1"}), json!({"name": "b", "image": "b:1"}));
        assert_eq!(found(&pod(json!([one, two])), &pod(json!([one, two]))), []);
        let changed = json!({"name": "b", "image": "b:2"});
        assert_eq!(
            found(&pod(json!([one, two])), &pod(json!([one, changed]))),
            [("spec.containers[b].image".to_owned(), true, true)]
        );
        assert_eq!(
            found(&pod(json!([one, two])), &pod(json!([two]))),
            [("spec.containers[a]".to_owned(), true, false)]
        );
        assert_eq!(
            found(&pod(json!([one, two])), &pod(json!([two, one]))),
            [("spec.containers".to_owned(), true, true)]
        );
    }

    #[test]
    fn amounts_in_other_words_are_the_same() {
        let pod = |memory: Value| json!({"spec": {"containers": [{"name": "a", "resources": {"limits": {"memory": memory}}}]}});
        assert_eq!(found(&pod(json!("1Gi")), &pod(json!("1024Mi"))), []);
        assert_eq!(found(&pod(json!(1024)), &pod(json!("1024"))), []);
        let field = "spec.containers[a].resources.limits.memory".to_owned();
        assert_eq!(found(&pod(json!("1Gi")), &pod(json!("1G"))), [(field.clone(), true, true)]);
        assert_eq!(
            found(&json!({"spec": {"containers": [{"name": "a"}]}}), &pod(json!("1Gi"))),
            [(field, false, true)]
        );
        // a sidecar is no plain init container
        let init = |policy: Value| json!({"spec": {"initContainers": [{"name": "p", "restartPolicy": policy}]}});
        assert_eq!(found(&init(Value::Null), &init(json!("Always"))).len(), 1);
    }

    #[test]
    fn what_the_api_server_keeps_counts_for_nothing() {
        let old = json!({"metadata": {"name": "a", "uid": "1", "annotations": {LAST_APPLIED: "{}"}}, "status": {"phase": "Running"}});
        assert_eq!(found(&old, &json!({"metadata": {"name": "a", "resourceVersion": "3"}})), []);
    }
}
