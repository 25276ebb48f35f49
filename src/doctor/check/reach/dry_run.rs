//! What came of a decrease in a dry run: the API server itself tells whether it asks Restraint.

use crate::doctor::facts::{Facts, Installation, Measurement};
use crate::doctor::hook;
use crate::doctor::observation::Observations;
use crate::doctor::probe::OTHERS;
use crate::doctor::reach;
use crate::doctor::scope::covers_resizes;
use crate::judge::mode::{CAP_LABEL, Mode};
use crate::judge::policies::Policies;
use crate::judge::policy::Policy;
use crate::judge::scope::{RequesterScope, Scope};
use crate::judge::subject::UserInfo;

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    let Some(Ok(measurement)) = &facts.probe else { return };
    let object = format!("Namespace {}", measurement.namespace);
    match measurement.denied_by.as_deref() {
        Some(OTHERS) => observations.remark(
            object,
            "a decrease of memory in a dry run was denied, but not by Restraint: whether it was asked is not known",
        ),
        Some(name) => observations
            .ok(object, format!("a decrease of memory in a dry run was denied by \"{name}\"")),
        None => match denying(facts, measurement) {
            Some(policy) => observations.warning(
                object,
                format!(
                    "a decrease of memory in a dry run was accepted, although policy \"{policy}\" denies decreases: \
                     Restraint was not asked, or the policy excepts it"
                ),
                "compare the rules, selectors and match conditions of resize.restraint.dev with the chart's, and look \
                 at the scope, automation and allowances of the policy",
            ),
            None => observations.remark(
                object,
                "a decrease of memory in a dry run was accepted, and no policy is known to deny it",
            ),
        },
    }
}

/// A policy that denies decreases in the namespace of the pod.
fn denying(facts: &Facts, measurement: &Measurement) -> Option<String> {
    let namespace = &*measurement.namespace;
    if facts.namespace_labels(namespace).contains_key(CAP_LABEL) {
        return None;
    }
    let acts = |installation: &&Installation| {
        !matches!(installation.flag("--cap"), Some("audit" | "warn"))
            && hook_of(facts, installation, namespace)
    };
    let policies = |installation: &Installation| installation.policies_in_force().ok().flatten();
    let in_force: Vec<Policies> =
        facts.installations.iter().filter(acts).filter_map(policies).collect();
    let mut policies = in_force.iter().flat_map(Policies::iter);
    policies.find(|policy| denies(facts, policy, namespace)).map(|policy| policy.name.to_string())
}

/// Whether an installation is there for `namespace` at all.
fn hook_of(facts: &Facts, installation: &Installation, namespace: &str) -> bool {
    let mut hooks = hook::of(facts, installation);
    hooks.any(|hook| reach::outside(facts, &hook, namespace).is_none())
}

/// Whether a policy denies decreases in `namespace`, whoever asks and whatever the labels of the pod.
fn denies(facts: &Facts, policy: &Policy, namespace: &str) -> bool {
    let by_anybody = Scope { requesters: RequesterScope::default(), ..policy.scope.clone() };
    policy.mode == Mode::Enforce
        && policy.stages.restore.is_some()
        && covers_resizes(facts, &by_anybody, namespace, &UserInfo::default())
}
