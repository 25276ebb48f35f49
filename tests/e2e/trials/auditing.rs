//! `restraint audit`, of a namespace of a real API server.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::trial;
use crate::kubectl::{Kubectl, Person};
use crate::pods::pod;
use crate::world::cluster;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("audit: owners, bare pods, resizes, approvals and autoscalers are told", told),
        trial("audit: what may not be read is missing, and strict fails for it", hidden),
    ]
}

/// A namespace that Restraint does not look after.
fn space(name: &str) -> Kubectl {
    let kubectl = cluster().kubectl();
    kubectl.run(&["create", "namespace", name]).accepted();
    kubectl.within(name)
}

fn create(here: &Kubectl, object: &Value) -> Value {
    here.feed(&["create", "--output", "json", "--filename", "-"], &object.to_string())
        .accepted()
        .object()
}

/// Longer than a warning of the API server has room for.
const PATH: &str = "/usr/share/search/config/certificates/transport/authority.yaml";

/// A Deployment with a ConfigMap mounted by subPath.
fn deployment() -> Value {
    let container = json!({
        "name": "app", "image": "registry.k8s.io/pause:3.10",
        "resources": {"requests": {"memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        "resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}],
        "volumeMounts": [{"name": "config", "mountPath": PATH, "subPath": "app.yaml"}],
    });
    let volumes = json!([{"name": "config", "configMap": {"name": "app"}}]);
    let labels = json!({"app": "web"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": volumes}});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    })
}

/// A pod of the Deployment, as its ReplicaSet would make it.
fn replica(deployment: &Value, name: &str) -> Value {
    let owner = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4f8c7b9", "uid": "u", "controller": true,
    });
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web", "pod-template-hash": "5d4f8c7b9"}, "ownerReferences": [owner]},
        "spec": deployment["spec"]["template"]["spec"],
    })
}

fn told() {
    let here = space("audited");
    let deployment = deployment();
    create(&here, &deployment);
    for name in ["web-5d4f8c7b9-a", "web-5d4f8c7b9-b"] {
        create(&here, &replica(&deployment, name));
    }
    create(&here, &pod("bare"));
    here.run(&["annotate", "pod", "bare", "restraint.dev/approve=app=256Mi"]).accepted();
    let deferred = json!({"status": {
        "conditions": [{"type": "PodResizePending", "status": "True", "reason": "Deferred", "message": "no room: memory",
            "lastTransitionTime": "2026-11-21T08:00:00Z"}],
        "containerStatuses": [{"name": "app", "image": "a", "imageID": "a", "ready": true, "restartCount": 0,
            "resources": {"limits": {"memory": "256Mi"}}}],
    }});
    here.run(&[
        "patch",
        "pod",
        "bare",
        "--subresource",
        "status",
        "--patch",
        &deferred.to_string(),
    ])
    .accepted();
    create(
        &here,
        &json!({
            "apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler", "metadata": {"name": "web"},
            "spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "updatePolicy": {"updateMode": "InPlaceOrRecreate"}},
            "status": {"recommendation": {"containerRecommendations": [
                {"containerName": "app", "target": {"memory": "134217728"}}]}},
        }),
    );

    // other trials have installations here
    let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");
    let named = ["audit", "--output", "json", "--cap", "enforce", "--policies", policies];
    let report = here.restraint(&named).accepted().object();
    assert_eq!(report["schema"], "restraint.dev/audit/v1");
    assert_eq!((&report["totals"]["pods"], &report["missing"]), (&json!(3), &json!([])));
    let findings = report["findings"].as_array().unwrap();
    let subpath = findings.iter().find(|one| one["rule"] == "subpath-config-mount").unwrap();
    assert_eq!(
        (&subpath["kind"], &subpath["name"], &subpath["pods"]),
        (&json!("Deployment"), &json!("web"), &json!(2))
    );
    assert!(subpath["message"].as_str().unwrap().contains(PATH), "a whole name: {subpath}");
    assert!(
        findings.iter().any(|one| one["kind"] == "Pod" && one["name"] == "bare"),
        "{findings:#?}"
    );
    let resize = &report["resizes"][0];
    assert_eq!(
        (&resize["pod"], &resize["reason"], &resize["message"]),
        (&json!("bare"), &json!("Deferred"), &json!("no room: memory"))
    );
    assert_eq!(
        (&report["differing"][0]["desired"], &report["differing"][0]["actual"]),
        (&json!("512Mi"), &json!("256Mi"))
    );
    assert_eq!(report["approvals"][0]["state"], "grant without a stamp: no effect");
    let autoscaler = &report["autoscalers"][0];
    assert_eq!(
        (&autoscaler["target"], &autoscaler["outcome"]),
        (&json!("Deployment web"), &json!("restored")),
        "{autoscaler}"
    );
    assert_eq!(
        autoscaler["changes"],
        json!(["app: memory limit 512Mi to 256Mi", "app: memory request 256Mi to 128Mi"])
    );

    let text = here.restraint(&["audit"]).printed();
    for said in ["2 pods", "Deferred", "has 256Mi, spec 512Mi", "grant without a stamp", "restored"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    let labelled = here.restraint(&["audit", "-o", "json", "-l", "app=web"]).accepted().object();
    assert_eq!(labelled["totals"]["pods"], 2);
    here.restraint(&["audit", "--fail-on", "warn"]).refused();
}

fn hidden() {
    space("hidden");
    let here = cluster().kubectl().by(Person::Autoscaler).within("hidden");
    let report = here.restraint(&["audit", "--output", "json"]).accepted().object();
    let missing = report["missing"].as_array().unwrap();
    let what: Vec<_> = missing.iter().filter_map(|one| one["what"].as_str()).collect();
    assert!(what.contains(&"deployments") && what.contains(&"labels of namespaces"), "{what:?}");
    let error = here.restraint(&["audit", "--strict"]).refused();
    assert!(error.is_empty(), "{error}");
}
