//! Disruption budgets: whether draining nodes evicts all replicas at once, or never ends.

use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::cluster::pod::is_ready;
use crate::cluster::selector::selects;
use crate::doctor::facts::{Facts, Installation};
use crate::doctor::observation::Observations;
use crate::kube::name::describe;

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        examine(installation, observations);
    }
}

fn examine(installation: &Installation, observations: &mut Observations<'_>) {
    let place = installation.object();
    let (pods, budgets) = match (&installation.pods, &installation.budgets) {
        (Ok(Some(pods)), Ok(budgets)) => (pods, budgets),
        (Ok(None), _) => return,
        (Err(reason), _) => {
            return observations.unknown(
                place,
                "its pods were",
                reason,
                "run it with the right to list pods there",
            );
        }
        (_, Err(reason)) => {
            let remedy = "run it with the right to list PodDisruptionBudgets there";
            return observations.unknown(place, "disruption budgets were", reason, remedy);
        }
    };
    let Some(labels) = pods.first().map(|pod| pod.metadata.labels.clone().unwrap_or_default())
    else {
        return;
    };
    // of budgets an absent selector covers nothing
    let covers = |budget: &&PodDisruptionBudget| {
        let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        selector.is_some_and(|selector| selects(selector, &labels))
    };
    let Some(budget) = budgets.iter().find(covers) else {
        if pods.len() < 2 {
            return observations.remark(
                place,
                "no PodDisruptionBudget covers its only pod: with one its node could not be drained",
            );
        }
        let message =
            "no PodDisruptionBudget covers its pods: draining several nodes evicts all at once";
        return observations.warning(
            place,
            message,
            "create one with maxUnavailable: 1, as the chart does for two or more replicas",
        );
    };
    let name = describe(
        "PodDisruptionBudget",
        &installation.service.namespace,
        budget.metadata.name.as_deref().unwrap_or_default(),
    );
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    if allows_nothing(budget, pods.len()) {
        observations.warning(
            name,
            "allows no disruption at all: a drain of a node waits for ever",
            "set maxUnavailable: 1",
        );
    } else {
        observations.ok(name, format!("covers its {} pods, {ready} of them ready", pods.len()));
    }
}

/// Whether a budget keeps every one of so many pods, however well they are.
fn allows_nothing(budget: &PodDisruptionBudget, pods: usize) -> bool {
    let Some(spec) = &budget.spec else { return false };
    let is = |value: &IntOrString, number: usize, share: &str| match value {
        IntOrString::Int(value) => usize::try_from(*value).is_ok_and(|value| value == number),
        IntOrString::String(value) => value == share,
    };
    let keeps = |value: &IntOrString| match value {
        IntOrString::Int(value) => usize::try_from(*value).is_ok_and(|value| value >= pods),
        IntOrString::String(value) => value == "100%",
    };
    spec.max_unavailable.as_ref().is_some_and(|value| is(value, 0, "0%"))
        || spec.min_available.as_ref().is_some_and(keeps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::doctor::testing::{healthy, lines, read, worst};

    use super::*;

    #[test]
    fn a_budget_covers_the_pods_and_lets_one_go() {
        let mut facts = healthy();
        assert_eq!(
            lines(check, &facts),
            ["ok: PodDisruptionBudget restraint/restraint: covers its 2 pods, 2 of them ready"]
        );
        for spec in [
            json!({"maxUnavailable": 0}),
            json!({"maxUnavailable": "0%"}),
            json!({"minAvailable": 2}),
            json!({"minAvailable": "100%"}),
        ] {
            let mut budget = json!({"metadata": {"name": "strict"}, "spec": spec});
            budget["spec"]["selector"] =
                json!({"matchLabels": {"app.kubernetes.io/name": "restraint"}});
            facts.installations[0].budgets = Ok(vec![read(budget)]);
            assert!(worst(check, &facts).contains("strict: allows no disruption"), "{spec}");
        }
    }

    #[test]
    fn pods_without_a_budget_are_warned_about() {
        let mut facts = healthy();
        let other = json!({"metadata": {"name": "other"}, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "other"}}}});
        facts.installations[0].budgets = Ok(vec![read(other)]);
        assert!(
            worst(check, &facts)
                .starts_with("warning: Service restraint/restraint: no PodDisruptionBudget")
        );
        facts.installations[0].pods.as_mut().unwrap().as_mut().unwrap().truncate(1);
        assert!(worst(check, &facts).starts_with("note: "));
        facts.installations[0].budgets = Err("forbidden".to_owned());
        assert!(worst(check, &facts).starts_with("unknown: "));
    }
}
