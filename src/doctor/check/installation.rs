//! Whether Restraint is installed, and how strongly it acts.

use crate::doctor::facts::{Facts, Installation};
use crate::doctor::hook;
use crate::doctor::names::object;
use crate::doctor::observation::Observations;

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for (kind, seen) in [
        ("MutatingWebhookConfigurations", facts.mutating.as_ref().map(drop)),
        ("ValidatingWebhookConfigurations", facts.validating.as_ref().map(drop)),
    ] {
        if let Err(reason) = seen {
            observations.unknown(
                "cluster",
                kind,
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
            "Restraint is not installed{place}: no hook's name ends with \"{}\"",
            hook::OURS
        );
        observations.problem("cluster", message, "install it: docs/operations.md");
    }
}

fn examine(facts: &Facts, installation: &Installation, observations: &mut Observations<'_>) {
    let object = object("Service", &installation.namespace, &installation.name);
    let hooks = hook::of(facts, installation).count();
    let found = format!("Restraint is installed, with {hooks} hooks");
    match installation.flag("--cap") {
        Some(cap @ ("audit" | "warn")) => {
            let message =
                format!("{found}, under a cap of {cap}: it denies nothing and changes nothing");
            observations.note(
                object,
                message,
                "set cap: enforce when its findings hold no surprise any more",
            );
        }
        _ => observations.ok(object, found),
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{args, healthy, said, worst};

    use super::*;

    #[test]
    fn an_installation_is_told() {
        let facts = healthy();
        assert_eq!(
            said(check, &facts),
            ["ok: Service restraint/restraint: Restraint is installed, with 6 hooks"]
        );
        let mut capped = healthy();
        args(&mut capped, &["serve", "--cap=audit"]);
        assert_eq!(
            worst(check, &capped),
            "note: Service restraint/restraint: Restraint is installed, with 6 hooks, under a cap of audit: it denies nothing and changes nothing"
        );
    }

    #[test]
    fn no_installation_is_a_problem_where_hooks_can_be_seen() {
        let mut facts = healthy();
        facts.installations.clear();
        assert!(worst(check, &facts).starts_with("problem: cluster: Restraint is not installed: "));
        facts.validating = Err("forbidden".to_owned());
        assert_eq!(
            said(check, &facts),
            ["unknown: cluster: ValidatingWebhookConfigurations not examined: forbidden"]
        );
    }
}
