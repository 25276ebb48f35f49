//! The AdmissionReview that a case comes to.

use serde_json::{Value, json};

use crate::judge::subject::{Operation, Resource};

/// What a review is made of.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    /// What is written to.
    pub(super) resource: Resource,
    /// What is done, where the case says it.
    pub(super) operation: Option<Operation>,
    /// What is stored then; of a deletion what is stored before.
    pub(super) object: Value,
    /// What is stored before.
    pub(super) old: Option<Value>,
}

/// The review of `parts`.
pub(super) fn review(parts: &Parts, namespace: String, requester: Value) -> Value {
    let by_objects = if parts.old.is_some() { Operation::Update } else { Operation::Create };
    let (group, version, _) = words(&parts.object);
    let place = |object: &Value| placed(object.clone(), &namespace);
    let text = |pointer: &str| parts.object.pointer(pointer).and_then(Value::as_str);
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "00000000-0000-4000-8000-000000000000",
            "resource": {"group": group, "version": version, "resource": parts.resource.plural()},
            "subResource": parts.resource.subresource(),
            "name": text("/metadata/name").unwrap_or_default(),
            "namespace": namespace,
            "operation": parts.operation.unwrap_or(by_objects).as_str(),
            "userInfo": requester,
            "object": (parts.operation != Some(Operation::Delete)).then(|| place(&parts.object)),
            "oldObject": parts.old.as_ref().map(place),
            "dryRun": false,
        }
    })
}

/// `object` in `namespace`.
fn placed(mut object: Value, namespace: &str) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    object
}

/// Group, version and kind.
pub(super) fn words(object: &Value) -> (&str, &str, &str) {
    let word = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = word("apiVersion").split_once('/').unwrap_or(("", word("apiVersion")));
    (group, version, word("kind"))
}
