//! Which exit codes of a container restart what (`restartPolicyRules`: KEP-5307, KEP-5532).

use super::container::{Container, ExitCodes, RestartRule};

/// The action that restarts every container of the pod.
const RESTART_ALL: &str = "RestartAllContainers";

/// A set of exit codes, of those that a process can have on Linux: 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExitCodeSet([u64; 4]);

/// A rule that restarts all containers of the pod.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RestartAll<'c> {
    /// Its place among the container's rules.
    pub(crate) index: usize,
    /// Its condition.
    pub(crate) exit_codes: &'c ExitCodes<'c>,
    /// The codes it acts on, without those that an earlier rule takes: the first that matches wins.
    pub(crate) codes: ExitCodeSet,
}

impl RestartRule<'_> {
    /// Whether it restarts all containers of the pod, if it ever matches.
    pub(crate) fn is_restart_all(&self) -> bool {
        &*self.action == RESTART_ALL
    }
}

impl<'a> Container<'a> {
    /// The rules that restart all containers of the pod on some exit code.
    pub(crate) fn restart_all_rules(&self) -> impl Iterator<Item = RestartAll<'_>> {
        let mut taken = ExitCodeSet::NONE;
        self.restart_policy_rules.iter().enumerate().filter_map(move |(index, rule)| {
            let exit_codes = rule.exit_codes.as_ref()?;
            let codes = ExitCodeSet::matched_by(exit_codes).without(taken);
            taken = taken.and(codes);
            (rule.is_restart_all() && codes != ExitCodeSet::NONE).then_some(RestartAll {
                index,
                exit_codes,
                codes,
            })
        })
    }
}

impl<'a> Container<'a> {
    /// The rule that answers this exit code: the first that matches.
    pub(crate) fn restart_rule_for(&self, code: i32) -> Option<&RestartRule<'a>> {
        let matches = |codes: &ExitCodes<'_>| match &*codes.operator {
            "In" => codes.values.contains(&code),
            "NotIn" => !codes.values.contains(&code),
            _ => false,
        };
        self.restart_policy_rules.iter().find(|rule| rule.exit_codes.as_ref().is_some_and(matches))
    }
}

impl ExitCodes<'_> {
    /// Whether it matches every code but those it lists.
    pub(crate) fn is_exclusion(&self) -> bool {
        &*self.operator == "NotIn"
    }
}

impl ExitCodeSet {
    const NONE: Self = Self([0; 4]);

    /// Whether `code` is one of them.
    pub(crate) fn contain(self, code: u8) -> bool {
        let (word, bit) = place(code);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The codes that the condition matches. One without a known operator matches none.
    fn matched_by(exit_codes: &ExitCodes<'_>) -> Self {
        let mut listed = Self::NONE;
        for code in exit_codes.values.iter().filter_map(|code| u8::try_from(*code).ok()) {
            let (word, bit) = place(code);
            if let Some(word) = listed.0.get_mut(word) {
                *word |= bit;
            }
        }
        match &*exit_codes.operator {
            "In" => listed,
            "NotIn" => Self(listed.0.map(|word| !word)),
            _ => Self::NONE,
        }
    }

    fn and(self, other: Self) -> Self {
        self.zipped(other, |own, other| own | other)
    }

    fn without(self, other: Self) -> Self {
        self.zipped(other, |own, other| own & !other)
    }

    fn zipped(mut self, other: Self, join: fn(u64, u64) -> u64) -> Self {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own = join(*own, other);
        }
        self
    }
}

/// The word and the bit in it that stand for `code`.
fn place(code: u8) -> (usize, u64) {
    (usize::from(code / 64), 1 << (code % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn acting(json: &str) -> Vec<Vec<u8>> {
        let rules: Vec<RestartRule<'_>> = json::read(json).unwrap();
        let container = Container { restart_policy_rules: rules, ..Container::default() };
        let codes =
            |rule: RestartAll<'_>| (0..=255).filter(|code| rule.codes.contain(*code)).collect();
        container.restart_all_rules().map(codes).collect()
    }

    fn rule(action: &str, operator: &str, values: &str) -> String {
        format!(
            r#"{{"action": "{action}", "exitCodes": {{"operator": "{operator}", "values": {values}}}}}"#
        )
    }

    #[test]
    fn an_exit_code_is_answered_by_the_first_rule_that_matches() {
        let list = [rule("Restart", "In", "[1, 2]"), rule(RESTART_ALL, "NotIn", "[0, 3]")];
        let text = format!("[{}]", list.join(","));
        let rules: Vec<RestartRule<'_>> = json::read(&text).unwrap();
        let container = Container { restart_policy_rules: rules, ..Container::default() };
        let answer = |code| container.restart_rule_for(code).map(|rule| rule.is_restart_all());
        assert_eq!([1, 4, -1, 0, 3].map(answer), [Some(false), Some(true), Some(true), None, None]);
    }

    #[test]
    fn the_first_rule_that_matches_wins() {
        let rules = |list: &[String]| acting(&format!("[{}]", list.join(",")));
        let all = |operator: &str, values: &str| rule(RESTART_ALL, operator, values);
        assert_eq!(rules(&[all("In", "[88, 63, 64, 255]")]), [vec![63, 64, 88, 255]]);
        assert_eq!(rules(&[all("In", "[]")]), Vec::<Vec<u8>>::new());
        assert_eq!(
            rules(&[all("In", "[300, -1]")]),
            Vec::<Vec<u8>>::new(),
            "no process ends with these"
        );
        assert_eq!(rules(&[all("NotIn", "[]")]).concat().len(), 256);
        assert_eq!(rules(&[all("NotIn", "[0, 1]")]).concat().len(), 254);
        assert_eq!(rules(&[rule("Restart", "In", "[1, 2]"), all("In", "[1, 2, 3]")]), [vec![3]]);
        assert_eq!(
            rules(&[rule("Restart", "NotIn", "[3]"), all("In", "[1]")]),
            Vec::<Vec<u8>>::new()
        );
        assert_eq!(rules(&[all("In", "[1]"), all("In", "[1, 4]")]), [vec![1], vec![4]]);
        assert_eq!(acting(r#"[{"action": "RestartAllContainers"}]"#), Vec::<Vec<u8>>::new());
        assert_eq!(rules(&[rule("Restart", "In", "[5]")]), Vec::<Vec<u8>>::new());
    }
}
