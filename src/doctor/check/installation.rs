//! Whether Restraint is installed, and under which cap.

use crate::doctor::facts::{Facts, Installation};
use crate::doctor::hook;
use crate::doctor::observation::Observations;

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for (kind, seen) in [
        ("MutatingWebhookConfigurations", facts.mutating.as_ref().map(drop)),
        ("ValidatingWebhookConfigurations", facts.validating.as_ref().map(drop)),
    ] {
        if let Err(reason) = seen {
            observations.unknown(
                "cluster",
                &format!("{kind} were"),
                reason,
                "run it with the right to list webhook configurations",
            );
        }
    }
    for installation in &facts.installations {
        examine(facts, installation, observations);
    }
    let is_known = facts.mutating.is_ok() && facts.validating.is_ok();
    if facts.installations.is_empty() && is_known {
        let place = if facts.is_narrowed { " there" } else { "" };
        let message = format!(
            "Restraint is not installed{place}: no webhook's name ends with \"{}\"",
            hook::OURS
        );
        observations.problem("cluster", message, "install it: docs/operations.md");
    }
}

fn examine(facts: &Facts, installation: &Installation, observations: &mut Observations<'_>) {
    let object = installation.object();
    let hooks = hook::of(facts, installation).count();
    let found = format!("Restraint is installed, with {hooks} webhooks");
    match installation.flag("--cap") {
        Some(cap @ ("audit" | "warn")) => {
            let message = format!("{found}, with cap {cap}: it denies and changes nothing");
            observations.note(
                object,
                message,
                "set cap: enforce once its findings are as expected",
            );
        }
        _ => observations.ok(object, found),
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{args, healthy, lines, worst};

    use super::*;

    #[test]
    fn an_installation_is_told() {
        let facts = healthy();
        assert_eq!(
            lines(check, &facts),
            ["ok: Service restraint/restraint: Restraint is installed, with 7 webhooks"]
        );
        let mut capped = healthy();
        args(&mut capped, &["serve", "--cap=audit"]);
        assert_eq!(
            worst(check, &capped),
            "note: Service restraint/restraint: Restraint is installed, with 7 webhooks, with cap audit: it denies and changes nothing"
        );
    }

    #[test]
    fn no_installation_is_a_problem_where_hooks_can_be_seen() {
        let mut facts = healthy();
        facts.installations.clear();
        assert!(worst(check, &facts).starts_with("problem: cluster: Restraint is not installed: "));
        facts.validating = Err("forbidden".to_owned());
        assert_eq!(
            lines(check, &facts),
            ["unknown: cluster: ValidatingWebhookConfigurations were not examined: forbidden"]
        );
    }
}
