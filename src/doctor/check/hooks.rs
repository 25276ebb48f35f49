//! Whether the hooks that Restraint needs are there.

use crate::doctor::facts::Facts;
use crate::doctor::hook::{self, Kind};
use crate::doctor::names::object;
use crate::doctor::observation::{Observations, Severity};

/// Hooks that every installation has, and what is the case without them.
const NEEDED: [(Kind, &str, Severity, &str); 5] = [
    (Kind::Validating, "resize.restraint.dev", Severity::Problem, "resizes are not judged"),
    (
        Kind::Validating,
        "approval.restraint.dev",
        Severity::Problem,
        "whoever may annotate pods writes approvals unseen",
    ),
    (Kind::Mutating, "approval.restraint.dev", Severity::Problem, "no grant becomes an approval"),
    (Kind::Mutating, "pods.restraint.dev", Severity::Warning, "new pods get no resizePolicy"),
    (Kind::Validating, "advice.restraint.dev", Severity::Warning, "nobody is advised"),
];

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        let place = object("Service", &installation.namespace, &installation.name);
        let hooks: Vec<_> = hook::of(facts, installation).collect();
        let mut is_complete = true;
        for (kind, name, severity, without) in NEEDED {
            let is_known = match kind {
                Kind::Mutating => facts.mutating.is_ok(),
                Kind::Validating => facts.validating.is_ok(),
            };
            if is_known && !hooks.iter().any(|hook| hook.kind == kind && hook.name == name) {
                is_complete = false;
                let message =
                    format!("no {} leads here with the hook \"{name}\": {without}", kind.as_str());
                observations.say(
                    severity,
                    &place,
                    message,
                    Some("restore it with helm upgrade, with the values in force".to_owned()),
                );
            }
        }
        if is_complete && facts.mutating.is_ok() && facts.validating.is_ok() {
            observations.ok(&place, "every hook that is needed leads here");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{healthy, said, worst};

    use super::*;

    #[test]
    fn a_missing_hook_is_named() {
        let mut facts = healthy();
        assert_eq!(
            said(check, &facts),
            ["ok: Service restraint/restraint: every hook that is needed leads here"]
        );
        facts.validating.as_mut().unwrap()[0]
            .webhooks
            .as_mut()
            .unwrap()
            .retain(|hook| hook.name != "resize.restraint.dev");
        assert_eq!(
            said(check, &facts),
            [
                "problem: Service restraint/restraint: no ValidatingWebhookConfiguration leads here with the hook \
                 \"resize.restraint.dev\": resizes are not judged"
            ]
        );
        facts.mutating = Ok(Vec::new());
        assert_eq!(said(check, &facts).len(), 3);
        assert!(worst(check, &facts).starts_with("problem"));
        facts.validating = Err("forbidden".to_owned());
        assert_eq!(said(check, &facts).len(), 2, "what was not seen is not missing");
    }
}
