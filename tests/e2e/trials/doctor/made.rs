//! An installation for the doctor to look at.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::certificate::Certificate;
use crate::kubectl::{Kubectl, Outcome};
use crate::pods::pod;
use crate::world::cluster;

use super::report::Report;

/// As the chart renders them.
const WEBHOOKS: &str = include_str!("../../webhooks.yaml");

/// An installation made by hand, as controllers would have made it. Nobody answers there.
pub(super) struct Made {
    pub(super) kubectl: Kubectl,
    pub(super) namespace: String,
    name: String,
}

impl Made {
    /// Makes one in a namespace of its own, and one more that it looks after, with a pod.
    pub(super) fn new(name: &str) -> Self {
        let namespace = format!("restraint-{name}");
        let kubectl = cluster().kubectl().within(&namespace);
        let made = Self { kubectl, namespace, name: name.to_owned() };
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
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "restraint-policies"}, "data": {
                "file-watch.yaml": "name: file-watch\nrule: file-watch\nmode: warn\n",
                "memory-limit-decrease.yaml": "name: memory-limit-decrease\nrule: memory-limit-decrease\nmode: enforce\n",
            }}),
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
        made.guard(&made.guarded(), &[pod("web")]);
        made.kubectl.feed(&["create", "--filename", "-"], &webhooks).accepted();
        made
    }

    /// The namespace that it looks after from the start.
    pub(super) fn guarded(&self) -> String {
        format!("{}-guarded", self.namespace)
    }

    fn service(&self) -> Value {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "restraint", "labels": labels()},
               "spec": {"selector": labels(), "ports": [{"name": "reviews", "port": 443}]}})
    }

    fn deployment(&self) -> Value {
        let container = json!({
            "name": "restraint", "image": "example.com/restraint:1",
            "args": ["serve", "--cap=enforce", "--tls-cert=/etc/restraint/tls/tls.crt", "--policies=/etc/restraint/policies"],
            "volumeMounts": [{"name": "tls", "mountPath": "/etc/restraint/tls"}, {"name": "policies", "mountPath": "/etc/restraint/policies"}],
        });
        let volumes = json!([{"name": "tls", "secret": {"secretName": "serving"}}, {"name": "policies", "configMap": {"name": "restraint-policies"}}]);
        let spec = json!({"containers": [container], "volumes": volumes});
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
    pub(super) fn replica(&self, name: &str, node: u8) {
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

    /// Creates an object in its namespace.
    #[track_caller]
    pub(super) fn create(&self, object: &Value) {
        self.kubectl.feed(&["create", "--filename", "-"], &object.to_string()).accepted();
    }

    /// Makes a namespace that it looks after, and in it these objects, before any hook is called there.
    /// Its name.
    #[track_caller]
    pub(super) fn looked_after(&self, objects: &[Value]) -> String {
        let namespace = format!("{}-shop", self.namespace);
        self.guard(&namespace, objects);
        namespace
    }

    #[track_caller]
    fn guard(&self, namespace: &str, objects: &[Value]) {
        self.create(
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        );
        let there = self.kubectl.within(namespace);
        there.feed(&["create", "--filename", "-"], &list(objects).to_string()).accepted();
        let label = format!("e2e.example/installation={}", self.name);
        self.kubectl.run(&["label", "namespace", namespace, &label]).accepted();
    }

    /// Applies a JSON patch.
    #[track_caller]
    pub(super) fn patch(&self, kind: &str, name: &str, patch: &Value) {
        self.kubectl
            .run(&["patch", kind, name, "--type", "json", "--patch", &patch.to_string()])
            .accepted();
    }

    /// Lets the doctor look at it.
    pub(super) fn examine(&self) -> (Outcome, Report) {
        let outcome = self.kubectl.restraint(&["doctor", "--format", "json"]);
        let report = Report::of(&outcome);
        (outcome, report)
    }
}

fn labels() -> Value {
    json!({"app.kubernetes.io/name": "restraint", "app.kubernetes.io/instance": "made"})
}

fn list(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}
