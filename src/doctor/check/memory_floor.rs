//! Vertical Pod Autoscalers that may decrease memory in place without a floor: what the rule of that
//! name finds.

use crate::doctor::autoscaler::Autoscaler;
use crate::doctor::facts::Facts;
use crate::doctor::observation::Observations;
use crate::doctor::reach;
use crate::json::text::Text;
use crate::judge::judge;
use crate::judge::mode::Mode;
use crate::judge::policies::Policies;
use crate::judge::subject::{Evidence, Resource, Subject};
use crate::rules::autoscaler::vpa_memory_floor::RULE;

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    let autoscalers = match &facts.autoscalers {
        Ok(Some(autoscalers)) => autoscalers,
        Ok(None) => {
            return observations
                .ok("cluster", "there are no Vertical Pod Autoscalers: the kind is not installed");
        }
        Err(reason) => {
            let remedy = "run it with the right to list verticalpodautoscalers";
            return observations.unknown(
                "cluster",
                "Vertical Pod Autoscalers were",
                reason,
                remedy,
            );
        }
    };
    let (before, policies) = (observations.count(), Policies::embedded());
    let mut elsewhere = 0_usize;
    for json in autoscalers {
        match Autoscaler::read(json) {
            Some(autoscaler) if !reach::looks_after(facts, &autoscaler.namespace) => {
                elsewhere = elsewhere.saturating_add(1);
            }
            Some(autoscaler) => examine(&policies, autoscaler, observations),
            None => observations.unknown(
                "cluster",
                "a Vertical Pod Autoscaler was",
                "it cannot be read",
                "check its manifest with restraint lint",
            ),
        }
    }
    if observations.count() == before {
        let here = autoscalers.len().saturating_sub(elsewhere);
        let message = format!(
            "{here} Vertical Pod Autoscalers, none of which decreases memory in place without a floor"
        );
        observations.ok("cluster", message);
    }
    if elsewhere > 0 {
        let message = format!(
            "left out, because no webhook of Restraint covers their namespaces: {elsewhere} Vertical Pod Autoscalers"
        );
        observations.ok("cluster", message);
    }
}

fn examine(policies: &Policies, autoscaler: Autoscaler<'_>, observations: &mut Observations<'_>) {
    let place = autoscaler.place();
    let subject = Subject::created(
        Resource::VerticalPodAutoscaler,
        Text::from(&*autoscaler.namespace),
        autoscaler.object,
        Evidence::default(),
    );
    for ruling in
        judge(policies, &subject).rulings.into_iter().filter(|ruling| ruling.rule == RULE.name)
    {
        let (message, remedy) =
            (ruling.finding.message.to_string(), ruling.finding.remedy.to_string());
        if ruling.finding.ceiling > Mode::Audit {
            observations.warning(&place, message, remedy);
        } else {
            observations.note(&place, message, remedy);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::doctor::testing::{healthy, lines, worst};

    use super::*;

    fn with(policies: serde_json::Value) -> Facts {
        let object = json!({
            "metadata": {"name": "db", "namespace": "shop"},
            "spec": {"updatePolicy": {"updateMode": "InPlaceOrRecreate"}, "resourcePolicy": {"containerPolicies": policies}},
        });
        let mut facts = healthy();
        facts.autoscalers = Ok(Some(vec![object.to_string()]));
        facts
    }

    #[test]
    fn the_rule_judges_the_autoscalers_that_are_there() {
        assert_eq!(
            lines(check, &with(json!([]))),
            [
                "warning: VerticalPodAutoscaler shop/db: every container: InPlaceOrRecreate takes memory with no minAllowed.memory"
            ]
        );
        assert!(
            worst(
                check,
                &with(json!([{"containerName": "*", "controlledValues": "RequestsOnly"}]))
            )
            .starts_with("note: ")
        );
        assert!(
            worst(check, &with(json!([{"containerName": "*", "minAllowed": {"memory": "1Gi"}}])))
                .starts_with("ok: ")
        );
    }

    #[test]
    fn autoscalers_where_restraint_does_not_look_are_left_out() {
        let object = json!({
            "metadata": {"name": "dns", "namespace": "kube-system"},
            "spec": {"updatePolicy": {"updateMode": "InPlaceOrRecreate"}},
        });
        let mut facts = with(json!([]));
        facts.autoscalers.as_mut().unwrap().as_mut().unwrap().push(object.to_string());
        let seen = lines(check, &facts);
        assert_eq!(seen.len(), 2, "{seen:#?}");
        assert!(seen[1].starts_with("ok: cluster: left out, ") && seen[1].contains(": 1 "));
        facts.installations.clear();
        assert!(lines(check, &facts)[1].contains("kube-system/dns"), "before it is installed");
    }

    #[test]
    fn no_kind_no_right_and_no_sense_differ() {
        let mut facts = healthy();
        facts.autoscalers = Ok(None);
        assert!(worst(check, &facts).starts_with("ok: "));
        facts.autoscalers = Err("forbidden".to_owned());
        assert!(worst(check, &facts).starts_with("unknown: "));
        facts.autoscalers = Ok(Some(vec!["{".to_owned()]));
        assert!(worst(check, &facts).starts_with("unknown: "));
    }
}
