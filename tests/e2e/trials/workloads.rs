//! Workloads: every kind passes, and their owners are warned.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::pods::pod;
use crate::world::enforcing;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    let kinds = [
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "ReplicationController",
        "Job",
        "CronJob",
    ];
    let kinds = kinds.map(|kind| {
        trial(format!("workloads: a {kind} is created and updated unchanged"), move || a_kind(kind))
    });
    let rest = [
        trial("workloads: a subPath mount in a Deployment is warned about, once", a_subpath_mount),
        trial("workloads: a file watch in a Deployment is warned about", a_file_watch),
        trial("workloads: an approval in a template is warned about", an_approval_in_a_template),
        trial(
            "workloads: a misspelled annotation of Reloader's is warned about, unless the template says otherwise",
            a_misspelled_annotation,
        ),
        trial(
            "workloads: an annotation of Reloader's that is added later is judged, too",
            an_annotation_added_later,
        ),
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
    let operations: Vec<_> =
        reviews.iter().map(|review| review["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["CREATE", "UPDATE"], "both were judged");
}

fn a_subpath_mount() {
    let space = enforcing().space();
    let mut spec = pod("app")["spec"].take();
    spec["volumes"] = json!([{"name": "config", "configMap": {"name": "app-config"}}]);
    spec["containers"][0]["volumeMounts"] =
        json!([{"name": "config", "mountPath": "/etc/app.yaml", "subPath": "app.yaml"}]);
    let outcome = space.create(&workload("Deployment", &template(spec))).accepted();
    outcome.assert_warnings(&["subpath-config-mount: container \"app\": ConfigMap \"app-config\""]);
    let scale = json!({"spec": {"replicas": 3}}).to_string();
    let outcome =
        space.kubectl().run(&["patch", "deployment", "app", "--patch", &scale]).accepted();
    outcome.assert_warnings(&[]); // it was there before
    let outcome = space.kubectl().run(&["label", "deployment", "app", "tier=gold"]).accepted();
    outcome.assert_warnings(&[]);
}

fn a_file_watch() {
    let space = enforcing().space();
    let script =
        "while inotifywait -e modify /etc/nginx/conf.d/default.conf; do nginx -s reload; done";
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
        assert_eq!(
            pod_template(&outcome.object())["metadata"]["annotations"],
            json!({"approved-by-sre": "true"})
        );
    }
}

const MISSPELLED: &str = "reloader.stakater.com/atuo";

const MISSPELLED_WARNING: &str =
    "reloader-annotation: \"reloader.stakater.com/atuo\" is unknown to Reloader, did you mean";

fn a_misspelled_annotation() {
    let space = enforcing().space();
    let mut deployment = workload("Deployment", &template(pod("app")["spec"].take()));
    deployment["metadata"]["annotations"] = json!({MISSPELLED: "true"});
    let create = |name: &str, deployment: &Value| {
        let mut deployment = deployment.clone();
        deployment["metadata"]["name"] = json!(name);
        space.create(&deployment).accepted()
    };
    create("plain", &deployment).assert_warnings(&[MISSPELLED_WARNING]);
    let ignore = json!("reloader-annotation");
    let mut on_the_workload = deployment.clone();
    on_the_workload["metadata"]["annotations"]["restraint.dev/ignore"] = ignore.clone();
    create("on-the-workload", &on_the_workload).assert_warnings(&[MISSPELLED_WARNING]);
    deployment["spec"]["template"]["metadata"]["annotations"] =
        json!({"restraint.dev/ignore": ignore});
    create("on-the-template", &deployment).assert_warnings(&[]);
}

fn an_annotation_added_later() {
    let space = enforcing().space();
    space.create(&workload("Deployment", &template(pod("app")["spec"].take()))).accepted();
    let annotate = |annotation: &str| {
        space
            .kubectl()
            .run(&["annotate", "--overwrite", "deployment", "app", annotation])
            .accepted()
    };
    annotate(&format!("{MISSPELLED}=true")).assert_warnings(&[MISSPELLED_WARNING]);
    annotate("reloader.stakater.com/auto=").assert_warnings(&["reloader-annotation: "]);
    annotate("reloader.stakater.com/auto=true").assert_warnings(&[]);
    annotate("team=shop").assert_warnings(&[]);
    annotate(&format!("{MISSPELLED}-")).assert_warnings(&[]);
    assert_eq!(space.reviews().len(), 4, "neither another's annotation nor a removal is judged");
}

fn template(spec: Value) -> Value {
    json!({"metadata": {"labels": {"app": "app"}}, "spec": spec})
}

fn workload(kind: &str, template: &Value) -> Value {
    let selector = json!({"matchLabels": {"app": "app"}});
    let mut once = template.clone();
    once["spec"]["restartPolicy"] = json!("OnFailure");
    let (version, spec) = match kind {
        "StatefulSet" => {
            ("apps/v1", json!({"serviceName": "app", "selector": selector, "template": template}))
        }
        "ReplicationController" => {
            ("v1", json!({"selector": {"app": "app"}, "template": template}))
        }
        "Job" => ("batch/v1", json!({"template": once})),
        "CronJob" => (
            "batch/v1",
            json!({"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": once}}}),
        ),
        _ => ("apps/v1", json!({"selector": selector, "template": template})),
    };
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": "app"}, "spec": spec})
}

/// The template, wherever the kind keeps it.
fn pod_template(workload: &Value) -> &Value {
    let spec = &workload["spec"];
    if workload["kind"] == "CronJob" {
        &spec["jobTemplate"]["spec"]["template"]
    } else {
        &spec["template"]
    }
}
