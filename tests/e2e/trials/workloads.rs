//! Workloads: every kind passes, and their owners are warned.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::pods::pod;
use crate::world::enforcing;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    let kinds = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"];
    let kinds = kinds.map(|kind| trial(format!("workloads: a {kind} is created and updated unchanged"), move || a_kind(kind)));
    let rest = [
        trial("workloads: a subPath mount in a Deployment is warned about, once", a_subpath_mount),
        trial("workloads: a file watch in a Deployment is warned about", a_file_watch),
        trial("workloads: an approval in a template is warned about", an_approval_in_a_template),
    ];
    kinds.into_iter().chain(rest).collect()
}

fn a_kind(kind: &str) {
    let space = enforcing().space();
    let spec = pod("app")["spec"].take();
    let outcome = space.create(&workload(kind, &template(spec))).accepted();
    outcome.assert_warnings(&[]);
    let stored = outcome.object();
    let container = &pod_template(&stored)["spec"]["containers"][0];
    assert_eq!(container["name"], "app", "{stored}");
    assert!(container["resizePolicy"].is_null(), "templates are never changed: {container}");

    let patch = match kind {
        // its template cannot be changed
        "Job" => json!({"spec": {"backoffLimit": 3}}),
        "CronJob" => json!({"spec": {"schedule": "30 3 * * *"}}),
        "DaemonSet" => json!({"spec": {"minReadySeconds": 3}}),
        _ => json!({"spec": {"replicas": 3}}),
    };
    space.kubectl().run(&["patch", kind, "app", "--patch", &patch.to_string()]).accepted();
    let reviews = space.reviews();
    let operations: Vec<_> = reviews.iter().map(|review| review["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["CREATE", "UPDATE"], "both were judged");
}

fn a_subpath_mount() {
    let space = enforcing().space();
    let mut spec = pod("app")["spec"].take();
    spec["volumes"] = json!([{"name": "config", "configMap": {"name": "app-config"}}]);
    spec["containers"][0]["volumeMounts"] = json!([{"name": "config", "mountPath": "/etc/app.yaml", "subPath": "app.yaml"}]);
    let outcome = space.create(&workload("Deployment", &template(spec))).accepted();
    outcome.assert_warnings(&["subpath-config-mount: container \"app\": ConfigMap \"app-config\""]);
    let scale = json!({"spec": {"replicas": 3}}).to_string();
    let outcome = space.kubectl().run(&["patch", "deployment", "app", "--patch", &scale]).accepted();
    outcome.assert_warnings(&[]); // it was there before
    let outcome = space.kubectl().run(&["label", "deployment", "app", "tier=gold"]).accepted();
    outcome.assert_warnings(&[]);
}

fn a_file_watch() {
    let space = enforcing().space();
    let script = "while inotifywait -e modify /etc/nginx/conf.d/default.conf; do nginx -s reload; done";
    let spec = json!({
        "volumes": [{"name": "config", "configMap": {"name": "nginx-config"}}],
        "containers": [{
            "name": "reloader",
            "image": "ghcr.io/example/inotify:1",
            "command": ["/bin/sh", "-c", script],
            "volumeMounts": [{"name": "config", "mountPath": "/etc/nginx/conf.d"}],
        }],
    });
    let outcome = space.create(&workload("Deployment", &template(spec))).accepted();
    outcome.assert_warnings(&["file-watch: container \"reloader\": "]);
}

fn an_approval_in_a_template() {
    let space = enforcing().space();
    let mut template = template(pod("app")["spec"].take());
    template["metadata"]["annotations"] = json!({"approved-by-sre": "true"});
    for kind in ["Deployment", "CronJob"] {
        let outcome = space.create(&workload(kind, &template)).accepted();
        outcome.assert_warnings(&["approval-in-template: annotation \"approved-by-sre\""]);
        assert_eq!(pod_template(&outcome.object())["metadata"]["annotations"], json!({"approved-by-sre": "true"}));
    }
}

fn template(spec: Value) -> Value {
    json!({"metadata": {"labels": {"app": "app"}}, "spec": spec})
}

fn workload(kind: &str, template: &Value) -> Value {
    let selector = json!({"matchLabels": {"app": "app"}});
    let mut once = template.clone();
    once["spec"]["restartPolicy"] = json!("OnFailure");
    let (version, spec) = match kind {
        "StatefulSet" => ("apps/v1", json!({"serviceName": "app", "selector": selector, "template": template})),
        "ReplicationController" => ("v1", json!({"selector": {"app": "app"}, "template": template})),
        "Job" => ("batch/v1", json!({"template": once})),
        "CronJob" => ("batch/v1", json!({"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": once}}})),
        _ => ("apps/v1", json!({"selector": selector, "template": template})),
    };
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": "app"}, "spec": spec})
}

/// The template, wherever the kind keeps it.
fn pod_template(workload: &Value) -> &Value {
    let spec = &workload["spec"];
    if workload["kind"] == "CronJob" { &spec["jobTemplate"]["spec"]["template"] } else { &spec["template"] }
}
