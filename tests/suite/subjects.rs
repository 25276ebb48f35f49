//! Subjects made of manifests, through the same decoder as the server's.

use serde_json::{Value, json};

use restraint::approval::{Agreement, Floors, STAMP_ANNOTATION, Stamp, StampTarget};
use restraint::judge::subject::{Resource, Subject};

/// The recorded reviews: name and bytes, in order of name.
pub(crate) fn recorded() -> Vec<(String, Vec<u8>)> {
    let mut reviews: Vec<_> =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reviews"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .map(|path| {
                (
                    path.file_stem().unwrap().to_str().unwrap().to_owned(),
                    std::fs::read(&path).unwrap(),
                )
            })
            .collect();
    reviews.sort();
    reviews
}

/// `pod` with an approval of any decrease, sealed as far as [`examine`] is concerned.
pub(crate) fn approved(mut pod: Value) -> Value {
    pod["metadata"]["uid"] = "uid-1".into();
    pod["metadata"]["generation"] = 3.into();
    let agreement = Agreement {
        approver: "alice".to_owned(),
        memory: Floors::Any,
        granted: "2026-11-21T11:30:00Z".parse().unwrap(),
        lifetime: "1h".parse().unwrap(),
        uid: "uid-1".to_owned(),
        generation: 3,
        unscheduled: false,
        force: false,
        reason: Some("INC-4711".to_owned()),
    };
    let place = StampTarget { namespace: "shop", name: "db-0", dry_run: false };
    let stamp = Stamp::of(agreement).sealed(place, "k1", |_| "genuine".to_owned());
    pod["metadata"]["annotations"][STAMP_ANNOTATION] = stamp.text().into();
    pod
}

/// Adds what the server looks up: it is noon of 2026-11-21, and a stamp whose seal is the word
/// `genuine` is sealed.
pub(crate) fn examine(subject: &mut Subject<'_>) {
    subject.examine_stamp(|_, _, seal| seal == "genuine");
    subject.evidence.now = Some("2026-11-21T12:00:00Z".parse().unwrap());
    subject.evidence.can_seal = true;
}

/// The review of creating `object`.
pub(crate) fn creation(object: &Value) -> Vec<u8> {
    review("CREATE", "", object, &Value::Null)
}

/// The review of updating `old` to `new`.
pub(crate) fn update(old: &Value, new: &Value) -> Vec<u8> {
    review("UPDATE", "", new, old)
}

/// The review of deleting `old`.
pub(crate) fn deletion(old: &Value) -> Vec<u8> {
    let mut review: Value = serde_json::from_slice(&review("DELETE", "", old, old)).unwrap();
    review["request"]["object"] = Value::Null;
    serde_json::to_vec(&review).unwrap()
}

/// The review of resizing the pod `old` to `new`.
pub(crate) fn resize(old: &Value, new: &Value) -> Vec<u8> {
    review("UPDATE", "resize", new, old)
}

/// The review of changing the pod `old` to `new` through a subresource.
pub(crate) fn through(old: &Value, new: &Value, subresource: &str) -> Vec<u8> {
    match subresource {
        "binding" => review("CREATE", subresource, new, &Value::Null),
        "bindings" => {
            let mut binding = new.clone();
            binding["kind"] = json!("Binding");
            let mut review: Value =
                serde_json::from_slice(&review("CREATE", "", &binding, &Value::Null)).unwrap();
            review["request"]["resource"]["resource"] = json!("bindings");
            review["request"]["name"] = json!("");
            serde_json::to_vec(&review).unwrap()
        }
        _ => review("UPDATE", subresource, new, old),
    }
}

fn review(operation: &str, subresource: &str, object: &Value, old: &Value) -> Vec<u8> {
    let group =
        object["apiVersion"].as_str().unwrap().split_once('/').map_or("", |(group, _)| group);
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
