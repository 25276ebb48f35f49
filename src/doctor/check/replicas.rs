//! Replicas: how many are ready, and whether all are on one node.

use std::collections::BTreeSet;

use crate::cluster::pod::is_ready;
use crate::doctor::facts::{Facts, Installation};
use crate::doctor::observation::Observations;

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        examine(facts, installation, observations);
    }
}

fn examine(facts: &Facts, installation: &Installation, observations: &mut Observations<'_>) {
    let place = installation.object();
    let pods = match &installation.pods {
        Ok(Some(pods)) => pods,
        Ok(None) => {
            return observations
                .remark(place, "selects no pods of the cluster: replicas were not examined");
        }
        Err(reason) => {
            return observations.unknown(
                place,
                "its pods were",
                reason,
                "run it with the right to list pods there",
            );
        }
    };
    let ready: Vec<_> = pods.iter().filter(|pod| is_ready(pod)).collect();
    let nodes: BTreeSet<_> =
        ready.iter().filter_map(|pod| pod.spec.as_ref()?.node_name.as_deref()).collect();
    let wanted = wanted(installation);
    match (ready.len(), nodes.len()) {
        (0, _) => observations.problem(
            place,
            "no pod is ready: Restraint is down",
            "see kubectl describe pod and the log",
        ),
        (1, _) if wanted.is_none_or(|wanted| wanted <= 1) => {
            observations.warning(
                place,
                "one replica: while it restarts or moves, Restraint is down",
                "set replicas to 2 or more",
            );
        }
        (ready, _)
            if wanted.is_some_and(|wanted| {
                i64::try_from(ready).unwrap_or(i64::MAX) < i64::from(wanted)
            }) =>
        {
            let message = format!("{ready} of {} replicas are ready", wanted.unwrap_or_default());
            observations.warning(
                place,
                message,
                "see kubectl describe pod and the log of the others",
            );
        }
        (ready, 1) => one_node(facts, place, ready, &nodes, observations),
        (ready, nodes) => {
            observations.ok(place, format!("{ready} replicas are ready on {nodes} nodes"))
        }
    }
}

fn one_node(
    facts: &Facts,
    place: String,
    ready: usize,
    nodes: &BTreeSet<&str>,
    observations: &mut Observations<'_>,
) {
    let node = nodes.first().copied().unwrap_or_default();
    let message =
        format!("all {ready} replicas are on node {node:?}: if that node fails, Restraint is down");
    if facts.nodes.as_ref().is_ok_and(|nodes| nodes.len() == 1) {
        return observations.remark(place, format!("{message}; it is the only node"));
    }
    let remedy = "leave affinity to the chart, which spreads them, and delete one of the pods";
    observations.warning(place, message, remedy);
}

/// How many replicas there should be.
fn wanted(installation: &Installation) -> Option<i32> {
    let deployment = installation.deployment.as_ref().ok()?.as_ref()?;
    Some(deployment.spec.as_ref()?.replicas.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{healthy, lines, node, pod, worst};

    use super::*;

    fn with(nodes: &[&str]) -> Facts {
        let mut facts = healthy();
        facts.installations[0].pods = Ok(Some(nodes.iter().map(|node| pod(node)).collect()));
        facts
    }

    #[test]
    fn replicas_are_counted_by_node() {
        assert_eq!(
            lines(check, &healthy()),
            ["ok: Service restraint/restraint: 2 replicas are ready on 2 nodes"]
        );
        assert!(worst(check, &with(&["n1", "n1"])).starts_with(
            "warning: Service restraint/restraint: all 2 replicas are on node \"n1\""
        ));
        assert!(worst(check, &with(&["n1"])).contains("1 of 2 replicas are ready"));
        assert!(worst(check, &with(&[])).starts_with("problem: "));
        let mut alone = with(&["n1", "n1"]);
        alone.nodes = Ok(vec![node("n1", "v1.36.2", &[])]);
        assert!(worst(check, &alone).starts_with("note: "));
    }

    #[test]
    fn one_replica_is_not_enough() {
        let mut facts = with(&["n1"]);
        facts.installations[0]
            .deployment
            .as_mut()
            .unwrap()
            .as_mut()
            .unwrap()
            .spec
            .as_mut()
            .unwrap()
            .replicas = Some(1);
        assert!(worst(check, &facts).contains("one replica"));
    }

    #[test]
    fn pods_that_go_or_are_not_ready_do_not_count() {
        let mut gone = pod("n1");
        gone.metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(jiff::Timestamp::UNIX_EPOCH));
        let mut facts = healthy();
        let mut unready = pod("n1");
        unready.status.as_mut().unwrap().conditions.as_mut().unwrap()[0].status =
            "False".to_owned();
        facts.installations[0].pods = Ok(Some(vec![gone, unready]));
        assert!(worst(check, &facts).starts_with("problem: "));
        facts.installations[0].pods = Ok(None);
        assert!(worst(check, &facts).starts_with("note: "));
        facts.installations[0].pods = Err("forbidden".to_owned());
        assert!(worst(check, &facts).starts_with("unknown: "));
    }
}
