//! `restraint doctor`: its report on a cluster in which everything is wrong, and its exit code.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use restraint::cluster::NamespacedName;
use restraint::doctor::check::{examine, names};
use restraint::doctor::facts::{
    Certificate, Facts, FallbackPolicies, Follower, Installation, Measurement, PodLabels,
    PolicyFiles, Rights, ServiceEndpoints, Version,
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
            service: NamespacedName::new("restraint", "restraint"),
            deployment: Err(no.clone()),
            pods: Err(no.clone()),
            budgets: Err(no.clone()),
            certificate: Err(no.clone()),
            policies: Err(no.clone()),
        }],
        is_narrowed: false,
        mutating: Err(no.clone()),
        validating: Err(no.clone()),
        fallback: Err(no.clone()),
        services: BTreeMap::new(),
        namespaces: Err(no.clone()),
        pods: Err(no.clone()),
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
        observations.iter().all(|found| found.severity <= Severity::Unknown),
        "{observations:#?}"
    );
    // the others look at nothing but hooks, which the first check says it could not see
    let of_hooks = ["hooks", "fail-closed", "match-conditions", "hook-timeout", "hook-service"];
    for check in names().filter(|name| !of_hooks.contains(name)) {
        let is_reported = observations.iter().any(|found| {
            found.check == check
                && found.severity == Severity::Unknown
                && found.message.contains("forbidden")
        });
        assert!(is_reported, "{check}: {observations:#?}");
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
fn without_a_cluster_it_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        // nothing can listen on this port
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
pub(crate) fn broken() -> Facts {
    let service = NamespacedName::new("restraint", "restraint");
    let endpoints = ServiceEndpoints {
        service: read(
            json!({"metadata": {"name": "restraint"}, "spec": {"ports": [{"port": 8443}]}}),
        ),
        slices: Ok(Vec::new()),
    };
    let fallback = json!({"metadata": {"name": "memory-limit-decrease.fallback.restraint.dev"}});
    let autoscaler = json!({
        "metadata": {"name": "db", "namespace": "shop"}, "spec": {"updatePolicy": {"updateMode": "InPlaceOrRecreate"}},
    });
    Facts {
        now: "2026-11-21T12:00:00Z".parse().unwrap(),
        expiry_days: 20,
        installations: vec![installation(service.clone())],
        is_narrowed: false,
        mutating: Ok(Vec::new()),
        validating: Ok(webhooks().map(read).to_vec()),
        fallback: Ok(FallbackPolicies { policies: vec![read(fallback)], bindings: Vec::new() }),
        services: BTreeMap::from([
            (service, Ok(Some(endpoints))),
            (NamespacedName::new("gate", "gate"), Ok(None)),
        ]),
        namespaces: Err("forbidden".to_owned()),
        pods: Ok(PodLabels::new()),
        nodes: Ok([("n1", "v1.32.1"), ("n2", "v1.35.2")].map(node).to_vec()),
        version: Ok(Version::read("v1.35.2")),
        resources: Ok(["pods", "pods/resize"].map(str::to_owned).into()),
        gates: Ok(gates()),
        rights: Ok(rights()),
        autoscalers: Ok(Some(vec![autoscaler.to_string()])),
        reloaders: Ok(Vec::new()),
        followers: Ok(vec![Follower {
            kind: "Deployment",
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
        }]),
        probe: Some(Ok(measurement())),
    }
}

fn installation(service: NamespacedName) -> Installation {
    let pod = |name: &str| {
        read(json!({
            "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "restraint"}},
            "spec": {"nodeName": "n1", "containers": []},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }))
    };
    Installation {
        service,
        deployment: Ok(None),
        pods: Ok(Some(vec![pod("restraint-a"), pod("restraint-b")])),
        budgets: Ok(Vec::new()),
        certificate: Ok(Certificate {
            secret: NamespacedName::new("restraint", "restraint-tls"),
            chain: None,
        }),
        policies: Ok(Some(PolicyFiles {
            config_map: NamespacedName::new("restraint", "restraint-policies"),
            contents: Ok([("file-watch.yaml", "name: file-watch\nrule: file-wacth\nmode: loud\n")]
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .into()),
        })),
    }
}

/// Restraint's configuration, and one of somebody else's.
fn webhooks() -> [Value; 2] {
    let hook = |name: &str, resources: &str, more: Value| {
        let mut hook = json!({
            "name": name, "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"namespace": "restraint", "name": "restraint"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resources]}],
        });
        hook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        hook
    };
    let excluding = json!({"namespaceSelector": {"matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "restraint"]},
    ]}});
    let elsewhere = json!({"clientConfig": {"service": {"namespace": "gate", "name": "gate"}}});
    [
        json!({"metadata": {"name": "restraint"}, "webhooks": [
            hook("resize.restraint.dev", "pods/resize", excluding.clone()),
            hook("advice.restraint.dev", "pods", excluding),
        ]}),
        json!({"metadata": {"name": "gate"}, "webhooks": [hook("gate.example.com", "*", elsewhere)]}),
    ]
}

fn node<T: DeserializeOwned>((name, version): (&str, &str)) -> T {
    let info = json!({
        "architecture": "", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "",
        "kubeletVersion": version, "machineID": "", "operatingSystem": "", "osImage": "", "systemUUID": "",
    });
    read(json!({"metadata": {"name": name}, "status": {"nodeInfo": info}}))
}

fn gates() -> BTreeMap<String, bool> {
    [
        ("InPlacePodVerticalScaling", true),
        ("PodLevelResources", true),
        ("InPlacePodLevelResourcesVerticalScaling", false),
        ("ContainerRestartRules", true),
    ]
    .map(|(name, is_on)| (name.to_owned(), is_on))
    .into()
}

fn rights() -> Rights {
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
    Rights {
        cluster_roles: vec![role("resizer", "patch"), role("restraint-approver", "approve")],
        cluster_role_bindings: vec![
            binding("resizers", "resizer", "Group", "system:authenticated"),
            binding("approvers", "restraint-approver", "ServiceAccount", "robot"),
        ],
        ..Rights::default()
    }
}

fn measurement() -> Measurement {
    let times = |list: &[u64]| list.iter().map(|time| Duration::from_millis(*time)).collect();
    Measurement {
        namespace: "shop".to_owned(),
        denied_by: Some("resize.restraint.dev".to_owned()),
        asked: times(&[40, 50, 9000]),
        unasked: times(&[10, 11, 12]),
        unasked_are: "cpu resizes",
    }
}
