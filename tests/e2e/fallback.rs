//! The fallback policies: those of the API server itself, which stand below Restraint.

use serde_json::json;

use crate::cluster::Cluster;
use crate::deadline::eventually;
use crate::kubectl::{Kubectl, Outcome, Person};
use crate::pods::{memory_limit, pod};

/// As the chart renders them.
pub(crate) const FALLBACK: &str = include_str!("fallback.yaml");

/// As it renders them for a policy with allowances, with the one that puts back.
const WITH_ALLOWANCES: &str = include_str!("fallback-with-allowances.yaml");

/// The one that guards memory, as it renders it for the recipes of `docs/policies.md`.
const WITH_RECIPES: &str = include_str!("fallback-with-recipes.yaml");

/// The label of the namespaces that have the fallback policies: other trials go on without them.
pub(crate) const LABEL: &str = "e2e.example/fallback";

/// Installs them, and returns when the API server goes by each.
pub(crate) fn install(cluster: &Cluster) {
    cluster.kubectl().feed(&["create", "--filename", "-"], FALLBACK).accepted();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fallback-probe", "labels": {LABEL: "yes"}}});
    cluster.kubectl().feed(&["create", "--filename", "-"], &namespace.to_string()).accepted();
    let kubectl = cluster.kubectl().within("fallback-probe");
    eventually("new pods get a resize policy", || {
        let line = ["create", "--dry-run=server", "--filename", "-", "--output", "json"];
        let created = kubectl.feed(&line, &pod("probe").to_string()).accepted().object();
        created["spec"]["containers"][0]["resizePolicy"].is_array().then_some(())
    });
    kubectl.feed(&["create", "--filename", "-"], &pod("probe").to_string()).accepted();
    eventually("decreases are denied", || {
        (!resize(&kubectl, "300Mi", &[]).succeeded()).then_some(())
    });
    eventually("who writes a stamp is looked at", || {
        let stamp = ["annotate", "pod", "probe", "restraint.dev/approval=a", "--dry-run=server"];
        (!kubectl.by(Person::Developer).run(&stamp).succeeded()).then_some(())
    });
}

/// Installs those with allowances, and returns when the API server goes by them.
pub(crate) fn install_with_allowances(cluster: &Cluster) {
    cluster.kubectl().feed(&["create", "--filename", "-"], WITH_ALLOWANCES).accepted();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "allowances-probe", "labels": {LABEL: "allowances"}}});
    cluster.kubectl().feed(&["create", "--filename", "-"], &namespace.to_string()).accepted();
    let kubectl = cluster.kubectl().within("allowances-probe");
    kubectl.feed(&["create", "--filename", "-"], &pod("probe").to_string()).accepted();
    eventually("decreases are denied", || {
        (!resize(&kubectl, "300Mi", &[]).succeeded()).then_some(())
    });
    let updater = ["--as", Person::Autoscaler.username(), "--as-group", "system:masters"];
    eventually("decreases are put back", || {
        resize(&kubectl, "300Mi", &updater).succeeded().then_some(())
    });
}

/// Installs the one with recipes, and returns when the API server goes by it.
pub(crate) fn install_with_recipes(cluster: &Cluster) {
    cluster.kubectl().feed(&["create", "--filename", "-"], WITH_RECIPES).accepted();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "recipes-probe", "labels": {LABEL: "recipes"}}});
    cluster.kubectl().feed(&["create", "--filename", "-"], &namespace.to_string()).accepted();
    let kubectl = cluster.kubectl().within("recipes-probe");
    kubectl.feed(&["create", "--filename", "-"], &pod("probe").to_string()).accepted();
    eventually("decreases are denied", || {
        (!resize(&kubectl, "300Mi", &[]).succeeded()).then_some(())
    });
}

fn resize(kubectl: &Kubectl, amount: &str, flags: &[&str]) -> Outcome {
    let patch = memory_limit(amount).to_string();
    let line = ["patch", "pod", "probe", "--subresource", "resize", "--patch", &patch];
    kubectl.run(&[&line[..], &["--dry-run=server"], flags].concat())
}
