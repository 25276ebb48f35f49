//! What a case expects.

use crate::judge::mode::Mode;
use crate::judge::verdict::Outcome;
use crate::policies::error::Flaws;
use crate::policies::fields::{Fields, rule_called};
use crate::recording::Decision;
use crate::yaml::Node;
use crate::yaml::suggest::{quoted, unknown};

/// What may be expected of a request.
const DECISIONS: [Decision; 5] =
    [Decision::Allowed, Decision::Warned, Decision::Amended, Decision::Restored, Decision::Denied];

const FIELDS: [&str; 3] = ["allowance", "decision", "findings"];

const FINDING: [&str; 5] = ["container", "message", "mode", "outcome", "rule"];

/// What is expected of a request: this, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// What comes of it.
    pub(super) decision: Decision,
    /// The allowance that lets it through, where the case names one.
    pub(super) allowance: Option<String>,
    /// Every finding.
    pub(super) findings: Vec<ExpectedFinding>,
}

/// A finding that is expected. What is not said may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExpectedFinding {
    /// The rule.
    pub(super) rule: &'static str,
    /// The mode of its policy.
    pub(super) mode: Option<Mode>,
    /// What is done about it.
    pub(super) outcome: Option<Outcome>,
    /// The container.
    pub(super) container: Option<String>,
    /// Words of its message.
    pub(super) message: Option<String>,
}

impl Expected {
    /// What the field `expect` of a case says.
    pub(super) fn read(case: &Fields<'_>, flaws: &mut Flaws) -> Option<Self> {
        let node = case.node("expect")?;
        let before = flaws.count();
        let fields = case.fields("expect", &FIELDS, flaws);
        let word = fields.word("decision", flaws);
        if word.is_none() && flaws.count() == before {
            flaws.add(node.place, format!("\"expect\" needs \"decision\": {}", words()));
        }
        let decision = word.and_then(|word| {
            let known = DECISIONS.into_iter().find(|one| one.as_str() == word.text);
            if known.is_none() {
                let subject = format!("decision {}", quoted(word.text));
                flaws.add(
                    word.place,
                    unknown(&subject, word.text, &DECISIONS.map(Decision::as_str)),
                );
            }
            known
        });
        let allowance = fields.word("allowance", flaws).map(|word| word.text.to_owned());
        let findings: Vec<_> = fields
            .list("findings", "a list of findings", flaws)
            .iter()
            .filter_map(|node| ExpectedFinding::read(node, flaws))
            .collect();
        (flaws.count() == before).then_some(())?;
        Some(Self { decision: decision?, allowance, findings })
    }
}

fn words() -> String {
    DECISIONS.map(Decision::as_str).join(", ")
}

impl ExpectedFinding {
    fn read(node: &Node, flaws: &mut Flaws) -> Option<Self> {
        let before = flaws.count();
        let fields = Fields::of(Some(node), "expect.findings[]", &FINDING, flaws);
        let word = fields.word("rule", flaws);
        if word.is_none() && flaws.count() == before {
            flaws.add(node.place, "a finding needs \"rule\"");
        }
        let rule = word.and_then(|word| rule_called(&word, flaws));
        let mut text = |name: &str| fields.word(name, flaws).map(|word| word.text.to_owned());
        let (container, message) = (text("container"), text("message"));
        let modes = &Mode::ALL.map(|mode| (mode.as_str(), mode));
        let outcomes = &Outcome::ALL.map(|outcome| (outcome.as_str(), outcome));
        let mode = chosen(&fields, "mode", modes, flaws);
        let outcome = chosen(&fields, "outcome", outcomes, flaws);
        (flaws.count() == before).then_some(())?;
        Some(Self { rule: rule?.name, mode, outcome, container, message })
    }
}

/// Which of `known` the word in the field `name` is.
fn chosen<T: Copy>(
    fields: &Fields<'_>,
    name: &str,
    known: &[(&str, T)],
    flaws: &mut Flaws,
) -> Option<T> {
    let word = fields.word(name, flaws)?;
    let found = known.iter().find(|(text, _)| *text == word.text).map(|(_, value)| *value);
    if found.is_none() {
        let words: Vec<&str> = known.iter().map(|(text, _)| *text).collect();
        let subject = format!("{name} {}", quoted(word.text));
        flaws.add(word.place, unknown(&subject, word.text, &words));
    }
    found
}
