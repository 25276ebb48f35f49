//! `restraint doctor`: what it says of a cluster that has everything wrong with it, and how it
//! ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use restraint::doctor::check::{examine, names};
use restraint::doctor::facts::{
    Certificate, Facts, FallbackPolicies, Follower, Installation, Measurement, Rights, Served,
    Version,
};
use restraint::doctor::observation::Severity;
use restraint::doctor::text;

use crate::server::PATIENCE;

#[test]
fn text_and_json_are_golden() {
    let observations = examine(&broken());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!("doctor/text", text::render(&observations, false));
        insta::assert_json_snapshot!("doctor/json", observations);
    });
}

#[test]
fn every_check_says_why_it_did_not_examine() {
    let no = "forbidden".to_owned();
    let facts = Facts {
        now: Timestamp::UNIX_EPOCH,
        expiry_days: 20,
        installations: vec![Installation {
            namespace: "restraint".to_owned(),
            name: "restraint".to_owned(),
            deployment: Err(no.clone()),
            pods: Err(no.clone()),
            budgets: Err(no.clone()),
            certificate: Err(no.clone()),
        }],
        is_narrowed: false,
        mutating: Err(no.clone()),
        validating: Err(no.clone()),
        fallback: Err(no.clone()),
        services: BTreeMap::new(),
        namespaces: Err(no.clone()),
        nodes: Err(no.clone()),
        version: Err(no.clone()),
        resources: Err(no.clone()),
        gates: Err(no.clone()),
        rights: Err(no.clone()),
        autoscalers: Err(no.clone()),
        reloaders: Err(no.clone()),
        followers: Err(no.clone()),
        probe: Some(Err(no)),
    };
    let observations = examine(&facts);
    assert!(
        observations.iter().all(|said| said.severity <= Severity::Unknown),
        "{observations:#?}"
    );
    // the others look at nothing but hooks, which the first check says it could not see
    let of_hooks = ["hooks", "fail-closed", "match-conditions", "hook-timeout", "hook-service"];
    for check in names().filter(|name| !of_hooks.contains(name)) {
        let told = observations.iter().any(|said| {
            said.check == check
                && said.severity == Severity::Unknown
                && said.message.contains("forbidden")
        });
        assert!(told, "{check}: {observations:#?}");
    }
}

#[test]
fn every_check_is_documented() {
    let page = include_str!("../../docs/doctor.md");
    let documented: Vec<_> =
        page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    assert_eq!(documented, names().collect::<Vec<_>>());
}

#[test]
fn without_a_cluster_it_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        // nobody listens on the port that nobody can have
        "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}], "users": [{"name": "a", "user": {}}],
    });
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    let mut command = assert_cmd::Command::cargo_bin("restraint").unwrap();
    let output = command
        .args(["doctor", "--kubeconfig"])
        .arg(&kubeconfig)
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{error}");
    assert!(error.starts_with("restraint: the cluster does not answer: "), "{error}");
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A cluster in which every check finds something.
fn broken() -> Facts {
    let place = ("restraint".to_owned(), "restraint".to_owned());
    let hook = |name: &str, policy: &str, resources: &str, more: Value| {
        let mut hook = json!({
            "name": name, "failurePolicy": policy, "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"namespace": "restraint", "name": "restraint"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resources]}],
        });
        hook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        hook
    };
    let excluding = json!({"namespaceSelector": {"matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "restraint"]},
    ]}});
    let validating = json!({"metadata": {"name": "restraint"}, "webhooks": [
        hook("resize.restraint.dev", "Fail", "pods/resize", excluding.clone()),
        hook("advice.restraint.dev", "Fail", "pods", excluding),
    ]});
    let other = json!({"metadata": {"name": "gate"}, "webhooks": [
        hook("gate.example.com", "Fail", "*", json!({"clientConfig": {"service": {"namespace": "gate", "name": "gate"}}})),
    ]});
    let labels = json!({"app.kubernetes.io/name": "restraint"});
    let pod = |name: &str| {
        read(json!({
            "metadata": {"name": name, "labels": labels}, "spec": {"nodeName": "n1", "containers": []},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }))
    };
    let node = |name: &str, version: &str| {
        let info = json!({
            "architecture": "", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "",
            "kubeletVersion": version, "machineID": "", "operatingSystem": "", "osImage": "", "systemUUID": "",
        });
        read(json!({"metadata": {"name": name}, "status": {"nodeInfo": info}}))
    };
    let role = |name: &str, verb: &str| {
        read(
            json!({"metadata": {"name": name}, "rules": [{"apiGroups": [""], "resources": ["pods/resize"], "verbs": [verb]}]}),
        )
    };
    let binding = |name: &str, role: &str, kind: &str, who: &str| {
        read(json!({
            "metadata": {"name": name}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": kind, "name": who, "namespace": if kind == "ServiceAccount" { json!("ci") } else { Value::Null }}],
        }))
    };
    let autoscaler = json!({
        "metadata": {"name": "db", "namespace": "shop"}, "spec": {"updatePolicy": {"updateMode": "InPlaceOrRecreate"}},
    });
    let times = |list: &[u64]| list.iter().map(|time| Duration::from_millis(*time)).collect();
    Facts {
        now: "2026-11-21T12:00:00Z".parse().unwrap(),
        expiry_days: 20,
        installations: vec![Installation {
            namespace: place.0.clone(),
            name: place.1.clone(),
            deployment: Ok(None),
            pods: Ok(Some(vec![pod("restraint-a"), pod("restraint-b")])),
            budgets: Ok(Vec::new()),
            certificate: Ok(Certificate {
                secret: ("restraint".to_owned(), "restraint-tls".to_owned()),
                chain: None,
            }),
        }],
        is_narrowed: false,
        mutating: Ok(Vec::new()),
        validating: Ok(vec![read(validating), read(other)]),
        fallback: Ok(FallbackPolicies {
            policies: vec![read(
                json!({"metadata": {"name": "memory-limit-decrease.fallback.restraint.dev"}}),
            )],
            bindings: Vec::new(),
        }),
        services: BTreeMap::from([
            (
                place,
                Ok(Some(Served {
                    service: read(
                        json!({"metadata": {"name": "restraint"}, "spec": {"ports": [{"port": 8443}]}}),
                    ),
                    slices: Ok(Vec::new()),
                })),
            ),
            (("gate".to_owned(), "gate".to_owned()), Ok(None)),
        ]),
        namespaces: Err("forbidden".to_owned()),
        nodes: Ok(vec![node("n1", "v1.32.1"), node("n2", "v1.35.2")]),
        version: Ok(Version::read("v1.35.2")),
        resources: Ok(BTreeSet::from(["pods".to_owned(), "pods/resize".to_owned()])),
        gates: Ok(BTreeMap::from([
            ("InPlacePodVerticalScaling".to_owned(), true),
            ("PodLevelResources".to_owned(), true),
            ("InPlacePodLevelResourcesVerticalScaling".to_owned(), false),
            ("ContainerRestartRules".to_owned(), true),
        ])),
        rights: Ok(Rights {
            cluster_roles: vec![role("resizer", "patch"), role("restraint-approver", "approve")],
            cluster_role_bindings: vec![
                binding("resizers", "resizer", "Group", "system:authenticated"),
                binding("approvers", "restraint-approver", "ServiceAccount", "robot"),
            ],
            ..Rights::default()
        }),
        autoscalers: Ok(Some(vec![autoscaler.to_string()])),
        reloaders: Ok(Vec::new()),
        followers: Ok(vec![Follower {
            kind: "Deployment",
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
        }]),
        probe: Some(Ok(Measurement {
            namespace: "shop".to_owned(),
            asked: times(&[40, 50, 9000]),
            unasked: times(&[10, 11, 12]),
            unasked_are: "cpu resizes",
        })),
    }
}
