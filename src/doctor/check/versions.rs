//! Versions: whether the API server and the kubelets resize pods in place.

use std::collections::BTreeMap;

use crate::doctor::facts::{Facts, Version};
use crate::doctor::names;
use crate::doctor::observation::Observations;

/// The minor version from which pods are resized in place and carry `metadata.generation`.
const OLDEST: u16 = 33;

/// The last one that this program knows.
const NEWEST: u16 = 37;

/// The minor version from which kubelets restart all containers of a pod where a rule says so.
const RESTART_ALL: u16 = 36;

/// What the API server serves where pods are resized.
const RESIZE: &str = "pods/resize";

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    server(facts, observations);
    match &facts.resources {
        Ok(resources) if resources.contains(RESIZE) => {
            observations.ok("API server", format!("serves {RESIZE}"))
        }
        Ok(_) => {
            let message = format!(
                "does not serve {RESIZE}: pods cannot be resized in place, and Restraint has nothing to check"
            );
            observations.problem(
                "API server",
                message,
                "Kubernetes 1.33 serves it, with the gate InPlacePodVerticalScaling",
            );
        }
        Err(reason) => observations.unknown(
            "API server",
            "its resources were",
            reason,
            "run it with access to /api/v1",
        ),
    }
    nodes(facts, observations);
}

fn server(facts: &Facts, observations: &mut Observations<'_>) {
    match &facts.version {
        Ok(Version { minor: Some(minor), text }) if *minor < OLDEST => {
            let message = format!(
                "{text} is older than 1.{OLDEST}: pods have no generation, so nothing can be approved"
            );
            observations.problem("API server", message, format!("upgrade to 1.{OLDEST} or later"));
        }
        Ok(Version { minor: Some(minor), text }) if *minor > NEWEST => {
            observations.remark(
                "API server",
                format!("{text} is newer than 1.{NEWEST}, the newest version known here"),
            );
        }
        Ok(version) => observations.ok("API server", version.text.clone()),
        Err(reason) => observations.unknown(
            "API server",
            "its version was",
            reason,
            "run it with access to /version",
        ),
    }
}

fn nodes(facts: &Facts, observations: &mut Observations<'_>) {
    let nodes = match &facts.nodes {
        Ok(nodes) => nodes,
        Err(reason) => {
            return observations.unknown(
                "nodes",
                "kubelets were",
                reason,
                "run it with the right to list nodes",
            );
        }
    };
    let (mut versions, mut old, mut without, mut untold) =
        (BTreeMap::<_, usize>::new(), Vec::new(), Vec::new(), Vec::new());
    for node in nodes {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        let info = node.status.as_ref().and_then(|status| status.node_info.as_ref());
        let told = info.map(|info| info.kubelet_version.trim()).unwrap_or_default();
        if told.is_empty() {
            untold.push(name);
            continue;
        }
        let version = Version::read(told);
        old.extend(version.minor.filter(|minor| *minor < OLDEST).map(|_| name));
        without.extend(version.minor.filter(|minor| *minor < RESTART_ALL).map(|_| name));
        let count = versions.entry(version.text).or_default();
        *count = count.saturating_add(1);
    }
    if !old.is_empty() {
        let message =
            format!("kubelets older than 1.{OLDEST} do not resize: {}", names::listed(old));
        observations.warning("nodes", message, format!("upgrade them to 1.{OLDEST} or later"));
    }
    if !without.is_empty() {
        let message = format!(
            "kubelets older than 1.{RESTART_ALL} ignore rules with RestartAllContainers: {}",
            names::listed(without)
        );
        observations.note("nodes", message, "keep pods with such rules on newer nodes");
    }
    if !untold.is_empty() {
        // a node that registers, or one that no kubelet runs on
        let reason = format!("their nodes do not say: {}", names::listed(untold));
        let remedy = "see what runs there: kubectl get nodes -o wide";
        observations.unknown("nodes", "versions of kubelets were", &reason, remedy);
    }
    let counts: Vec<_> =
        versions.iter().map(|(version, count)| format!("{count} of {version}")).collect();
    match (nodes.len(), counts.len()) {
        (0, _) => observations.remark("nodes", "there are none"),
        (_, 0) => {}
        _ => observations.ok("nodes", format!("kubelets: {}", names::listed(counts))),
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{healthy, lines, node, worst};

    use super::*;

    #[test]
    fn versions_are_told_and_judged() {
        let mut facts = healthy();
        assert_eq!(
            lines(check, &facts),
            [
                "ok: API server: v1.36.2",
                "ok: API server: serves pods/resize",
                "ok: nodes: kubelets: 2 of v1.36.2"
            ]
        );
        facts.nodes.as_mut().unwrap().push(node("old", "v1.32.1", &[]));
        assert!(
            worst(check, &facts)
                .starts_with("warning: nodes: kubelets older than 1.33 do not resize: old")
        );
        facts.nodes = Ok(vec![node("n", "v1.35.0", &[])]);
        assert!(worst(check, &facts).starts_with("note: nodes: "));
        facts.version = Ok(Version::read("v1.32.4"));
        assert!(worst(check, &facts).starts_with("problem: API server: v1.32.4 is older"));
        facts.version = Ok(Version::read("v1.40.0"));
        facts.resources.as_mut().unwrap().clear();
        assert!(
            worst(check, &facts).starts_with("problem: API server: does not serve pods/resize")
        );
    }

    #[test]
    fn a_node_that_tells_no_version_is_named() {
        let mut facts = healthy();
        facts.nodes.as_mut().unwrap().push(node("new", "", &[]));
        let untold =
            "unknown: nodes: versions of kubelets were not examined: their nodes do not say: new";
        let told = lines(check, &facts);
        assert_eq!(told[2..], [untold, "ok: nodes: kubelets: 2 of v1.36.2"]);
        let mut bare = node("new", "", &[]);
        bare.status = None;
        facts.nodes = Ok(vec![bare]);
        assert_eq!(lines(check, &facts)[2..], [untold]);
    }

    #[test]
    fn what_is_not_told_is_not_examined() {
        let mut facts = healthy();
        (facts.version, facts.resources, facts.nodes) =
            (Err("a".to_owned()), Err("b".to_owned()), Err("c".to_owned()));
        assert!(lines(check, &facts).iter().all(|line| line.starts_with("unknown: ")));
    }
}
