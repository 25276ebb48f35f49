//! `restraint doctor`, against installations that are well and that were broken.

use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::autoscalers::{floor, in_place};
use crate::certificate::Certificate;
use crate::kubectl::{Kubectl, Outcome, Person};
use crate::process::Process;
use crate::world::{self, cluster, enforcing};

use super::trial;

/// As the chart renders them.
const WEBHOOKS: &str = include_str!("../webhooks.yaml");

/// Has the rights that the doctor needs.
const PAGE: &str = include_str!("../../../docs/doctor.md");

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "doctor: an installation that is well has no problem, and whatever is broken is found",
            an_installation,
        ),
        trial("doctor: the latency is measured with a pod that is gone afterwards", latency),
        trial("doctor: what may not be seen is not examined", without_rights),
        trial("doctor: no pod is left where it is told to end", interrupted),
        trial("doctor: the rights in its documentation are enough", with_documented_rights),
    ]
}

/// An installation made by hand, as controllers would have made it. Nobody answers there, and no
/// namespace carries its label.
struct Made {
    kubectl: Kubectl,
    namespace: String,
}

/// What was said.
struct Report(Vec<Value>);

impl Made {
    fn new(name: &str) -> Self {
        let namespace = format!("restraint-{name}");
        let kubectl = cluster().kubectl().within(&namespace);
        let made = Self { kubectl, namespace };
        made.create(
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made.namespace}}),
        );
        let certificate = Certificate::new(&[&format!("restraint.{}.svc", made.namespace)]);
        made.create(&list(&[
            made.service(),
            made.deployment(),
            made.slice(true),
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "restraint"},
                   "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels()}}}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "serving"}, "type": "kubernetes.io/tls",
                   "stringData": {"tls.crt": certificate.certificate, "tls.key": certificate.key}}),
        ]));
        for node in [1, 2] {
            made.node(node);
            made.replica(&format!("restraint-{node}"), node);
        }
        let authority = STANDARD.encode(&certificate.authority);
        let webhooks = WEBHOOKS
            .replace("${INSTALLATION}", name)
            .replace("${PORT}", "443")
            .replace("${CA_BUNDLE}", &authority);
        made.kubectl.feed(&["create", "--filename", "-"], &webhooks).accepted();
        made
    }

    fn service(&self) -> Value {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "restraint", "labels": labels()},
               "spec": {"selector": labels(), "ports": [{"name": "reviews", "port": 443}]}})
    }

    fn deployment(&self) -> Value {
        let container = json!({
            "name": "restraint", "image": "example.com/restraint:1",
            "args": ["serve", "--cap=enforce", "--tls-cert=/etc/restraint/tls/tls.crt"],
            "volumeMounts": [{"name": "tls", "mountPath": "/etc/restraint/tls"}],
        });
        let spec = json!({"containers": [container], "volumes": [{"name": "tls", "secret": {"secretName": "serving"}}]});
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "restraint"},
               "spec": {"replicas": 2, "selector": {"matchLabels": labels()}, "template": {"metadata": {"labels": labels()}, "spec": spec}}})
    }

    fn slice(&self, ready: bool) -> Value {
        let endpoints = json!([{"addresses": ["10.1.0.1"], "conditions": {"ready": ready}}]);
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": endpoints,
               "metadata": {"name": "restraint", "labels": {"kubernetes.io/service-name": "restraint"}}})
    }

    /// A node whose kubelet is as old as the API server.
    fn node(&self, number: u8) {
        let name = format!("{}-{number}", self.namespace);
        self.create(&json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}));
        let status = json!({"status": {"nodeInfo": {
            "architecture": "", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "",
            "kubeletVersion": "v1.36.0", "machineID": "", "operatingSystem": "", "osImage": "", "systemUUID": "",
        }}});
        self.patch_status("node", &name, &status);
    }

    /// A ready replica on a node.
    fn replica(&self, name: &str, node: u8) {
        let spec = json!({"nodeName": format!("{}-{node}", self.namespace), "containers": [{"name": "restraint", "image": "example.com/restraint:1"}]});
        self.create(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels()}, "spec": spec}));
        self.patch_status("pod", name, &json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}));
    }

    fn patch_status(&self, kind: &str, name: &str, status: &Value) {
        let status = status.to_string();
        self.kubectl
            .run(&[
                "patch",
                kind,
                name,
                "--subresource",
                "status",
                "--type",
                "merge",
                "--patch",
                &status,
            ])
            .accepted();
    }

    #[track_caller]
    fn create(&self, object: &Value) {
        self.kubectl.feed(&["create", "--filename", "-"], &object.to_string()).accepted();
    }

    /// Applies a JSON patch.
    #[track_caller]
    fn patch(&self, kind: &str, name: &str, patch: &Value) {
        self.kubectl
            .run(&["patch", kind, name, "--type", "json", "--patch", &patch.to_string()])
            .accepted();
    }

    fn examine(&self) -> (Outcome, Report) {
        let outcome = self.kubectl.restraint(&["doctor", "--format", "json"]);
        let report = Report(outcome.object().as_array().unwrap().clone());
        (outcome, report)
    }
}

impl Report {
    /// That a check said this of an object, as severely as this.
    #[track_caller]
    fn has(&self, check: &str, severity: &str, object: &str, message: &str) {
        let contains =
            |entry: &Value, field: &str, part: &str| entry[field].as_str().unwrap().contains(part);
        let found = self.0.iter().any(|entry| {
            entry["check"] == check
                && entry["severity"] == severity
                && contains(entry, "object", object)
                && contains(entry, "message", message)
        });
        assert!(
            found,
            "no {severity} of {check} about {object} with {message:?}: {:#?}",
            self.of(check)
        );
    }

    fn of(&self, check: &str) -> Vec<&Value> {
        self.0.iter().filter(|entry| entry["check"] == check).collect()
    }
}

fn labels() -> Value {
    json!({"app.kubernetes.io/name": "restraint", "app.kubernetes.io/instance": "made"})
}

fn list(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

fn an_installation() {
    world::fallback();
    let made = Made::new("doctor");
    let (outcome, report) = made.examine();
    outcome.accepted();
    let place = "restraint-doctor/restraint";
    report.has("installation", "ok", place, "with 6 hooks");
    report.has("hooks", "ok", place, "every hook that is needed");
    report.has("fail-closed", "ok", place, "only narrow hooks");
    report.has(
        "fallback",
        "ok",
        "ValidatingAdmissionPolicy memory-limit-decrease.fallback.restraint.dev",
        "is in force",
    );
    report.has("match-conditions", "ok", place, "the match conditions of the chart");
    report.has("hook-service", "ok", place, "has 1 ready endpoints");
    report.has("ca-bundle", "ok", place, "vouches for the serving certificate");
    report.has(
        "certificate",
        "ok",
        "restraint-doctor/serving",
        "is for restraint.restraint-doctor.svc",
    );
    report.has("replicas", "ok", place, "2 replicas are ready on 2 nodes");
    report.has("disruption-budget", "ok", place, "covers its 2 pods");
    report.has("versions", "ok", "API server", "v1.");
    report.has("versions", "ok", "API server", "serves pods/resize");
    report.has("versions", "ok", "nodes", "of v1.36.0");
    report.has(
        "feature-gates",
        "ok",
        "API server",
        "InPlacePodLevelResourcesVerticalScaling is on",
    );
    report.has("feature-gates", "ok", "API server", "RestartAllContainersOnContainerExits is on");
    report.has(
        "resizers",
        "note",
        "e2e-developer",
        "user \"dev@example.com\" may resize pods everywhere",
    );
    report.has("resizers", "ok", "cluster", "cluster-admin");
    report.has("approvers", "note", "e2e-sre-approver", "group \"sre\" may approve");
    report.has("latency", "note", "cluster", "was not measured");
    break_the_hooks(&made);
    break_the_replicas(&made);
    break_the_surroundings(&made);
    let text = made.kubectl.restraint(&["doctor"]);
    assert!(!text.succeeded());
}

/// Each in what catches nothing of other trials.
fn break_the_hooks(made: &Made) {
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
    let system = json!({"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}});
    made.create(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "broad"},
        "webhooks": [{
            "name": "broad.example.com", "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "namespaceSelector": system, "clientConfig": {"service": {"namespace": made.namespace, "name": "gone"}},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
        }],
    }));
    let patch = json!([{"op": "replace", "path": "/endpoints/0/conditions/ready", "value": false}]);
    made.patch("endpointslice", "restraint", &patch);
    let (outcome, report) = made.examine();
    made.kubectl.run(&["delete", "validatingwebhookconfiguration", "broad"]).accepted();
    outcome.refused();
    report.has(
        "ca-bundle",
        "problem",
        "hook resize.restraint.dev",
        "does not vouch for the certificate",
    );
    report.has(
        "match-conditions",
        "problem",
        "hook resize.restraint.dev",
        "has no match condition \"memory-differs\" and fails closed",
    );
    report.has("fail-closed", "problem", "broad.example.com", "every pod of kube-system");
    report.has("hook-service", "problem", "restraint-doctor/gone", "is not there");
    report.has("hook-service", "problem", "restraint-doctor/restraint", "has no ready endpoint");
}

fn break_the_replicas(made: &Made) {
    made.kubectl
        .run(&["delete", "pod", "restraint-2", "--force", "--grace-period", "0"])
        .accepted();
    made.replica("restraint-3", 1);
    made.kubectl.run(&["delete", "poddisruptionbudget", "restraint"]).accepted();
    made.kubectl.run(&["delete", "secret", "serving"]).accepted();
    let (outcome, report) = made.examine();
    outcome.refused();
    report.has(
        "replicas",
        "warning",
        "restraint-doctor/restraint",
        "all 2 replicas are on node \"restraint-doctor-1\"",
    );
    report.has(
        "disruption-budget",
        "warning",
        "restraint-doctor/restraint",
        "no PodDisruptionBudget covers its pods",
    );
    report.has("certificate", "problem", "restraint-doctor/serving", "has no tls.crt");
}

fn break_the_surroundings(made: &Made) {
    made.create(&in_place("unbounded"));
    let mut bounded = in_place("bounded");
    bounded["spec"]["resourcePolicy"] = floor();
    made.create(&bounded);
    made.create(&json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "everybody"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "e2e-developer"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts"}],
    }));
    made.create(&json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "robots"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "restraint-approver"},
        "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": made.namespace}],
    }));
    let workload = |name: &str, image: &str, env: Value, annotations: Value| {
        let labels = json!({"app": name});
        let containers = json!([{"name": "app", "image": image, "env": env}]);
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "annotations": annotations},
               "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}}}})
    };
    let elsewhere = json!([{"name": "KUBERNETES_NAMESPACE", "value": "elsewhere"}]);
    made.create(&workload("reloader", "ghcr.io/stakater/reloader:v1.4.21", elsewhere, json!({})));
    made.create(&workload(
        "web",
        "example.com/web:1",
        json!([]),
        json!({"reloader.stakater.com/auto": "true"}),
    ));
    let (outcome, report) = made.examine();
    outcome.refused();
    report.has(
        "vpa-memory-floor",
        "warning",
        "restraint-doctor/unbounded",
        "InPlaceOrRecreate takes memory",
    );
    assert!(
        !report
            .of("vpa-memory-floor")
            .iter()
            .any(|entry| entry["object"] == "VerticalPodAutoscaler restraint-doctor/bounded")
    );
    report.has(
        "resizers",
        "problem",
        "restraint-doctor/everybody",
        "group \"system:serviceaccounts\" may resize pods in namespace",
    );
    report.has(
        "approvers",
        "warning",
        "restraint-doctor/robots",
        "service account restraint-doctor/robot may approve",
    );
    report.has("reloader-scope", "ok", "restraint-doctor/reloader", "namespace elsewhere alone");
    report.has(
        "reloader-scope",
        "warning",
        "Namespace restraint-doctor",
        "no Reloader watches this namespace: Deployment web",
    );
}

fn latency() {
    let space = enforcing().space();
    let here = cluster().kubectl().within(&enforcing().namespace());
    let doctor = |namespace: &str| {
        let line = [
            "doctor",
            "--probe",
            "--probe-namespace",
            namespace,
            "--probe-count",
            "3",
            "--fail-on",
            "never",
            "-o",
            "json",
        ];
        Report(here.restraint(&line).accepted().object().as_array().unwrap().clone())
    };
    let report = doctor(space.name());
    report.has(
        "latency",
        "ok",
        &format!("Namespace {}", space.name()),
        "3 memory resizes in dry runs took",
    );
    report.has("latency", "ok", &format!("Namespace {}", space.name()), "3 cpu resizes");
    assert_eq!(space.object(&["get", "pods"])["items"], json!([]), "no pod is left");
    let reviews = space.reviews();
    let resizes: Vec<_> =
        reviews.iter().filter(|review| review["subresource"] == "resize").collect();
    assert_eq!(resizes.len(), 4, "the first makes the connection: {resizes:#?}");
    assert!(
        resizes.iter().all(|review| review["dry_run"] == true && review["allowed"] == true),
        "{resizes:#?}"
    );
    report.has("hook-service", "note", "restraint-enforcing/restraint", "leads out of the cluster");

    let report = doctor("default");
    report.has(
        "latency",
        "unknown",
        "cluster",
        "Restraint is not asked about resizes in namespace \"default\"",
    );
    let refused = space.by(Person::Sre).within("restraint-enforcing").restraint(&[
        "doctor",
        "--probe",
        "--probe-namespace",
        space.name(),
        "-o",
        "json",
    ]);
    Report(refused.object().as_array().unwrap().clone()).has(
        "latency",
        "unknown",
        "cluster",
        "cannot be seen: ",
    );
    assert_eq!(space.object(&["get", "pods"])["items"], json!([]), "no pod is left");
}

fn without_rights() {
    let outcome = cluster()
        .kubectl()
        .by(Person::Developer)
        .within(&enforcing().namespace())
        .restraint(&["doctor", "--format", "json"]);
    let report = Report(outcome.object().as_array().unwrap().clone());
    outcome.accepted();
    report.has("installation", "unknown", "cluster", "MutatingWebhookConfigurations not examined");
    for check in [
        "fallback",
        "versions",
        "feature-gates",
        "vpa-memory-floor",
        "resizers",
        "approvers",
        "reloader-scope",
    ] {
        report.has(check, "unknown", "", "not examined: ");
    }
}

fn interrupted() {
    let space = enforcing().space();
    let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
    command.args([
        "doctor",
        "--probe",
        "--probe-count",
        "1000",
        "--probe-namespace",
        space.name(),
        "--fail-on",
        "never",
    ]);
    command
        .args(["--namespace", &enforcing().namespace(), "--kubeconfig"])
        .arg(cluster().file(Person::Admin.kubeconfig()));
    let mut doctor =
        Process::start("restraint doctor", &mut command, cluster().file("interrupted.log"));
    let count = || space.object(&["get", "pods"])["items"].as_array().unwrap().len();
    doctor.eventually("its pod is there", |_| (count() == 1).then_some(()));
    doctor.terminate();
    assert!(doctor.wait().success());
    assert!(
        doctor.log().contains("latency was not examined: it was interrupted"),
        "{}",
        doctor.log()
    );
    assert_eq!(count(), 0);
}

fn with_documented_rights() {
    let (made, space) = (Made::new("doctor-rights"), enforcing().space());
    let (_, rights) = PAGE.split_once("```yaml\n").unwrap();
    let (rights, _) = rights.split_once("```").unwrap();
    let place = |namespace: &str| format!("namespace: {namespace}}}");
    let rights = rights
        .replace(&place("restraint"), &place(&made.namespace))
        .replace(&place("shop"), &place(space.name()));
    let rights = rights.replace("[restraint-tls]", "[serving]");
    let admin = cluster().kubectl();
    for object in serde_saphyr::from_multiple::<Value>(&rights).unwrap() {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
        admin
            .within(namespace)
            .feed(&["create", "--filename", "-"], &object.to_string())
            .accepted();
    }
    let user = "--user=doctor@example.com";
    admin
        .run(&[
            "create",
            "clusterrolebinding",
            "restraint-doctor",
            "--clusterrole=restraint-doctor",
            user,
        ])
        .accepted();
    for (namespace, role) in
        [(&*made.namespace, "restraint-doctor"), (space.name(), "restraint-doctor-probe")]
    {
        admin
            .within(namespace)
            .run(&["create", "rolebinding", role, &format!("--role={role}"), user])
            .accepted();
    }
    let mut config: Value =
        serde_json::from_slice(&std::fs::read(cluster().file(Person::Admin.kubeconfig())).unwrap())
            .unwrap();
    config["users"][0]["user"]["as"] = json!("doctor@example.com");
    let file = cluster().file("doctor.kubeconfig");
    std::fs::write(&file, config.to_string()).unwrap();
    let doctor = |here: &Kubectl, flags: &[&str]| {
        let line = [
            &["doctor", "--fail-on", "never", "-o", "json", "--kubeconfig", file.to_str().unwrap()],
            flags,
        ]
        .concat();
        Report(here.restraint(&line).accepted().object().as_array().unwrap().clone())
    };
    let report = doctor(&made.kubectl, &[]);
    let unseen: Vec<_> = report.0.iter().filter(|entry| entry["severity"] == "unknown").collect();
    assert!(unseen.is_empty(), "{unseen:#?}");
    let here = admin.within(&enforcing().namespace());
    let report =
        doctor(&here, &["--probe", "--probe-namespace", space.name(), "--probe-count", "1"]);
    report.has("latency", "ok", "Namespace", "1 memory resizes in dry runs took");
    let elsewhere = enforcing().space();
    let report = doctor(&here, &["--probe", "--probe-namespace", elsewhere.name()]);
    report.has("latency", "unknown", "cluster", "cannot create resource \"pods\"");
    assert_eq!(space.object(&["get", "pods"])["items"], json!([]), "no pod is left");
}
