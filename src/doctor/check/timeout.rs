//! How long the API server waits for our webhooks.

use crate::doctor::facts::{Facts, Installation};
use crate::doctor::hook;
use crate::doctor::observation::Observations;

/// The longest timeout, in seconds, that users do not notice.
const LONG: i32 = 5;

/// The flags of the service that must be shorter, in milliseconds.
const DEADLINES: [&str; 2] = ["--request-deadline", "--authority-deadline"];

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        let before = observations.count();
        examine(facts, installation, observations);
        if observations.count() == before && hook::of(facts, installation).next().is_some() {
            let place = installation.object();
            observations.ok(place, format!("no webhook has a timeout of more than {LONG} s"));
        }
    }
}

fn examine(facts: &Facts, installation: &Installation, observations: &mut Observations<'_>) {
    let long = hook::of(facts, installation).filter(|hook| hook.timeout > LONG);
    for (object, message) in hook::grouped(long.map(|hook| {
        (
            hook,
            format!(
                "has a timeout of {} s: each write that it matches may hang that long",
                hook.timeout
            ),
        )
    })) {
        observations.warning(object, message, "set webhooks.timeoutSeconds to 2 or 3");
    }
    // reviews of configuration ask nobody, and what comes late there is let through
    let awaited = hook::of(facts, installation).filter(|hook| hook.name != hook::CONFIGURATION);
    let shortest = awaited.map(|hook| hook.timeout).min().unwrap_or(i32::MAX);
    for flag in DEADLINES {
        let deadline = installation.flag(flag).and_then(|text| text.parse::<i64>().ok());
        if let Some(deadline) =
            deadline.filter(|deadline| *deadline >= i64::from(shortest).saturating_mul(1000))
        {
            let place = installation.object();
            let message =
                format!("{flag} is {deadline} ms, but the API server gives up after {shortest} s");
            observations.warning(place, message, "set it below timeoutSeconds");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{args, healthy, hook_mut, lines, worst};

    use super::*;

    #[test]
    fn long_timeouts_and_longer_deadlines_are_reported() {
        let mut facts = healthy();
        assert_eq!(
            lines(check, &facts),
            ["ok: Service restraint/restraint: no webhook has a timeout of more than 5 s"]
        );
        hook_mut(&mut facts, "resize.restraint.dev").timeout_seconds = None;
        assert!(worst(check, &facts).contains("a timeout of 10 s"));
        let mut facts = healthy();
        args(&mut facts, &["serve", "--request-deadline=3000"]);
        assert!(
            worst(check, &facts)
                .contains("--request-deadline is 3000 ms, but the API server gives up after 3 s")
        );
    }
}
