//! The change of a large ConfigMap, and who uses it.

use std::sync::Arc;

use restraint::judge::subject::{Resource, Subject};
use restraint::kube::config_user::ConfigUser;
use restraint::rules::config_users::config_user_in;
use serde_json::{Value, json};

/// The keys of it.
const KEYS: usize = 90;

/// The bytes of a value: all together the largest that Kubernetes takes, less a little.
const VALUE: usize = 10_000;

/// Who takes variables from it.
const USERS: usize = 50;

/// The review of an UPDATE of one key in 900 KB.
pub(crate) fn update() -> String {
    let map = |port: &str, level: &str| {
        let line = format!("listen: {port} # every line of the file is like this one\\n");
        let lines = line.repeat(VALUE / line.len());
        let data = (0..KEYS).map(|key| (format!("part-{key:02}.yaml"), json!(lines)));
        let mut data: serde_json::Map<String, Value> = data.collect();
        data.insert("LEVEL".to_owned(), json!(level));
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app", "namespace": "shop", "uid": "1"}, "data": data})
    };
    let (new, old) = (map("8080", "8080"), map("8080", "info"));
    let kind = json!({"group": "", "version": "v1", "kind": "ConfigMap"});
    let resource = json!({"group": "", "version": "v1", "resource": "configmaps"});
    let request = json!({
        "uid": "bf5d9867-fdbc-45ed-8049-01f043a3b5ac", "kind": kind, "resource": resource, "name": "app", "namespace": "shop",
        "operation": "UPDATE", "userInfo": {"username": "anna@example.com", "groups": ["system:authenticated"]},
        "object": new, "oldObject": old, "dryRun": false,
    });
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
        .to_string()
}

/// Lets `subject`, such a change, know who uses the ConfigMap.
pub(crate) fn tell_users(subject: &mut Subject<'_>) {
    if subject.resource == Resource::ConfigMap {
        subject.evidence.config_users = Some(Arc::new((0..USERS).filter_map(user).collect()));
    }
}

fn user(index: usize) -> Option<ConfigUser> {
    let variable =
        json!({"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "LEVEL"}}});
    let container = json!({"name": "app", "image": "web:1", "env": [variable], "envFrom": [{"configMapRef": {"name": "app"}}]});
    let template = json!({"spec": {"containers": [container]}});
    let web = json!({"metadata": {"name": format!("web-{index:02}"), "namespace": "shop"}, "spec": {"template": template}});
    config_user_in(Resource::Deployment, &web.to_string())
}
