//! Match conditions: they keep all other requests away from the service, so that webhooks may fail
//! closed.

mod chart;

use k8s_openapi::api::admissionregistration::v1::MatchCondition;

use crate::approval::{GRANT_ANNOTATION, STAMP_ANNOTATION};
use crate::doctor::door::Door;
use crate::doctor::facts::Facts;
use crate::doctor::hook::{self, Hook};
use crate::doctor::names;
use crate::doctor::observation::{Observations, Severity};
use crate::doctor::reach::RESTORE;

/// A match condition that the chart gives a webhook.
struct Expected {
    hook: &'static str,
    condition: &'static str,
    /// What its expression mentions, whatever else it says.
    mentions: &'static [&'static str],
}

/// What may take memory, and what provably does not.
const LIMITS: &[&str] = &["oldObject", "containers", "initContainers", "limits", "memory"];

/// What rules look at in any resize.
const RESOURCES: &[&str] =
    &["oldObject", "containers", "initContainers", "limits", "requests", "memory"];

const fn expected(
    hook: &'static str,
    condition: &'static str,
    mentions: &'static [&'static str],
) -> Expected {
    Expected { hook, condition, mentions }
}

const EXPECTED: [Expected; 14] = [
    expected("resize.restraint.dev", "may-take-memory", LIMITS),
    expected("resize-elsewhere.restraint.dev", "may-take-memory", LIMITS),
    expected("restore.restraint.dev", "may-take-memory", LIMITS),
    expected("restore.restraint.dev", "automation", &["request.userInfo"]),
    expected("resize-advice.restraint.dev", "resources-differ", RESOURCES),
    expected("resize-advice.restraint.dev", "takes-no-memory", LIMITS),
    expected(
        "approval.restraint.dev",
        "approval-differs",
        &["oldObject", "annotations", GRANT_ANNOTATION, STAMP_ANNOTATION],
    ),
    expected("pods.restraint.dev", "no-mirror-pod", &["kubernetes.io/config.mirror"]),
    expected("advice.restraint.dev", "spec-or-reloader-differs", &["oldObject", "spec"]),
    expected("advice.restraint.dev", "spec-or-reloader-differs", &["stakater.com"]),
    expected(hook::CONFIGURATION, "no-namespace-goes", &["request.userInfo"]),
    expected(hook::CONFIGURATION, "no-authority", &["kube-root-ca.crt"]),
    expected(
        hook::CONFIGURATION,
        "no-leader-election",
        &["control-plane.alpha.kubernetes.io/leader"],
    ),
    expected(hook::CONFIGURATION, "content-differs", &["data", "binaryData", "immutable"]),
];

/// Match conditions that follow values of the chart: hook and name.
const OPTIONAL: [(&str, &str); 1] = [(hook::CONFIGURATION, "no-token-or-release")];

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        let before = observations.count();
        let hooks: Vec<_> = hook::of(facts, installation).collect();
        for hook in &hooks {
            examine(hook, observations);
        }
        if observations.count() == before && !hooks.is_empty() {
            let place = installation.object();
            observations.ok(place, "every webhook has the match conditions of the chart");
        }
    }
}

fn examine(hook: &Hook<'_>, observations: &mut Observations<'_>) {
    let (mut missing, mut warned) = (None, Vec::new());
    for expected in EXPECTED.iter().filter(|expected| expected.hook == hook.name) {
        let name = expected.condition;
        let Some(found) = hook.conditions.iter().find(|condition| condition.name == name) else {
            // of two that expect the same one is enough
            if missing.replace(name) != Some(name) {
                let (severity, message) = absent(hook, name);
                observations.add(severity, hook.object(), message, Some(RESTORE.to_owned()));
            }
            continue;
        };
        let left_out: Vec<_> =
            expected.mentions.iter().filter(|part| !found.expression.contains(*part)).collect();
        if !left_out.is_empty() {
            let message = format!(
                "match condition {name:?} does not mention {}: what it misses is not checked",
                names::listed(left_out)
            );
            observations.warning(hook.object(), message, RESTORE);
            warned.push(name);
        }
    }
    for condition in hook.conditions.iter().filter(|condition| !warned.contains(&&*condition.name))
    {
        examine_expression(hook, condition, observations);
    }
}

/// Whether the chart gives a webhook this condition. What else an expression leaves out only the API
/// server can tell.
fn examine_expression(
    hook: &Hook<'_>,
    condition: &MatchCondition,
    observations: &mut Observations<'_>,
) {
    let name = &condition.name;
    let is_known = EXPECTED.iter().any(|known| known.hook == hook.name && known.condition == name)
        || OPTIONAL.contains(&(hook.name, name.as_str()));
    if !is_known {
        let message = format!(
            "match condition {name:?} is not from the chart: what it excludes is not checked"
        );
        let remedy = "make sure that it excludes only what is intended";
        observations.note(hook.object(), message, remedy);
    } else if !chart::renders(name, &condition.expression) {
        let message = format!(
            "match condition {name:?} is not as the chart renders it: what it excludes is not known, because doctor does \
             not evaluate CEL"
        );
        observations.note(hook.object(), message, RESTORE);
    }
}
fn absent(hook: &Hook<'_>, name: &str) -> (Severity, String) {
    if hook.fails_closed {
        let denied = if hook.matches(Door::core("UPDATE", "pods")) {
            "every write of a pod"
        } else {
            "every resize"
        };
        (
            Severity::Problem,
            format!(
                "has no match condition {name:?} and fails closed: while Restraint is down, {denied} is denied"
            ),
        )
    } else {
        (
            Severity::Warning,
            format!(
                "has no match condition {name:?}: it is called more often than it needs to be, and each call takes time"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{healthy, hook_mut, lines, mutating_mut, worst};

    use super::*;

    #[test]
    fn the_charts_conditions_are_as_expected() {
        let facts = healthy();
        assert_eq!(
            lines(check, &facts),
            [
                "ok: Service restraint/restraint: every webhook has the match conditions of the chart"
            ]
        );
        let known: Vec<_> = hook::every(&facts).map(|hook| hook.name).collect();
        assert!(
            known.iter().all(|name| EXPECTED.iter().any(|expected| expected.hook == *name)),
            "{known:?}"
        );
    }

    #[test]
    fn missing_conditions_weigh_by_the_failure_policy() {
        let mut facts = healthy();
        hook_mut(&mut facts, "resize.restraint.dev").match_conditions = None;
        assert_eq!(
            worst(check, &facts),
            "problem: ValidatingWebhookConfiguration restraint, hook resize.restraint.dev: has no match condition \"may-take-memory\" and \
             fails closed: while Restraint is down, every resize is denied"
        );
        let mut facts = healthy();
        hook_mut(&mut facts, "approval.restraint.dev").match_conditions = Some(Vec::new());
        assert!(worst(check, &facts).contains("every write of a pod is denied"));
        let mut facts = healthy();
        hook_mut(&mut facts, "advice.restraint.dev").match_conditions = None;
        let lines = lines(check, &facts);
        assert!(lines.len() == 1 && lines[0].starts_with("warning: "), "{lines:?}");
    }

    #[test]
    fn conditions_that_look_away_or_leave_out_are_told() {
        let mut facts = healthy();
        let condition =
            &mut hook_mut(&mut facts, "resize.restraint.dev").match_conditions.as_mut().unwrap()[0];
        condition.expression = condition.expression.replace("initContainers", "containers");
        let seen = lines(check, &facts);
        assert!(
            seen.len() == 1 && seen[0].contains("does not mention initContainers"),
            "{seen:#?}"
        );
        let mut facts = healthy();
        let condition =
            &mut hook_mut(&mut facts, "resize.restraint.dev").match_conditions.as_mut().unwrap()[0];
        condition.expression.push_str(" && object.metadata.name != 'db'");
        assert!(
            worst(check, &facts).starts_with(
                "note: ValidatingWebhookConfiguration restraint, hook resize.restraint.dev: match condition \
                 \"may-take-memory\" is not as the chart renders it"
            ),
        );
        let mut facts = healthy();
        let more = MatchCondition {
            name: "not-me".to_owned(),
            expression: "request.userInfo.username != 'me'".to_owned(),
        };
        mutating_mut(&mut facts, "approval.restraint.dev")
            .match_conditions
            .as_mut()
            .unwrap()
            .push(more);
        assert!(worst(check, &facts).starts_with(
            "note: MutatingWebhookConfiguration restraint, hook approval.restraint.dev"
        ));
    }
}
