//! A request as it is told: a line of the JSON output.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::recording::Decision;

use super::case::{Found, Told};

/// A request, and what comes of it.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    /// The API server's name for the request.
    #[serde(rename = "auditID", skip_serializing_if = "String::is_empty")]
    pub(super) audit_id: String,
    /// The file and line, of a recording.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) file: String,
    /// Which way it came in, of a recording.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) path: &'static str,
    /// When the request came in.
    pub(super) time: Option<Timestamp>,
    pub(super) namespace: String,
    /// Empty where the API server made it up and the log does not tell.
    pub(super) name: String,
    /// Whom the API server took the requester for.
    pub(super) requester: String,
    /// The plural name, and the subresource after a slash.
    pub(super) resource: String,
    pub(super) operation: &'static str,
    pub(super) dry_run: bool,
    pub(super) decision: Decision,
    /// The rules that the decision rests on.
    pub(super) rules: BTreeSet<&'static str>,
    /// What was found, or why nothing can be told.
    pub(super) reason: String,
    /// Whether Restraint itself said so then, and nothing was judged again.
    pub(super) said: bool,
    /// Everything that was found, whatever comes of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) findings: Vec<Found>,
    /// What it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) against: Option<Before>,
}

/// What was decided then, or would have been by other policies.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Before {
    pub(super) decision: Decision,
    pub(super) rules: BTreeSet<&'static str>,
    /// Whether that is another decision, or by other rules; `None` where either cannot be told.
    pub(super) changed: Option<bool>,
}

/// A resource as entries name it.
pub(super) fn named(plural: &str, subresource: &str) -> String {
    let slash = if subresource.is_empty() { "" } else { "/" };
    [plural, slash, subresource].concat()
}

impl Entry {
    /// What is told of it.
    pub(super) fn tell(&mut self, told: Told) {
        self.decision = told.decision;
        self.rules = told.rules;
        self.reason = told.reason;
        self.findings = told.findings;
    }

    /// Compares it with what was decided before, where that is known by its rules as well.
    pub(super) fn compare(&mut self, decision: Decision, rules: Option<BTreeSet<&'static str>>) {
        let is_known = ![self.decision, decision].contains(&Decision::Unknown);
        let differs =
            self.decision != decision || rules.as_ref().is_some_and(|rules| *rules != self.rules);
        let changed = is_known.then_some(differs);
        self.against = Some(Before { decision, rules: rules.unwrap_or_default(), changed });
    }

    /// Whether it is decided otherwise than before.
    pub(super) fn is_changed(&self) -> bool {
        self.against.as_ref().is_some_and(|before| before.changed == Some(true))
    }
}
