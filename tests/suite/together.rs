//! Policies that share a rule: what several of them find is said once, by the strongest.

use serde_json::{Value, json};

use restraint::judge::judge;
use restraint::judge::mode::Mode;
use restraint::judge::policies::Policies;
use restraint::judge::verdict::Outcome;
use restraint::review::decode;

use crate::subjects::resize;

#[test]
fn of_two_policies_the_stronger_counts_once() {
    let expected =
        [("app", Mode::Enforce, Outcome::Denied), ("log", Mode::Enforce, Outcome::Denied)];
    for (first, second) in [("warn", "enforce"), ("enforce", "warn"), ("enforce", "enforce")] {
        assert_eq!(
            rulings(first, second),
            expected.map(|(name, mode, outcome)| (name.to_owned(), mode, outcome)),
            "{first}, {second}"
        );
    }
}

/// What a policy in mode `first` and one in mode `second` make of two containers that lose memory.
fn rulings(first: &str, second: &str) -> Vec<(String, Mode, Outcome)> {
    let policy = |name: &str, mode: &str| {
        (
            format!("{name}.yaml"),
            format!("{{name: {name}, rule: memory-limit-decrease, mode: {mode}}}"),
        )
    };
    let policies = Policies::read([policy("a", first), policy("b", second)]).unwrap();
    let body = resize(&pod("512Mi"), &pod("256Mi"));
    let review = decode(&body).unwrap();
    let rulings = judge(&policies, &review.subject).rulings.into_iter();
    rulings
        .map(|ruling| (ruling.finding.container.unwrap(), ruling.wanted, ruling.outcome))
        .collect()
}

fn pod(limit: &str) -> Value {
    let container = |name: &str| json!({"name": name, "resources": {"limits": {"memory": limit}}});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0"}, "spec": {"containers": [container("app"), container("log")]}})
}
