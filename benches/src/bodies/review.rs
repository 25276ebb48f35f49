//! The AdmissionReview around the objects.

use super::json::{Json, list, object};

/// The `uid` of every review.
const UID: &str = "bf5d9867-fdbc-45ed-8049-01f043a3b5ac";

/// `CREATE` of `pods`.
pub(super) fn create_pod(name: &str, pod: Json) -> serde_json::Result<String> {
    review(head("CREATE", &POD, None, name), pod, Json::Null, create_options())
}

/// `CREATE` of `deployments`.
pub(super) fn create_deployment(name: &str, deployment: Json) -> serde_json::Result<String> {
    review(head("CREATE", &DEPLOYMENT, None, name), deployment, Json::Null, create_options())
}

/// `UPDATE` of `pods/resize`.
pub(super) fn resize(name: &str, pod: Json, old: Json) -> serde_json::Result<String> {
    let options = object! { "kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-patch" };
    review(head("UPDATE", &POD, Some("resize"), name), pod, old, options)
}

/// A kind of object, and how requests call it.
struct Kind {
    group: &'static str,
    kind: &'static str,
    resource: &'static str,
}

const POD: Kind = Kind { group: "", kind: "Pod", resource: "pods" };
const DEPLOYMENT: Kind = Kind { group: "apps", kind: "Deployment", resource: "deployments" };

fn create_options() -> Json {
    object! { "kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-create", "fieldValidation": "Strict" }
}

/// What stands before the objects.
fn head(operation: &str, kind: &Kind, subresource: Option<&str>, name: &str) -> Json {
    let group_version_kind = || object! { "group": kind.group, "version": "v1", "kind": kind.kind };
    let resource = || object! { "group": kind.group, "version": "v1", "resource": kind.resource };
    let user = object! {
        "username": "anna@example.com",
        "groups": list!["platform", "sre", "system:authenticated"],
        "extra": object! { "authentication.kubernetes.io/credential-id": list!["X509SHA256=b4d46f59dd45e9047fa1f586abaef6273c6c49e4577db192588e1947bf8bab38"] },
    };
    let mut head = object! { "uid": UID, "kind": group_version_kind(), "resource": resource() };
    if let Some(subresource) = subresource {
        head = head.with("subResource", subresource);
    }
    head = head.with("requestKind", group_version_kind()).with("requestResource", resource());
    if let Some(subresource) = subresource {
        head = head.with("requestSubResource", subresource);
    }
    head.with("name", name)
        .with("namespace", "shop")
        .with("operation", operation)
        .with("userInfo", user)
}

fn review(head: Json, object: Json, old: Json, options: Json) -> serde_json::Result<String> {
    let request = head
        .with("object", object)
        .with("oldObject", old)
        .with("dryRun", false)
        .with("options", options);
    object! { "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request }
        .to_text()
}
