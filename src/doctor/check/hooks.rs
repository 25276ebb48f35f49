//! Whether the webhooks that Restraint needs are there.

use crate::doctor::facts::Facts;
use crate::doctor::hook::{self, HookKind};
use crate::doctor::need::NEEDS;
use crate::doctor::observation::Observations;

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        let place = installation.object();
        let hooks: Vec<_> = hook::of(facts, installation).collect();
        let mut is_complete = true;
        for need in NEEDS.iter().filter(|need| !need.is_optional) {
            let is_known = match need.kind {
                HookKind::Mutating => facts.mutating.is_ok(),
                HookKind::Validating => facts.validating.is_ok(),
            };
            let (kind, name) = (need.kind, need.name());
            if is_known && !hooks.iter().any(|hook| hook.kind == kind && hook.name == name) {
                is_complete = false;
                let message = format!(
                    "no {} calls it with the webhook \"{name}\": {}",
                    kind.as_str(),
                    need.without
                );
                observations.add(
                    need.severity,
                    &place,
                    message,
                    Some("helm upgrade with the current values restores it".to_owned()),
                );
            }
        }
        if is_complete && facts.mutating.is_ok() && facts.validating.is_ok() {
            observations.ok(&place, "every required webhook calls it");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{healthy, lines, worst};

    use super::*;

    #[test]
    fn a_missing_webhook_is_named() {
        let mut facts = healthy();
        assert_eq!(
            lines(check, &facts),
            ["ok: Service restraint/restraint: every required webhook calls it"]
        );
        facts.validating.as_mut().unwrap()[0]
            .webhooks
            .as_mut()
            .unwrap()
            .retain(|hook| hook.name != "resize.restraint.dev");
        assert_eq!(
            lines(check, &facts),
            [
                "problem: Service restraint/restraint: no ValidatingWebhookConfiguration calls it with the webhook \
                 \"resize.restraint.dev\": decreases are not checked"
            ]
        );
        facts.mutating = Ok(Vec::new());
        let missing = lines(check, &facts);
        assert_eq!(missing.len(), 3);
        assert!(
            missing.iter().any(|line| line.starts_with("warning: ")
                && line.contains("\"pods.restraint.dev\": new pods get no resizePolicy; policies in mode fix warn")),
            "{missing:#?}"
        );
        assert!(worst(check, &facts).starts_with("problem"));
        facts.validating = Err("forbidden".to_owned());
        assert_eq!(lines(check, &facts).len(), 2, "what was not seen is not missing");
    }
}
