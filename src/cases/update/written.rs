//! An expectation as it is written, or to be written.

use serde_json::{Map, Value, json};

use crate::manifest::layout::flow::word;
use crate::recording::{Decision, Ruled};
use crate::yaml::Node;

use super::super::found::Found;
use super::super::matching::Difference;

/// What the field `expect` of a case is to say.
#[derive(Debug)]
pub(super) struct Expectation {
    /// What comes of it.
    pub(super) decision: Decision,
    /// The allowance that lets it through, where it is to be named.
    pub(super) allowance: Option<String>,
    /// Which findings of those that are written stay, by number.
    pub(super) kept: Vec<usize>,
    /// What they say.
    kept_values: Vec<Value>,
    /// Findings that are added.
    pub(super) added: Vec<Vec<(&'static str, String)>>,
}

impl Expectation {
    /// What `written` is to say, which differs from what is `found`.
    pub(super) fn of(written: Option<&Node>, found: &Found, difference: &Difference) -> Self {
        let findings = written.and_then(|node| node.field("findings"));
        let elements = findings.map(Node::elements).unwrap_or_default();
        let kept: Vec<usize> =
            (0..elements.len()).filter(|number| !difference.missing.contains(number)).collect();
        let values = kept.iter().filter_map(|number| elements.get(*number)).map(Node::to_json);
        // without an expectation nothing was compared
        let is_added = |number: &usize| written.is_none() || difference.unexpected.contains(number);
        let added = found.findings.iter().enumerate().filter(|(number, _)| is_added(number));
        let is_named = written.is_none_or(|node| node.field("allowance").is_some());
        Self {
            decision: found.decision,
            allowance: found.allowance.clone().filter(|_| is_named),
            kept_values: values.collect(),
            kept,
            added: added.map(|(_, ruled)| fields(ruled)).collect(),
        }
    }

    /// The same as a value.
    pub(super) fn to_json(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("decision".to_owned(), self.decision.as_str().into());
        if let Some(allowance) = &self.allowance {
            fields.insert("allowance".to_owned(), allowance.as_str().into());
        }
        let added = self.added.iter().map(|fields| {
            fields.iter().map(|(key, text)| ((*key).to_owned(), json!(text))).collect()
        });
        let findings: Vec<Value> = self.kept_values.iter().cloned().chain(added).collect();
        if !findings.is_empty() {
            fields.insert("findings".to_owned(), findings.into());
        }
        fields.into()
    }

    /// Every finding in braces.
    pub(super) fn findings(&self) -> Vec<String> {
        let kept = self.kept_values.iter().map(|value| {
            let fields: Vec<_> = ORDER
                .into_iter()
                .filter_map(|key| Some((key, value.get(key)?.as_str()?.to_owned())))
                .collect();
            braces(&fields, false)
        });
        kept.chain(self.added.iter().map(|fields| braces(fields, false))).collect()
    }

    /// All of it in braces, as JSON where `is_json`.
    pub(super) fn in_braces(&self, is_json: bool) -> String {
        if is_json {
            return self.to_json().to_string();
        }
        let mut fields = vec![format!("decision: {}", self.decision)];
        fields
            .extend(self.allowance.iter().map(|name| format!("allowance: {}", word(name, false))));
        let findings = self.findings();
        if !findings.is_empty() {
            fields.push(format!("findings: [{}]", findings.join(", ")));
        }
        format!("{{{}}}", fields.join(", "))
    }
}

/// The order in which the fields of a finding are written.
const ORDER: [&str; 5] = ["rule", "mode", "outcome", "container", "message"];

/// What is written of a finding. What is done about it follows from its mode, unless a cap holds it.
fn fields(ruled: &Ruled) -> Vec<(&'static str, String)> {
    let mut fields = vec![("rule", ruled.rule.to_owned()), ("mode", ruled.mode.to_owned())];
    if ruled.outcome.starts_with("would-") {
        fields.push(("outcome", ruled.outcome.to_owned()));
    }
    fields.extend(ruled.container.iter().map(|name| ("container", name.clone())));
    fields
}

/// `fields` in braces.
pub(super) fn braces(fields: &[(&'static str, String)], is_json: bool) -> String {
    let fields: Vec<_> =
        fields.iter().map(|(key, text)| format!("{key}: {}", word(text, is_json))).collect();
    format!("{{{}}}", fields.join(", "))
}
