use serde_json::{Value, json};

use super::*;
use crate::judge::judge;
use crate::judge::policies::Policies;
use crate::judge::subject::Resource;
use crate::judge::verdict::{Ruling, Verdict};
use crate::kube::configuration::ConfigKind;
use crate::review::decode;

const UID: &str = "0b9c1f3e-0000-4000-8000-00000000abcd";

fn policies() -> Policies {
    let files = [
        (
            "missing-config-key.yaml",
            "name: missing-config-key\nrule: missing-config-key\nmode: warn\n",
        ),
        (
            "unseen-config-change.yaml",
            "name: unseen-config-change\nrule: unseen-config-change\nmode: warn\n",
        ),
    ];
    Policies::read(files).unwrap()
}

fn index(workloads: usize) -> Index {
    let objects = (0..workloads).map(|number| {
        let container = json!({"name": "app", "envFrom": [{"configMapRef": {"name": "app"}}],
            "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "needed"}}}]});
        let metadata = json!({"namespace": "shop", "name": format!("web-{number:03}"), "uid": UID});
        json!({"metadata": metadata, "spec": {"template": {"spec": {"containers": [container]}}}})
    });
    let deployments: Vec<Value> = objects.collect();
    Index::of(&[(Resource::Deployment, &deployments)])
}

fn told(index: &Index, review: &Value) -> Vec<Occurrence> {
    let bytes = serde_json::to_vec(review).unwrap();
    let mut review = decode(&bytes).unwrap();
    review.subject.evidence.config_users = index.users((ConfigKind::ConfigMap, "app"), "shop");
    let verdict = judge(&policies(), &review.subject);
    occurrences(&review.subject, &verdict, index)
}

fn change(operation: &str, old: &Value, new: &Value, dry_run: bool) -> Value {
    let object =
        |data: &Value| json!({"metadata": {"name": "app", "namespace": "shop"}, "data": data});
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "review", "operation": operation, "namespace": "shop", "name": "app", "dryRun": dry_run,
        "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
        "resource": {"group": "", "version": "v1", "resource": "configmaps"},
        "userInfo": {"username": "argocd"},
        "object": if new.is_null() { Value::Null } else { object(new) },
        "oldObject": object(old),
    }})
}

#[test]
fn each_workload_is_told_what_to_do() {
    let update = change("UPDATE", &json!({"needed": "1", "a": "1"}), &json!({"a": "2"}), false);
    let told = told(&index(1), &update);
    let notes: Vec<_> = told.iter().map(|one| (one.reason, one.note.as_str())).collect();
    assert_eq!(
        notes,
        [
            (
                Reason::ConfigurationMissing,
                "\"argocd\": ConfigMap \"app\" changed, key \"needed\": container \"app\" does not start without it (env); \
                 keep key \"needed\" until deploy/web-000 refers to it no more, or make the reference optional"
            ),
            (
                Reason::ConfigurationUnseen,
                "\"argocd\": ConfigMap \"app\" changed, key \"a\": container \"app\" keeps what it took when it started \
                 (envFrom); kubectl rollout restart deploy/web-000 -n shop"
            ),
        ]
    );
    let regarding = &told[0].regarding;
    assert_eq!(
        [&*regarding.api_version, &*regarding.kind, &*regarding.name, &*regarding.uid],
        ["apps/v1", "Deployment", "web-000", UID]
    );
}

#[test]
fn a_change_tells_no_more_than_fifty() {
    let index = index(60);
    let deletion = change("DELETE", &json!({"needed": "1"}), &Value::Null, false);
    assert_eq!(told(&index, &deletion).len(), 50);
    let update = change("UPDATE", &json!({"needed": "1"}), &json!({"needed": "2"}), false);
    assert_eq!(told(&index, &update).len(), 50);
}

#[test]
fn what_changes_nothing_is_not_told() {
    let index = index(1);
    let (old, new) = (json!({"needed": "1"}), json!({"needed": "2"}));
    assert_eq!(told(&index, &change("UPDATE", &old, &new, false)).len(), 1);
    assert_eq!(told(&index, &change("UPDATE", &old, &new, true)), []);
    assert_eq!(told(&index, &change("UPDATE", &old, &old, false)), []);
    assert_eq!(
        told(&Index::default(), &change("UPDATE", &old, &new, false)),
        [],
        "who uses it is not known"
    );
    let mut denied = Verdict::default();
    let bytes = serde_json::to_vec(&change("UPDATE", &old, &new, false)).unwrap();
    let mut review = decode(&bytes).unwrap();
    review.subject.evidence.config_users = index.users((ConfigKind::ConfigMap, "app"), "shop");
    let warned = judge(&policies(), &review.subject);
    denied.rulings = warned
        .rulings
        .iter()
        .cloned()
        .flat_map(|ruling| {
            let denial = Ruling { outcome: Outcome::Denied, ..ruling.clone() };
            [ruling, denial]
        })
        .collect();
    assert_eq!(occurrences(&review.subject, &denied, &index), []);
}
