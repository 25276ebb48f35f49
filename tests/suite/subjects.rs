//! Subjects made of manifests, through the same decoder as the server's.

use serde_json::{Value, json};

use restraint::judge::subject::Resource;

/// The recorded reviews: name and bytes, in order of name.
pub(crate) fn recorded() -> Vec<(String, Vec<u8>)> {
    let mut reviews: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reviews"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    reviews.sort();
    reviews
}

/// The review of creating `object`.
pub(crate) fn creation(object: &Value) -> Vec<u8> {
    review("CREATE", "", object, &Value::Null)
}

/// The review of updating `old` to `new`.
pub(crate) fn update(old: &Value, new: &Value) -> Vec<u8> {
    review("UPDATE", "", new, old)
}

/// The review of resizing the pod `old` to `new`.
pub(crate) fn resize(old: &Value, new: &Value) -> Vec<u8> {
    review("UPDATE", "resize", new, old)
}

fn review(operation: &str, subresource: &str, object: &Value, old: &Value) -> Vec<u8> {
    let group = object["apiVersion"].as_str().unwrap().split_once('/').map_or("", |(group, _)| group);
    let resource = Resource::of_kind(group, object["kind"].as_str().unwrap());
    assert_ne!(resource, Resource::Other, "kind {}", object["kind"]);
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "11111111-2222-3333-4444-555555555555",
            "resource": {"group": group, "version": "v1", "resource": resource.plural()},
            "subResource": subresource,
            "name": object["metadata"]["name"],
            "namespace": object["metadata"]["namespace"].as_str().unwrap_or("shop"),
            "operation": operation,
            "userInfo": {"username": "developer", "groups": ["system:authenticated"]},
            "object": object,
            "oldObject": old,
            "dryRun": false,
        }
    });
    serde_json::to_vec(&review).unwrap()
}
