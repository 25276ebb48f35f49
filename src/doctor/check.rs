//! Every check: a pure function of the facts.

mod approvers;
mod certificate;
mod disruption;
mod fail_closed;
mod fallback;
mod feature_gates;
mod hooks;
mod installation;
mod latency;
mod match_conditions;
mod memory_floor;
mod policies;
mod reach;
mod reloader;
mod replicas;
mod resizers;
mod service;
mod timeout;
mod trust;
mod versions;

use super::facts::Facts;
use super::observation::{Observation, Observations};

/// A check by its name, with what it does.
type Check = (&'static str, fn(&Facts, &mut Observations<'_>));

/// Every check, in the order of the report.
const CHECKS: [Check; 20] = [
    ("installation", installation::check),
    ("hooks", hooks::check),
    ("reach", reach::check),
    ("fail-closed", fail_closed::check),
    ("fallback", fallback::check),
    ("match-conditions", match_conditions::check),
    ("hook-timeout", timeout::check),
    ("hook-service", service::check),
    ("ca-bundle", trust::check),
    ("certificate", certificate::check),
    ("policies", policies::check),
    ("replicas", replicas::check),
    ("disruption-budget", disruption::check),
    ("versions", versions::check),
    ("feature-gates", feature_gates::check),
    ("vpa-memory-floor", memory_floor::check),
    ("resizers", resizers::check),
    ("approvers", approvers::check),
    ("reloader-scope", reloader::check),
    ("latency", latency::check),
];

/// The observations of every check, in the order of the checks, the most severe of each first.
pub fn examine(facts: &Facts) -> Vec<Observation> {
    let mut all = Vec::new();
    for (name, check) in CHECKS {
        let mut found = Vec::new();
        check(facts, &mut Observations::of(name, &mut found));
        found.sort_by_key(|observation: &Observation| std::cmp::Reverse(observation.severity));
        all.append(&mut found);
    }
    all
}

/// The names of the checks, in the order of the report.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.into_iter().map(|(name, _)| name)
}
