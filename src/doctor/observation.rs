//! Observations: what checks find.

use serde::Serialize;

use super::coverage::Coverage;

/// How much an observation matters, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// All is well.
    Ok,
    /// Worth knowing; nothing has to be done.
    Note,
    /// It was not examined: the reason is in the message.
    Unknown,
    /// It should be fixed.
    Warning,
    /// It locks out, or will, or Restraint does not do its work.
    Problem,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What a check found. The names of its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Observation {
    /// The check.
    pub check: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about: `Kind namespace/name`, or `cluster`.
    pub object: String,
    /// What was found.
    pub message: String,
    /// How to fix it, if there is something to fix.
    pub remedy: Option<String>,
    /// The namespaces it is about, one by one, where it is about how far each is covered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<Coverage>>,
}

/// Collects the observations of a check.
#[derive(Debug)]
pub(super) struct Observations<'l> {
    check: &'static str,
    list: &'l mut Vec<Observation>,
}

impl<'l> Observations<'l> {
    pub(super) fn of(check: &'static str, list: &'l mut Vec<Observation>) -> Self {
        Self { check, list }
    }

    /// How many there are so far.
    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    pub(super) fn ok(&mut self, object: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Ok, object, message, None);
    }

    /// A note without a remedy.
    pub(super) fn remark(&mut self, object: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Note, object, message, None);
    }

    pub(super) fn note(
        &mut self,
        object: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Severity::Note, object, message, Some(remedy.into()));
    }

    /// `what` (such as "its pods were") not examined, because of `reason`.
    pub(super) fn unknown(
        &mut self,
        object: impl Into<String>,
        what: &str,
        reason: &str,
        remedy: impl Into<String>,
    ) {
        self.add(
            Severity::Unknown,
            object,
            format!("{what} not examined: {reason}"),
            Some(remedy.into()),
        );
    }

    pub(super) fn warning(
        &mut self,
        object: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Severity::Warning, object, message, Some(remedy.into()));
    }

    pub(super) fn problem(
        &mut self,
        object: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Severity::Problem, object, message, Some(remedy.into()));
    }

    pub(super) fn add(
        &mut self,
        severity: Severity,
        object: impl Into<String>,
        message: impl Into<String>,
        remedy: Option<String>,
    ) {
        self.list.push(Observation {
            check: self.check,
            severity,
            object: object.into(),
            message: message.into(),
            remedy,
            namespaces: None,
        });
    }

    /// Gives the last observation its namespaces.
    pub(super) fn with_namespaces(&mut self, namespaces: Vec<Coverage>) {
        if let Some(last) = self.list.last_mut() {
            last.namespaces = Some(namespaces);
        }
    }
}
