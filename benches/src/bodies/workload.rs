//! A Deployment as it comes out of the API server's defaulting, with faults.

use super::json::{Json, list, object};
use super::pod::{self, Managed};

/// A Deployment of these containers and one more, which has ten faults that the client is warned
/// of.
pub(super) fn faulty(containers: &[Json]) -> Json {
    let containers = [&[legacy()], containers].concat();
    let metadata = object! { "creationTimestamp": Json::Null, "labels": pod::labels("shop") };
    let template = object! { "metadata": metadata, "spec": pod::spec(Vec::new(), containers) };
    let rolling = object! { "maxUnavailable": "25%", "maxSurge": "25%" };
    let spec = object! {
        "replicas": 3,
        "selector": object! { "matchLabels": pod::labels("shop") },
        "template": template,
        "strategy": object! { "type": "RollingUpdate", "rollingUpdate": rolling },
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    };
    let metadata = object! {
        "name": "shop",
        "namespace": "shop",
        "labels": pod::labels("shop"),
        "managedFields": list![Managed::new("kubectl-create", "", spec.clone()).to_json()],
    };
    object! { "kind": "Deployment", "apiVersion": "apps/v1", "metadata": metadata, "spec": spec, "status": object! {} }
}

/// A container with ten faults: files that never update, a heap and variables that a resize leaves
/// as they are, a hook that never ends, a probe that restarts all replicas at once.
fn legacy() -> Json {
    let mount = |path: &str| object! { "name": "config", "mountPath": format!("/opt/shop/{path}"), "subPath": path };
    let field = |resource: &str| {
        let field = object! { "containerName": "legacy", "resource": resource, "divisor": "0" };
        object! { "name": resource.to_uppercase().replace('.', "_"), "valueFrom": object! { "resourceFieldRef": field } }
    };
    let exec = |script: &str| object! { "exec": object! { "command": list!["sh", "-c", script] } };
    let policy =
        |resource: &str| object! { "resourceName": resource, "restartPolicy": "NotRequired" };
    object! {
        "name": "legacy",
        "image": "registry.example.com/shop/legacy:1.9.0",
        "command": list!["java", "-Xmx1g", "-jar", "/app/shop.jar"],
        "env": list![field("limits.memory"), field("requests.memory")],
        "resources": pod::resources("2Gi"),
        "resizePolicy": list![policy("cpu"), policy("memory")],
        "volumeMounts": list![
            mount("a.yaml"),
            mount("b.yaml"),
            mount("c.yaml"),
            mount("d.yaml"),
            mount("e.yaml"),
            object! { "name": "config", "readOnly": true, "mountPath": "/etc/shop" },
        ],
        "livenessProbe": exec("md5sum /etc/shop/config.yaml | cmp -s - /tmp/sum"),
        "lifecycle": object! { "postStart": exec("while true; do sleep 5; done") },
        "imagePullPolicy": "IfNotPresent",
    }
}
