//! What the doctor may see.

use std::fs;

use serde_json::{Value, json};

use crate::autoscalers::in_place;
use crate::deadline::eventually;
use crate::kubectl::{Kubectl, Person};
use crate::space::Space;
use crate::world::{cluster, enforcing};

use super::made::Made;
use super::probe::assert_nothing_left;
use super::report::Report;

/// Has the rights that the doctor needs.
const PAGE: &str = include_str!("../../../../docs/doctor.md");

/// Who has these rights and no others.
const DOCTOR: &str = "doctor@example.com";

pub(super) fn none() {
    let outcome = cluster()
        .kubectl()
        .by(Person::Developer)
        .within(&enforcing().namespace())
        .restraint(&["doctor", "--format", "json"]);
    let report = Report::of(&outcome);
    outcome.accepted();
    let configurations = "MutatingWebhookConfigurations were not examined";
    report.assert_says(&[("installation", "unknown", "cluster", configurations)]);
    for check in [
        "fallback",
        "versions",
        "feature-gates",
        "vpa-memory-floor",
        "resizers",
        "approvers",
        "reloader-scope",
    ] {
        report.assert_says(&[(check, "unknown", "", "not examined: ")]);
    }
}

pub(super) fn as_documented() {
    let (made, space) = (Made::new("doctor-rights"), enforcing().space());
    // whose updater the policies list, or do not
    made.looked_after(&[in_place("unbounded"), updater()]);
    grant(&made, &space);
    let mut config: Value =
        serde_json::from_slice(&fs::read(cluster().file(Person::Admin.kubeconfig())).unwrap())
            .unwrap();
    config["users"][0]["user"]["as"] = json!(DOCTOR);
    let file = cluster().file("doctor.kubeconfig");
    fs::write(&file, config.to_string()).unwrap();
    let doctor = |here: &Kubectl, flags: &[&str]| {
        let line = ["doctor", "--fail-on", "never", "-o", "json", "--kubeconfig"];
        let line = [&line[..], &[file.to_str().unwrap()], flags].concat();
        Report::of(&here.restraint(&line).accepted())
    };
    let report = doctor(&made.kubectl, &[]);
    // nodes that other trials made up say nothing of a kubelet, whatever the rights
    let unseen: Vec<_> =
        report.unseen().into_iter().filter(|each| each["object"] != "nodes").collect();
    assert!(unseen.is_empty(), "{unseen:#?}");
    report.assert_says(&[(
        "resizers",
        "warning",
        "doctor-rights-shop/updater",
        "service account tools/resource-updater is not listed as automation",
    )]);

    let here = cluster().kubectl().within(&enforcing().namespace());
    let report =
        doctor(&here, &["--probe", "--probe-namespace", space.name(), "--probe-count", "1"]);
    let measured = "1 memory resizes in dry runs took";
    report.assert_says(&[("latency", "ok", "Namespace", measured)]);
    let elsewhere = enforcing().space();
    let report = doctor(&here, &["--probe", "--probe-namespace", elsewhere.name()]);
    let refused = "cannot create resource \"pods\"";
    report.assert_says(&[("latency", "unknown", "cluster", refused)]);
    assert_nothing_left(&space);
}

/// A binding by which an updater may resize pods.
fn updater() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "updater"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "e2e-developer"},
        "subjects": [{"kind": "ServiceAccount", "name": "resource-updater", "namespace": "tools"}],
    })
}

/// Gives the doctor the rights of its page, for this installation and for a pod in this namespace,
/// and returns when it has them.
fn grant(made: &Made, space: &Space<'_>) {
    let (_, rights) = PAGE.split_once("```yaml\n").unwrap();
    let (rights, _) = rights.split_once("```").unwrap();
    let place = |namespace: &str| format!("namespace: {namespace}}}");
    let rights = rights
        .replace(&place("restraint"), &place(&made.namespace))
        .replace(&place("shop"), &place(space.name()))
        .replace("[restraint-tls]", "[serving]");
    let admin = cluster().kubectl();
    for object in serde_saphyr::from_multiple::<Value>(&rights).unwrap() {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
        admin
            .within(namespace)
            .feed(&["create", "--filename", "-"], &object.to_string())
            .accepted();
    }
    let user = format!("--user={DOCTOR}");
    let role = "--clusterrole=restraint-doctor";
    admin.run(&["create", "clusterrolebinding", "restraint-doctor", role, &user]).accepted();
    for (namespace, role) in
        [(&*made.namespace, "restraint-doctor"), (space.name(), "restraint-doctor-probe")]
    {
        admin
            .within(namespace)
            .run(&["create", "rolebinding", role, &format!("--role={role}"), &user])
            .accepted();
    }
    let may = |namespace: &str, what: &[&str]| {
        let line = [&["auth", "can-i", "--quiet", "--as", DOCTOR], what].concat();
        admin.within(namespace).run(&line).succeeded()
    };
    eventually("the doctor has its rights", || {
        (may("default", &["list", "nodes"])
            && may(&made.namespace, &["get", "secret/serving"])
            && may(&made.namespace, &["get", "configmap/restraint-policies"])
            && may(space.name(), &["create", "pods"]))
        .then_some(())
    });
}
