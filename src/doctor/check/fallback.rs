//! The fallback policies, by which the API server itself denies decreases while Restraint is down.

use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};

use crate::doctor::facts::{Facts, FallbackPolicies};
use crate::doctor::observation::Observations;

/// How the names of the policies end.
const SUFFIX: &str = ".fallback.restraint.dev";

/// The minor version from which the API server can evaluate them.
const OLDEST: u16 = 36;

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    let FallbackPolicies { policies, bindings } = match &facts.fallback {
        Ok(fallback) => fallback,
        Err(reason) => {
            let remedy = "run it with the right to list validatingadmissionpolicies and validatingadmissionpolicybindings";
            return observations.unknown("cluster", "the fallback policies were", reason, remedy);
        }
    };
    let policies: Vec<_> =
        policies.iter().filter(|policy| name(policy).ends_with(SUFFIX)).collect();
    let bindings: Vec<_> =
        bindings.iter().filter(|binding| policy_of(binding).ends_with(SUFFIX)).collect();
    if policies.is_empty() && bindings.is_empty() {
        let old = facts
            .version
            .as_ref()
            .is_ok_and(|version| version.minor.is_some_and(|minor| minor < OLDEST));
        return match old {
            true => observations.remark("cluster", format!("there are no fallback policies, which need Kubernetes 1.{OLDEST}")),
            false => observations.note(
                "cluster",
                "there are no fallback policies: while Restraint is down, only the failurePolicy of the webhooks decides",
                "set fallback.enabled=true to deny decreases then; see docs/fallback.md",
            ),
        };
    }
    for policy in &policies {
        examine(policy, &bindings, observations);
    }
    for binding in bindings
        .iter()
        .filter(|binding| !policies.iter().any(|policy| name(policy) == policy_of(binding)))
    {
        let object = format!(
            "ValidatingAdmissionPolicyBinding {}",
            binding.metadata.name.as_deref().unwrap_or_default()
        );
        observations.warning(
            object,
            format!("binds {}, which does not exist", policy_of(binding)),
            "helm upgrade with the current values restores it",
        );
    }
}

fn examine(
    policy: &ValidatingAdmissionPolicy,
    bindings: &[&ValidatingAdmissionPolicyBinding],
    observations: &mut Observations<'_>,
) {
    let object = format!("ValidatingAdmissionPolicy {}", name(policy));
    let before = observations.count();
    if let Some(misunderstood) = misunderstood(policy) {
        observations.problem(
            &object,
            format!("the API server cannot evaluate it: {misunderstood}"),
            "install the fallback policies of this version",
        );
    }
    if policy.spec.as_ref().and_then(|spec| spec.failure_policy.as_deref()) == Some("Ignore") {
        observations.warning(
            &object,
            "fails open: what it cannot evaluate passes",
            "set its failurePolicy to Fail, as the chart does",
        );
    }
    let bound: Vec<_> =
        bindings.iter().filter(|binding| policy_of(binding) == name(policy)).collect();
    if bound.is_empty() {
        observations.warning(
            &object,
            "is not bound and denies nothing",
            "helm upgrade with the current values binds it; fallback.enabled=false removes it",
        );
    } else if !bound.iter().any(|binding| denies(binding)) {
        observations.note(
            &object,
            "only records and denies nothing",
            "set cap: enforce, and its policy's mode, if that is not intended",
        );
    }
    if observations.count() == before {
        observations.ok(object, "is in force, whether or not Restraint is up");
    }
}

/// The first thing that the API server found when it checked the types of the expressions.
fn misunderstood(policy: &ValidatingAdmissionPolicy) -> Option<&str> {
    let warnings = policy.status.as_ref()?.type_checking.as_ref()?.expression_warnings.as_ref()?;
    warnings.first()?.warning.lines().next()
}

fn denies(binding: &ValidatingAdmissionPolicyBinding) -> bool {
    binding.spec.validation_actions.iter().any(|action| action == "Deny")
}

fn name(policy: &ValidatingAdmissionPolicy) -> &str {
    policy.metadata.name.as_deref().unwrap_or_default()
}

fn policy_of(binding: &ValidatingAdmissionPolicyBinding) -> &str {
    &binding.spec.policy_name
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::doctor::facts::Version;
    use crate::doctor::testing::{healthy, lines, read, worst};

    use super::*;

    fn fallback(facts: &mut Facts) -> &mut FallbackPolicies {
        facts.fallback.as_mut().unwrap()
    }

    #[test]
    fn as_the_chart_renders_it_it_is_in_force() {
        let lines = lines(check, &healthy());
        assert!(
            lines.len() == 2
                && lines
                    .iter()
                    .all(|line| line.ends_with("is in force, whether or not Restraint is up")),
            "{lines:#?}"
        );
    }

    #[test]
    fn without_it_there_is_a_note() {
        let mut facts = healthy();
        facts.fallback = Ok(FallbackPolicies::default());
        assert!(
            worst(check, &facts).starts_with(
                "note: cluster: there are no fallback policies: while Restraint is down"
            )
        );
        facts.version = Ok(Version::read("v1.35.2"));
        assert_eq!(
            worst(check, &facts),
            "note: cluster: there are no fallback policies, which need Kubernetes 1.36"
        );
    }

    #[test]
    fn policies_and_bindings_need_one_another() {
        let mut facts = healthy();
        let lost = fallback(&mut facts).bindings.remove(0);
        let name = policy_of(&lost).to_owned();
        assert_eq!(
            worst(check, &facts),
            format!("warning: ValidatingAdmissionPolicy {name}: is not bound and denies nothing")
        );
        fallback(&mut facts).bindings.push(lost);
        fallback(&mut facts)
            .policies
            .retain(|policy| policy.metadata.name.as_deref() != Some(&name));
        assert_eq!(
            worst(check, &facts),
            format!(
                "warning: ValidatingAdmissionPolicyBinding {name}: binds {name}, which does not exist"
            )
        );
    }

    #[test]
    fn what_it_does_is_looked_at() {
        let mut facts = healthy();
        fallback(&mut facts).bindings[0].spec.validation_actions = vec!["Audit".to_owned()];
        assert!(worst(check, &facts).ends_with("only records and denies nothing"));
        let policy = &mut fallback(&mut facts).policies[0];
        policy.spec.as_mut().unwrap().failure_policy = Some("Ignore".to_owned());
        assert!(worst(check, &facts).ends_with("fails open: what it cannot evaluate passes"));
        let warnings = json!([{"fieldRef": "spec.variables[0].expression", "warning": "undeclared reference\nmore"}]);
        fallback(&mut facts).policies[0].status =
            Some(read(json!({"typeChecking": {"expressionWarnings": warnings}})));
        assert!(
            worst(check, &facts)
                .ends_with("the API server cannot evaluate it: undeclared reference")
        );
    }
}
