//! What the spec of a pod says, wherever it stands.

use serde_json::Value;

use crate::kube::quantity::Quantity;

/// Every container of a spec: the list it stands in, and itself.
pub(super) fn containers(spec: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    ["initContainers", "containers"].into_iter().flat_map(move |list| {
        let items = spec.get(list).and_then(Value::as_array).into_iter().flatten();
        items.map(move |item| (list, item))
    })
}

/// The container of this name.
pub(super) fn container<'v>(spec: &'v Value, name: &str) -> Option<(&'static str, &'v Value)> {
    containers(spec).find(|(_, container)| name_of(container) == name)
}

pub(super) fn name_of(value: &Value) -> &str {
    value.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// Whether it is an init container that runs to its end.
pub(super) fn is_plain_init(list: &str, container: &Value) -> bool {
    list == "initContainers"
        && container.get("restartPolicy").and_then(Value::as_str) != Some("Always")
}

/// An amount of `resources`: `list` is `requests` or `limits`.
pub(super) fn amount(holder: &Value, list: &str, resource: &str) -> Option<Quantity<'static>> {
    Quantity::parse(amount_text(holder.get("resources")?.get(list)?.get(resource)?)?).ok()
}

/// What `resizePolicy` says of a resource; empty where it says nothing.
pub(super) fn resize_policy<'v>(container: &'v Value, resource: &str) -> &'v str {
    let mut policies =
        container.get("resizePolicy").and_then(Value::as_array).into_iter().flatten();
    let policy = policies
        .find(|policy| policy.get("resourceName").and_then(Value::as_str) == Some(resource));
    policy.and_then(|policy| policy.get("restartPolicy")?.as_str()).unwrap_or_default()
}

/// The text of an amount: YAML has them as numbers, too.
pub(super) fn amount_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
