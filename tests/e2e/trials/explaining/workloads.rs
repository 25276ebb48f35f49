//! Changes of Deployments and of other workloads that go on.

use serde_json::{Value, json};

use super::case::{Case, set};
use super::objects::{IMAGE, restart_on_resize, workload};

pub(super) const ACCEPTED: &[Case] = &[
    Case("the image of a Deployment", deployment, |one| set(one, IMAGE, json!("b:2"))),
    Case("the image of a StatefulSet", stateful_set, |one| set(one, IMAGE, json!("b:2"))),
    Case("the image of a DaemonSet", daemon_set, |one| set(one, IMAGE, json!("b:2"))),
    Case("the image of a ReplicaSet", replica_set, |one| set(one, IMAGE, json!("b:2"))),
    Case("an annotation in a template", deployment, |one| {
        set(one, "/spec/template/metadata/annotations", json!({"a": "b"}))
    }),
    Case("a Deployment that is paused", deployment, |one| set(one, "/spec/paused", json!(true))),
    Case("the strategy of a Deployment", deployment, |one| {
        set(one, "/spec/strategy", json!({"type": "Recreate", "rollingUpdate": null}))
    }),
    Case("a resize policy in a template", deployment, |one| {
        restart_on_resize(&mut one["spec"]["template"])
    }),
    Case("the update strategy of a StatefulSet", stateful_set, |one| {
        set(one, "/spec/updateStrategy", json!({"type": "OnDelete", "rollingUpdate": null}))
    }),
    Case("the revision history limit of a StatefulSet", stateful_set, |one| {
        set(one, "/spec/revisionHistoryLimit", json!(3))
    }),
    Case("the claim retention of a StatefulSet", stateful_set, |one| {
        let policy = json!({"whenDeleted": "Delete", "whenScaled": "Retain"});
        set(one, "/spec/persistentVolumeClaimRetentionPolicy", policy);
    }),
    Case("the ordinals of a StatefulSet", stateful_set, |one| {
        set(one, "/spec/ordinals", json!({"start": 5}))
    }),
];

pub(super) const REFUSED: &[Case] = &[
    Case("the selector of a Deployment", deployment, another_selector),
    Case("the selector of a DaemonSet", daemon_set, another_selector),
    Case("the selector of a ReplicaSet", replica_set, another_selector),
    Case("the selector of a StatefulSet", stateful_set, another_selector),
    Case("template labels that the selector misses", deployment, |one| {
        set(one, "/spec/template/metadata/labels/app", json!("b"))
    }),
    Case("fewer than no replicas", deployment, |one| set(one, "/spec/replicas", json!(-1))),
    Case("an init container with RestartContainer in a template", deployment, |one| {
        let policy = json!([{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]);
        let init = json!([{"name": "i", "image": "i", "resizePolicy": policy}]);
        set(one, "/spec/template/spec/initContainers", init);
    }),
    Case("a request above the limit in a template", deployment, |one| {
        let resources = json!({"requests": {"cpu": "2"}, "limits": {"cpu": "1"}});
        set(one, "/spec/template/spec/containers/0/resources", resources);
    }),
    Case("restartPolicy Never in a Deployment", deployment, |one| {
        set(one, "/spec/template/spec/restartPolicy", json!("Never"))
    }),
    Case("the service of a StatefulSet", stateful_set, |one| {
        set(one, "/spec/serviceName", json!("other"))
    }),
    Case("the claim templates of a StatefulSet", stateful_set, |one| {
        let resources = json!({"requests": {"storage": "1Gi"}});
        let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": resources});
        let claims = json!([{"metadata": {"name": "data"}, "spec": spec}]);
        set(one, "/spec/volumeClaimTemplates", claims);
    }),
    Case("the pod management policy of a StatefulSet", stateful_set, |one| {
        set(one, "/spec/podManagementPolicy", json!("Parallel"))
    }),
];

fn deployment() -> Value {
    workload("Deployment")
}

fn stateful_set() -> Value {
    workload("StatefulSet")
}

fn daemon_set() -> Value {
    workload("DaemonSet")
}

fn replica_set() -> Value {
    workload("ReplicaSet")
}

fn another_selector(workload: &mut Value) {
    set(workload, "/spec/selector/matchLabels/tier", json!("b"));
    set(workload, "/spec/template/metadata/labels/tier", json!("b"));
}
