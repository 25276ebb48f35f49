//! Vertical Pod Autoscalers that may decrease memory in place without a floor: what the rule of that
//! name finds.

use crate::doctor::facts::Facts;
use crate::doctor::observation::Observations;
use crate::json;
use crate::json::text::Text;
use crate::judge::judge;
use crate::judge::mode::Mode;
use crate::judge::policies::Policies;
use crate::judge::subject::{Evidence, Operation, Resource, Subject, UserInfo};
use crate::kube::name::describe;
use crate::kube::object::Object;
use crate::rules::autoscaler::vpa_memory_floor::RULE;

/// What the check reads of an autoscaler beside what rules read.
#[derive(serde::Deserialize)]
struct Head {
    metadata: Metadata,
}

#[derive(serde::Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
}

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
    for json in autoscalers {
        examine(&policies, json, observations);
    }
    if observations.count() == before {
        observations.ok(
            "cluster",
            format!(
                "{} Vertical Pod Autoscalers, none of which decreases memory in place without a floor",
                autoscalers.len()
            ),
        );
    }
}

fn examine(policies: &Policies, json: &str, observations: &mut Observations<'_>) {
    let (Ok(head), Ok(object_)) =
        (serde_json::from_str::<Head>(json), json::read::<Object<'_>>(json))
    else {
        return observations.unknown(
            "cluster",
            "a Vertical Pod Autoscaler was",
            "it cannot be read",
            "check its manifest with restraint lint",
        );
    };
    let name = describe("VerticalPodAutoscaler", &head.metadata.namespace, &head.metadata.name);
    let subject = Subject {
        resource: Resource::VerticalPodAutoscaler,
        operation: Operation::Create,
        namespace: Text::from(&*head.metadata.namespace),
        name: Text::from(&*head.metadata.name),
        requester: UserInfo::default(),
        dry_run: false,
        object: object_,
        old_object: None,
        evidence: Evidence::default(),
    };
    for ruling in
        judge(policies, &subject).rulings.into_iter().filter(|ruling| ruling.rule == RULE.name)
    {
        let (message, remedy) =
            (ruling.finding.message.to_string(), ruling.finding.remedy.to_string());
        if ruling.finding.ceiling > Mode::Audit {
            observations.warning(&name, message, remedy);
        } else {
            observations.note(&name, message, remedy);
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
