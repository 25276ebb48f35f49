//! What is expected against what is found.

use crate::recording::{Decision, Ruled};

use super::expected::{Expected, ExpectedFinding};
use super::found::Found;

/// How what is found differs from what is expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// The decisions, where they differ: expected and found.
    pub(super) decision: Option<(Decision, Decision)>,
    /// The allowances, where another one is expected: expected and found.
    pub(super) allowance: Option<(String, Option<String>)>,
    /// What is expected and not found, by number.
    pub(super) missing: Vec<usize>,
    /// What is found and not expected, by number.
    pub(super) unexpected: Vec<usize>,
}

impl Difference {
    /// That between `expected` and `found`.
    pub(super) fn of(expected: &Expected, found: &Found) -> Self {
        let pairs = paired(&expected.findings, &found.findings);
        let allowance =
            expected.allowance.clone().filter(|name| found.allowance.as_ref() != Some(name));
        let is_paired = |number: &usize| pairs.contains(&Some(*number));
        Self {
            decision: (expected.decision != found.decision)
                .then_some((expected.decision, found.decision)),
            allowance: allowance.map(|name| (name, found.allowance.clone())),
            missing: (0..pairs.len())
                .filter(|number| pairs.get(*number).is_some_and(Option::is_none))
                .collect(),
            unexpected: (0..found.findings.len()).filter(|number| !is_paired(number)).collect(),
        }
    }

    /// Whether there is none.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// For each finding that is expected the number of the one that it is: as many pairs as there can
/// be.
fn paired(expected: &[ExpectedFinding], found: &[Ruled]) -> Vec<Option<usize>> {
    let mut owners: Vec<Option<usize>> = vec![None; found.len()];
    for number in 0..expected.len() {
        take(number, expected, found, &mut owners, &mut vec![false; found.len()]);
    }
    let owner_of = |number: usize| owners.iter().position(|owner| *owner == Some(number));
    (0..expected.len()).map(owner_of).collect()
}

/// Finds a finding for the one with this `number`, whose owner may have to take another.
fn take(
    number: usize,
    expected: &[ExpectedFinding],
    found: &[Ruled],
    owners: &mut [Option<usize>],
    seen: &mut [bool],
) -> bool {
    let Some(wanted) = expected.get(number) else { return false };
    for (index, ruled) in found.iter().enumerate() {
        let is_new = seen.get(index) == Some(&false);
        if !is_new || !wanted.is(ruled) {
            continue;
        }
        if let Some(seen) = seen.get_mut(index) {
            *seen = true;
        }
        let owner = owners.get(index).copied().flatten();
        if owner.is_none_or(|owner| take(owner, expected, found, owners, seen)) {
            if let Some(owner) = owners.get_mut(index) {
                *owner = Some(number);
            }
            return true;
        }
    }
    false
}

impl ExpectedFinding {
    /// Whether `ruled` is what is expected.
    fn is(&self, ruled: &Ruled) -> bool {
        self.rule == ruled.rule
            && self.mode.is_none_or(|mode| mode.as_str() == ruled.mode)
            && self.outcome.is_none_or(|outcome| outcome.as_str() == ruled.outcome)
            && self.container.as_ref().is_none_or(|name| Some(name) == ruled.container.as_ref())
            && self.message.as_ref().is_none_or(|words| ruled.message.contains(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::mode::Mode;

    fn ruled(mode: &'static str, container: &str) -> Ruled {
        Ruled {
            rule: "file-watch",
            outcome: "warned",
            mode,
            container: Some(container.to_owned()),
            pointer: String::new(),
            message: "never sees an update".to_owned(),
            remedy: String::new(),
        }
    }

    fn expected(mode: Option<Mode>, container: Option<&str>) -> ExpectedFinding {
        ExpectedFinding {
            rule: "file-watch",
            mode,
            outcome: None,
            container: container.map(str::to_owned),
            message: None,
        }
    }

    #[test]
    fn what_says_less_takes_what_is_left() {
        let found = [ruled("warn", "a"), ruled("warn", "b")];
        let loose = expected(Some(Mode::Warn), None);
        let exact = expected(None, Some("a"));
        assert_eq!(paired(&[loose.clone(), exact.clone()], &found), [Some(1), Some(0)]);
        assert_eq!(paired(&[exact.clone(), loose.clone()], &found), [Some(0), Some(1)]);
        assert_eq!(paired(&[exact.clone(), exact.clone()], &found), [Some(0), None]);
        assert_eq!(paired(&[loose.clone(), loose.clone(), loose], &found)[2], None);
        assert_eq!(paired(&[expected(Some(Mode::Audit), None)], &found), [None]);
    }

    #[test]
    fn everything_that_is_said_must_hold() {
        let found = ruled("warn", "a");
        let words =
            |text: &str| ExpectedFinding { message: Some(text.to_owned()), ..expected(None, None) };
        assert!(words("an update").is(&found) && !words("a restart").is(&found));
        assert!(expected(None, None).is(&found) && !expected(None, Some("b")).is(&found));
    }
}
