//! The AdmissionReview around the objects.

use bytes::Bytes;

use crate::json::{Json, list, object};

/// The `uid` of every review.
const UID: &str = "bf5d9867-fdbc-45ed-8049-01f043a3b5ac";

/// `CREATE` of `pods`.
pub(super) fn create(name: &str, pod: Json) -> anyhow::Result<Bytes> {
    let options =
        object! { "kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-create", "fieldValidation": "Strict" };
    review(head("CREATE", None, name), pod, Json::Null, options)
}

/// `UPDATE` of `pods/resize`.
pub(super) fn resize(name: &str, pod: Json, old: Json) -> anyhow::Result<Bytes> {
    let options = object! { "kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-patch" };
    review(head("UPDATE", Some("resize"), name), pod, old, options)
}

/// What stands before the objects.
fn head(operation: &str, subresource: Option<&str>, name: &str) -> Json {
    let kind = || object! { "group": "", "version": "v1", "kind": "Pod" };
    let resource = || object! { "group": "", "version": "v1", "resource": "pods" };
    let user = object! {
        "username": "anna@example.com",
        "groups": list!["platform", "sre", "system:authenticated"],
        "extra": object! { "authentication.kubernetes.io/credential-id": list!["X509SHA256=b4d46f59dd45e9047fa1f586abaef6273c6c49e4577db192588e1947bf8bab38"] },
    };
    let mut head = object! { "uid": UID, "kind": kind(), "resource": resource() };
    if let Some(subresource) = subresource {
        head = head.with("subResource", subresource);
    }
    head = head.with("requestKind", kind()).with("requestResource", resource());
    if let Some(subresource) = subresource {
        head = head.with("requestSubResource", subresource);
    }
    head.with("name", name).with("namespace", "shop").with("operation", operation).with("userInfo", user)
}

fn review(head: Json, pod: Json, old: Json, options: Json) -> anyhow::Result<Bytes> {
    let request = head.with("object", pod).with("oldObject", old).with("dryRun", false).with("options", options);
    let review = object! { "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request };
    Ok(Bytes::from(review.to_text()?))
}
