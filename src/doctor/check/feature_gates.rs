//! Feature gates: those of the API server by its metric, those of kubelets as far as nodes declare
//! them.

use k8s_openapi::api::core::v1::Node;

use crate::doctor::facts::Facts;
use crate::doctor::names;
use crate::doctor::observation::Observations;

/// A feature gate, and what does not work without it.
struct Gate {
    name: &'static str,
    without: &'static str,
    /// The minor version from which it is on by default.
    since: u16,
    /// Whether Restraint is useless without it.
    matters: bool,
    /// Whether nodes declare it.
    is_declared: bool,
}

const GATES: [Gate; 5] = [
    Gate {
        name: "InPlacePodVerticalScaling",
        without: "pods are not resized in place",
        since: 33,
        matters: true,
        is_declared: false,
    },
    Gate {
        name: "PodLevelResources",
        without: "spec.resources of pods is dropped",
        since: 34,
        matters: false,
        is_declared: false,
    },
    Gate {
        name: "InPlacePodLevelResourcesVerticalScaling",
        without: "pods with spec.resources are not resized",
        since: 36,
        matters: false,
        is_declared: true,
    },
    Gate {
        name: "ContainerRestartRules",
        without: "restartPolicyRules of containers are dropped",
        since: 35,
        matters: false,
        is_declared: false,
    },
    Gate {
        name: "RestartAllContainersOnContainerExits",
        without: "the action RestartAllContainers is rejected",
        since: 36,
        matters: false,
        is_declared: true,
    },
];

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    match &facts.gates {
        Err(reason) => {
            let remedy = "run it with the right to get /metrics of the API server; until then see what is on by default";
            observations.unknown("API server", "feature gates were", reason, remedy);
            by_default(facts, observations);
        }
        Ok(gates) => {
            for gate in &GATES {
                match gates.get(gate.name) {
                    Some(true) => observations.ok("API server", format!("{} is on", gate.name)),
                    Some(false) if gate.matters => {
                        let message = format!("{} is off: {}", gate.name, gate.without);
                        observations.problem(
                            "API server",
                            message,
                            format!("start it with --feature-gates={}=true", gate.name),
                        );
                    }
                    Some(false) => observations
                        .remark("API server", format!("{} is off: {}", gate.name, gate.without)),
                    None => observations.remark(
                        "API server",
                        format!("{} is not reported: it is unknown or always on", gate.name),
                    ),
                }
            }
        }
    }
    nodes(facts, observations);
}

/// What is on by default in this version, if the gates themselves are not known.
fn by_default(facts: &Facts, observations: &mut Observations<'_>) {
    let Some(minor) = facts.version.as_ref().ok().and_then(|version| version.minor) else { return };
    let (on, off): (Vec<_>, Vec<_>) = GATES.iter().partition(|gate| gate.since <= minor);
    for (gates, word) in [(on, "on"), (off, "off or unknown")] {
        let list: Vec<_> = gates.into_iter().map(|gate| gate.name).collect();
        if !list.is_empty() {
            observations.remark(
                "API server",
                format!("{word} by default in 1.{minor}: {}", names::listed(list)),
            );
        }
    }
}

/// Nodes declare features from 1.36 on, and the API server refuses pods and resizes that need what
/// a node does not declare.
fn nodes(facts: &Facts, observations: &mut Observations<'_>) {
    let Ok(nodes) = &facts.nodes else { return }; // the check of versions reports that
    let declares = |node: &Node, name: &str| {
        let mut features =
            node.status.iter().flat_map(|status| status.declared_features.iter().flatten());
        features.any(|feature| feature == name)
    };
    let declares_any = nodes
        .iter()
        .any(|node| node.status.as_ref().is_some_and(|status| status.declared_features.is_some()));
    if nodes.is_empty() || !declares_any {
        return;
    }
    for gate in GATES.iter().filter(|gate| gate.is_declared) {
        match nodes.iter().filter(|node| declares(node, gate.name)).count() {
            count if count == nodes.len() => {
                observations.ok("nodes", format!("all {count} declare {}", gate.name))
            }
            count => {
                let message = format!(
                    "{count} of {} declare {}: on the others {}",
                    nodes.len(),
                    gate.name,
                    gate.without
                );
                observations.remark("nodes", message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{healthy, lines, node, worst};

    use super::*;

    #[test]
    fn gates_that_are_off_are_told() {
        let mut facts = healthy();
        assert!(
            lines(check, &facts).iter().all(|line| line.starts_with("ok: ")),
            "{:#?}",
            lines(check, &facts)
        );
        let gates = facts.gates.as_mut().unwrap();
        gates.insert("PodLevelResources".to_owned(), false);
        gates.remove("ContainerRestartRules");
        let notes: Vec<_> =
            lines(check, &facts).into_iter().filter(|line| line.starts_with("note: ")).collect();
        assert_eq!(
            notes,
            [
                "note: API server: PodLevelResources is off: spec.resources of pods is dropped",
                "note: API server: ContainerRestartRules is not reported: it is unknown or always on",
            ]
        );
        facts.gates.as_mut().unwrap().insert("InPlacePodVerticalScaling".to_owned(), false);
        assert!(worst(check, &facts).starts_with("problem: "));
    }

    #[test]
    fn without_the_metric_the_version_tells_the_defaults() {
        let mut facts = healthy();
        facts.gates = Err("forbidden".to_owned());
        facts.version = Ok(crate::doctor::facts::Version::read("v1.34.1"));
        let lines = lines(check, &facts);
        assert!(
            lines
                .iter()
                .any(|line| line
                    == "unknown: API server: feature gates were not examined: forbidden")
        );
        assert!(
            lines.iter().any(|line| line == "note: API server: on by default in 1.34: InPlacePodVerticalScaling, PodLevelResources"),
            "{lines:#?}"
        );
    }

    #[test]
    fn nodes_that_declare_less_are_counted() {
        let mut facts = healthy();
        facts.nodes.as_mut().unwrap().push(node(
            "n3",
            "v1.36.2",
            &["RestartAllContainersOnContainerExits"],
        ));
        assert!(
            worst(check, &facts).contains("2 of 3 declare InPlacePodLevelResourcesVerticalScaling")
        );
        facts.nodes = Ok(Vec::new());
        assert!(worst(check, &facts).starts_with("ok: API server"));
    }
}
