//! An installation that is well, and then less and less so.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::autoscalers::{floor, in_place};
use crate::certificate::Certificate;
use crate::deadline::eventually;
use crate::pods::pod;
use crate::world::{self, kube_system};

use super::made::Made;
use super::report::Said;

/// The object that most is said about.
const PLACE: &str = "restraint-doctor/restraint";

/// What is said while all is well.
const WELL: &[Said<'_>] = &[
    ("installation", "ok", PLACE, "with 7 webhooks"),
    ("hooks", "ok", PLACE, "every required webhook"),
    ("reach", "note", PLACE, "guarded: 1 of "),
    ("fail-closed", "ok", PLACE, "only narrow webhooks"),
    ("fallback", "ok", DECREASE_POLICY, "is in force"),
    ("match-conditions", "ok", PLACE, "the match conditions of the chart"),
    ("hook-service", "ok", PLACE, "has 1 ready endpoints"),
    ("ca-bundle", "ok", PLACE, "matches the serving certificate"),
    ("certificate", "ok", "restraint-doctor/serving", "is for restraint.restraint-doctor.svc"),
    ("policies", "ok", "restraint-doctor/restraint-policies", "2 policies, cap enforce, digest "),
    ("replicas", "ok", PLACE, "2 replicas are ready on 2 nodes"),
    ("disruption-budget", "ok", PLACE, "covers its 2 pods"),
    ("versions", "ok", "API server", "v1."),
    ("versions", "ok", "API server", "serves pods/resize"),
    ("versions", "ok", "nodes", "of v1.36.0"),
    ("feature-gates", "ok", "API server", "InPlacePodLevelResourcesVerticalScaling is on"),
    ("feature-gates", "ok", "API server", "RestartAllContainersOnContainerExits is on"),
    ("resizers", "note", "e2e-developer", "user \"dev@example.com\" may resize pods everywhere"),
    ("resizers", "ok", "cluster", "cluster-admin"),
    ("approvers", "note", "e2e-sre-approver", "group \"sre\" may approve"),
    ("latency", "note", "cluster", "was not measured"),
];

const DECREASE_POLICY: &str =
    "ValidatingAdmissionPolicy memory-limit-decrease.fallback.restraint.dev";

/// What is said of hooks that nobody answers, or that hold up more than they should.
const BROKEN_HOOKS: &[Said<'_>] = &[
    ("ca-bundle", "problem", RESIZE_HOOK, "does not match the certificate"),
    (
        "match-conditions",
        "problem",
        RESIZE_HOOK,
        "has no match condition \"may-take-memory\" and fails closed",
    ),
    ("fail-closed", "problem", "broad.example.com", "every pod of kube-system"),
    ("hook-service", "problem", "restraint-doctor/gone", "does not exist"),
    ("hook-service", "problem", PLACE, "has no ready endpoint"),
];

const RESIZE_HOOK: &str = "hook resize.restraint.dev";

/// What is said of replicas that go all at once.
const BROKEN_REPLICAS: &[Said<'_>] = &[
    ("policies", "problem", "restraint-doctor/restraint-policies", "unknown mode \"loud\""),
    ("replicas", "warning", PLACE, "all 2 replicas are on node \"restraint-doctor-1\""),
    ("disruption-budget", "warning", PLACE, "no PodDisruptionBudget covers its pods"),
    ("certificate", "problem", "restraint-doctor/serving", "has no tls.crt"),
];

/// What is said of what others do in the cluster.
const BROKEN_SURROUNDINGS: &[Said<'_>] = &[
    (
        "vpa-memory-floor",
        "warning",
        "restraint-doctor-shop/unbounded",
        "InPlaceOrRecreate takes memory",
    ),
    ("vpa-memory-floor", "ok", "cluster", "no webhook of Restraint covers"),
    (
        "resizers",
        "problem",
        "restraint-doctor-shop/everybody",
        "group \"system:serviceaccounts\" may resize pods in namespace",
    ),
    (
        "resizers",
        "warning",
        "restraint-doctor-shop/updater",
        "service account tools/resource-updater is not listed as automation in policy \"memory-limit-decrease\"",
    ),
    ("resizers", "ok", "cluster", "RoleBinding restraint-doctor/everybody"),
    (
        "approvers",
        "warning",
        "restraint-doctor-shop/robots",
        "service account tools/robot may approve",
    ),
    ("reloader-scope", "ok", "restraint-doctor/reloader", "only namespace elsewhere"),
    (
        "reloader-scope",
        "warning",
        "Namespace restraint-doctor",
        "no Reloader watches this namespace: Deployment web",
    ),
];

pub(super) fn step_by_step() {
    world::fallback();
    let made = Made::new("doctor");
    let (outcome, report) = made.examine();
    outcome.accepted();
    report.assert_says(WELL);

    break_hooks(&made);
    break_replicas(&made);
    break_surroundings(&made);
    let text = made.kubectl.restraint(&["doctor"]);
    assert!(!text.succeeded());
}

/// Each in what catches nothing of other trials.
fn break_hooks(made: &Made) {
    let (kind, name) = ("validatingwebhookconfiguration", &*made.namespace);
    let other = STANDARD.encode(Certificate::new(&["other"]).authority);
    made.patch(
        kind,
        name,
        &json!([
            {"op": "test", "path": "/webhooks/0/name", "value": "resize.restraint.dev"},
            {"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": other},
            {"op": "remove", "path": "/webhooks/0/matchConditions"},
        ]),
    );
    let patch = json!([{"op": "replace", "path": "/endpoints/0/conditions/ready", "value": false}]);
    made.patch("endpointslice", "restraint", &patch);
    let (outcome, report) = while_kube_system_is_barred(made, || made.examine());
    outcome.refused();
    report.assert_says(BROKEN_HOOKS);
}

/// Runs `meanwhile` while a hook that nobody answers guards every new pod of kube-system.
fn while_kube_system_is_barred<T>(made: &Made, meanwhile: impl FnOnce() -> T) -> T {
    let _alone = kube_system();
    let system = json!({"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}});
    made.create(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "broad"},
        "webhooks": [{
            "name": "broad.example.com", "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "namespaceSelector": system, "clientConfig": {"service": {"namespace": made.namespace, "name": "gone"}},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
        }],
    }));
    let seen = meanwhile();
    made.kubectl.run(&["delete", "validatingwebhookconfiguration", "broad"]).accepted();
    eventually("nothing bars pods from kube-system", || {
        let line = ["create", "--dry-run=server", "--filename", "-"];
        let created = made.kubectl.within("kube-system").feed(&line, &pod("probe").to_string());
        created.succeeded().then_some(())
    });
    seen
}

fn break_replicas(made: &Made) {
    made.kubectl
        .run(&["delete", "pod", "restraint-2", "--force", "--grace-period", "0"])
        .accepted();
    made.replica("restraint-3", 1);
    made.kubectl.run(&["delete", "poddisruptionbudget", "restraint"]).accepted();
    with_policy_in_mode(made, "loud");
    made.kubectl.run(&["delete", "secret", "serving"]).accepted();
    let (outcome, report) = made.examine();
    outcome.refused();
    report.assert_says(BROKEN_REPLICAS);
}

/// Replaces one of the policies by the same in this mode.
fn with_policy_in_mode(made: &Made, mode: &str) {
    let text = format!("name: file-watch\nrule: file-watch\nmode: {mode}\n");
    let patch = json!([{"op": "replace", "path": "/data/file-watch.yaml", "value": text}]);
    made.patch("configmap", "restraint-policies", &patch);
}

fn break_surroundings(made: &Made) {
    with_policy_in_mode(made, "warn");
    let mut bounded = in_place("bounded");
    bounded["spec"]["resourcePolicy"] = floor();
    let binding = |name: &str, role: &str, subject: Value| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}, "subjects": [subject],
        })
    };
    let account =
        |name: &str| json!({"kind": "ServiceAccount", "name": name, "namespace": "tools"});
    let everybody = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts"});
    let everybody = binding("everybody", "e2e-developer", everybody);
    made.looked_after(&[
        in_place("unbounded"),
        bounded,
        everybody.clone(),
        binding("updater", "e2e-developer", account("resource-updater")),
        binding("robots", "restraint-approver", account("robot")),
    ]);
    // no hook is called where Restraint itself runs
    made.create(&in_place("unbounded"));
    made.create(&everybody);
    let workload = |name: &str, image: &str, env: Value, annotations: Value| {
        let labels = json!({"app": name});
        let containers = json!([{"name": "app", "image": image, "env": env}]);
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "annotations": annotations},
               "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}}}})
    };
    let elsewhere = json!([{"name": "KUBERNETES_NAMESPACE", "value": "elsewhere"}]);
    made.create(&workload("reloader", "ghcr.io/stakater/reloader:v1.4.21", elsewhere, json!({})));
    let automatic = json!({"reloader.stakater.com/auto": "true"});
    made.create(&workload("web", "example.com/web:1", json!([]), automatic));
    let (outcome, report) = made.examine();
    outcome.refused();
    report.assert_says(BROKEN_SURROUNDINGS);
    for sound in ["restraint-doctor-shop/bounded", "restraint-doctor/unbounded"] {
        let place = format!("VerticalPodAutoscaler {sound}");
        assert!(!report.by("vpa-memory-floor").any(|entry| entry["object"] == place.as_str()));
    }
}
