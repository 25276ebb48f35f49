//! A healthy cluster, for tests to break.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::date;
use jiff::tz::TimeZone;
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhook, ValidatingWebhook};
use k8s_openapi::api::core::v1::{Node, Pod};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::certificate::testing::Authority;
use crate::cluster::NamespacedName;
use crate::policies::embedded_files;

use super::check;
use super::facts::{
    Certificate, Facts, FallbackPolicies, Installation, PodLabels, PolicyFiles, Rights,
    ServiceEndpoints, Version,
};
use super::observation::{Observation, Observations};

/// As the chart renders them.
const WEBHOOKS: &str = include_str!("../../tests/e2e/webhooks.yaml");

/// The fallback policies, as without Helm.
const FALLBACK: [&str; 2] = [
    include_str!("../../policies/cel/approval-authority.yaml"),
    include_str!("../../policies/cel/memory-limit-decrease.yaml"),
];

/// The feature gates that are looked at.
const GATES: [&str; 5] = [
    "InPlacePodVerticalScaling",
    "PodLevelResources",
    "InPlacePodLevelResourcesVerticalScaling",
    "ContainerRestartRules",
    "RestartAllContainersOnContainerExits",
];

/// The year it is.
pub(super) const YEAR: i32 = 2030;

/// Who issued the certificate, and is trusted.
pub(super) fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(Authority::new)
}

/// Reads an object.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A cluster with Restraint in which every check passes.
pub(super) fn healthy() -> Facts {
    let configurations = configurations();
    let of_kind = |kind: &str| {
        configurations.iter().filter(|value| value["kind"] == kind).cloned().collect::<Vec<_>>()
    };
    let mut facts = Facts {
        now: TimeZone::UTC
            .to_timestamp(date(i16::try_from(YEAR).unwrap(), 6, 1).at(0, 0, 0, 0))
            .unwrap(),
        expiry_days: 20,
        installations: vec![installation()],
        is_narrowed: false,
        mutating: Ok(of_kind("MutatingWebhookConfiguration").into_iter().map(read).collect()),
        validating: Ok(of_kind("ValidatingWebhookConfiguration").into_iter().map(read).collect()),
        fallback: Ok(fallback()),
        services: BTreeMap::from([(
            NamespacedName::new("restraint", "restraint"),
            Ok(Some(endpoints())),
        )]),
        namespaces: Ok(["default", "kube-system", "restraint", "shop"]
            .map(|name| read(json!({"metadata": {"name": name}})))
            .to_vec()),
        pods: Ok(PodLabels::new()),
        nodes: Ok(["n1", "n2"]
            .map(|name| {
                node(
                    name,
                    "v1.36.2",
                    &[
                        "InPlacePodLevelResourcesVerticalScaling",
                        "RestartAllContainersOnContainerExits",
                    ],
                )
            })
            .to_vec()),
        version: Ok(Version::read("v1.36.2")),
        resources: Ok(BTreeSet::from(["pods".to_owned(), "pods/resize".to_owned()])),
        gates: Ok(GATES.iter().map(|name| ((*name).to_owned(), true)).collect()),
        rights: Ok(rights()),
        autoscalers: Ok(None),
        reloaders: Ok(Vec::new()),
        followers: Ok(Vec::new()),
        probe: None,
    };
    let pair = authority().issue("restraint", &["restraint.restraint.svc"], YEAR + 1);
    with_certificate(&mut facts, &pair.certificate);
    facts
}

/// The webhook configurations of the chart.
fn configurations() -> Vec<Value> {
    let filled = WEBHOOKS
        .replace("restraint-${INSTALLATION}", "restraint")
        .replace("${INSTALLATION}", "restraint")
        .replace("e2e.example/installation: \"restraint\"", "kubernetes.io/metadata.name: shop")
        .replace("${PORT}", "443")
        .replace("${CA_BUNDLE}", &STANDARD.encode(authority().pem()));
    let mut configurations: Vec<Value> = serde_saphyr::from_multiple(&filled).unwrap();
    for configuration in &mut configurations {
        for hook in configuration["webhooks"].as_array_mut().unwrap() {
            // as with the default values of the chart: every namespace but two
            hook["namespaceSelector"].as_object_mut().unwrap().remove("matchLabels");
        }
    }
    configurations
}

fn fallback() -> FallbackPolicies {
    let objects: Vec<Value> = FALLBACK
        .iter()
        .flat_map(|yaml| serde_saphyr::from_multiple::<Value>(yaml).unwrap())
        .collect();
    let of_kind =
        |kind: &'static str| objects.iter().filter(move |value| value["kind"] == kind).cloned();
    FallbackPolicies {
        policies: of_kind("ValidatingAdmissionPolicy").map(read).collect(),
        bindings: of_kind("ValidatingAdmissionPolicyBinding").map(read).collect(),
    }
}

/// The same with somebody else's webhook.
pub(super) fn foreign(hook: Value) -> Facts {
    let mut facts = healthy();
    let configuration = json!({"metadata": {"name": "other"}, "webhooks": [hook]});
    let mut hooks: Value = configuration;
    hooks["webhooks"][0]["sideEffects"] = json!("None");
    hooks["webhooks"][0]["admissionReviewVersions"] = json!(["v1"]);
    facts.validating.as_mut().unwrap().push(read(hooks));
    facts
}

/// A node with a kubelet of this version that declares these features.
pub(super) fn node(name: &str, kubelet: &str, features: &[&str]) -> Node {
    let info = json!({
        "architecture": "", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "",
        "kubeletVersion": kubelet, "machineID": "", "operatingSystem": "", "osImage": "", "systemUUID": "",
    });
    read(
        json!({"metadata": {"name": name}, "status": {"nodeInfo": info, "declaredFeatures": features}}),
    )
}

/// A ready pod of Restraint's on a node.
pub(super) fn pod(node: &str) -> Pod {
    read(json!({
        "metadata": {"name": format!("restraint-{node}"), "namespace": "restraint", "labels": labels()},
        "spec": {"nodeName": node, "containers": []},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }))
}

fn labels() -> Value {
    json!({"app.kubernetes.io/name": "restraint", "app.kubernetes.io/instance": "restraint"})
}

fn endpoints() -> ServiceEndpoints {
    let endpoint = |address: &str| json!({"addresses": [address], "conditions": {"ready": true}});
    ServiceEndpoints {
        service: read(json!({
            "metadata": {"name": "restraint", "namespace": "restraint", "labels": labels()},
            "spec": {"selector": labels(), "ports": [{"name": "reviews", "port": 443}]},
        })),
        slices: Ok(vec![read(
            json!({"addressType": "IPv4", "endpoints": [endpoint("10.0.0.1"), endpoint("10.0.0.2")]}),
        )]),
    }
}

fn installation() -> Installation {
    let container = json!({
        "name": "restraint",
        "args": [
            "serve", "--cap=enforce", "--policies=/etc/restraint/policies", "--policies-config-map=restraint/restraint-policies",
            "--tls-cert=/etc/restraint/tls/tls.crt", "--request-deadline=2000",
        ],
        "volumeMounts": [{"name": "policies", "mountPath": "/etc/restraint/policies"}, {"name": "tls", "mountPath": "/etc/restraint/tls"}],
    });
    let volumes = json!([{"name": "tls", "secret": {"secretName": "serving"}}, {"name": "policies", "configMap": {"name": "mounted"}}]);
    Installation {
        service: NamespacedName::new("restraint", "restraint"),
        deployment: Ok(Some(read(json!({
            "metadata": {"name": "restraint", "namespace": "restraint"},
            "spec": {
                "replicas": 2, "selector": {"matchLabels": labels()},
                "template": {"metadata": {"labels": labels()}, "spec": {"containers": [container], "volumes": volumes}},
            },
        })))),
        pods: Ok(Some(vec![pod("n1"), pod("n2")])),
        budgets: Ok(vec![read(json!({
            "metadata": {"name": "restraint", "namespace": "restraint"},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels()}},
        }))]),
        certificate: Ok(Certificate {
            secret: NamespacedName::new("restraint", "restraint-tls"),
            chain: None,
        }),
        policies: Ok(Some(PolicyFiles {
            config_map: NamespacedName::new("restraint", "restraint-policies"),
            contents: Ok(embedded_files().map(|(name, text)| (name, text.to_owned())).collect()),
        })),
    }
}

fn rights() -> Rights {
    let role = |name: &str, group: &str, resource: &str, verb: &str| {
        let rules = json!([{"apiGroups": [group], "resources": [resource], "verbs": [verb]}]);
        read(json!({"metadata": {"name": name}, "rules": rules}))
    };
    let mut facts = Rights {
        cluster_roles: vec![
            role("cluster-admin", "*", "*", "*"),
            role("resizer", "", "pods/resize", "patch"),
            role("restraint-approver", "", "pods/resize", "approve"),
        ],
        ..Rights::default()
    };
    facts.cluster_role_bindings.push(read(json!({
        "metadata": {"name": "cluster-admin", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "roleRef": reference("cluster-admin"), "subjects": [subject("Group", "system:masters", None)],
    })));
    facts.cluster_role_bindings.push(read(json!({
        "metadata": {"name": "resizers"}, "roleRef": reference("resizer"), "subjects": [subject("Group", "developers", None)],
    })));
    facts.role_bindings.push(read(json!({
        "metadata": {"name": "approvers", "namespace": "shop"}, "roleRef": reference("restraint-approver"),
        "subjects": [subject("Group", "sre", None)],
    })));
    facts
}

/// Binds a ClusterRole, in a namespace or everywhere, by a binding of its name.
pub(super) fn bind(facts: &mut Facts, namespace: Option<&str>, role: &str, kind: &str, name: &str) {
    let binding = json!({
        "metadata": {"name": role, "namespace": namespace}, "roleRef": reference(role), "subjects": [subject(kind, name, namespace)],
    });
    let rights = facts.rights.as_mut().unwrap();
    match namespace {
        Some(_) => rights.role_bindings.push(read(binding)),
        None => rights.cluster_role_bindings.push(read(binding)),
    }
}

fn reference(role: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role})
}

fn subject(kind: &str, name: &str, namespace: Option<&str>) -> Value {
    json!({"kind": kind, "name": name, "namespace": namespace.filter(|_| kind == "ServiceAccount")})
}

/// Has the service show this certificate.
pub(super) fn with_certificate(facts: &mut Facts, certificate: &str) {
    facts.installations[0].certificate.as_mut().unwrap().chain =
        Some(certificate.as_bytes().to_vec());
}

/// Starts the service with these arguments.
pub(super) fn args(facts: &mut Facts, arguments: &[&str]) {
    let deployment = facts.installations[0].deployment.as_mut().unwrap().as_mut().unwrap();
    let container =
        &mut deployment.spec.as_mut().unwrap().template.spec.as_mut().unwrap().containers[0];
    container.args = Some(arguments.iter().map(|&argument| argument.to_owned()).collect());
}

/// A validating webhook of ours.
pub(super) fn hook_mut<'f>(facts: &'f mut Facts, name: &str) -> &'f mut ValidatingWebhook {
    let hooks = facts.validating.as_mut().unwrap()[0].webhooks.as_mut().unwrap();
    hooks.iter_mut().find(|hook| hook.name == name).unwrap()
}

/// A mutating webhook of ours.
pub(super) fn mutating_mut<'f>(facts: &'f mut Facts, name: &str) -> &'f mut MutatingWebhook {
    let hooks = facts.mutating.as_mut().unwrap()[0].webhooks.as_mut().unwrap();
    hooks.iter_mut().find(|hook| hook.name == name).unwrap()
}

/// The observations of a check, one on a line.
pub(super) fn lines(check: impl Fn(&Facts, &mut Observations<'_>), facts: &Facts) -> Vec<String> {
    observed(check, facts).iter().map(line).collect()
}

/// The most severe observation of a check.
pub(super) fn worst(check: impl Fn(&Facts, &mut Observations<'_>), facts: &Facts) -> String {
    observed(check, facts)
        .iter()
        .rev()
        .max_by_key(|observation| observation.severity)
        .map(line)
        .unwrap_or_default()
}

fn observed(check: impl Fn(&Facts, &mut Observations<'_>), facts: &Facts) -> Vec<Observation> {
    let mut list = Vec::new();
    check(facts, &mut Observations::of("check", &mut list));
    list
}

fn line(observation: &Observation) -> String {
    format!("{}: {}: {}", observation.severity.as_str(), observation.object, observation.message)
}

#[test]
fn every_check_passes() {
    let observations = check::examine(&healthy());
    let wrong: Vec<_> = observations
        .iter()
        .filter(|observation| observation.severity > super::observation::Severity::Note)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let checks: BTreeSet<_> = observations.iter().map(|observation| observation.check).collect();
    assert_eq!(checks.len(), check::names().count(), "every check reports something");
}
