//! What a check says.

use serde::Serialize;

/// How much something matters, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is as it should be.
    Ok,
    /// Worth knowing; nothing has to be done.
    Note,
    /// It was not examined: the reason is in the message.
    Unknown,
    /// It should be put right.
    Warning,
    /// It locks out, or will, or what Restraint is for does not work.
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

/// One thing that a check says. The names of its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Observation {
    /// The check.
    pub check: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about: `Kind namespace/name`, or `cluster`.
    pub object: String,
    /// What is seen.
    pub message: String,
    /// How to put it right, where there is something to.
    pub remedy: Option<String>,
}

/// Where a check says what it sees.
#[derive(Debug)]
pub(super) struct Observations<'l> {
    check: &'static str,
    list: &'l mut Vec<Observation>,
}

impl<'l> Observations<'l> {
    pub(super) fn of(check: &'static str, list: &'l mut Vec<Observation>) -> Self {
        Self { check, list }
    }

    /// How much was said so far.
    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    pub(super) fn ok(&mut self, object: impl Into<String>, message: impl Into<String>) {
        self.say(Severity::Ok, object, message, None);
    }

    /// Something worth knowing that has no remedy.
    pub(super) fn remark(&mut self, object: impl Into<String>, message: impl Into<String>) {
        self.say(Severity::Note, object, message, None);
    }

    pub(super) fn note(
        &mut self,
        object: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.say(Severity::Note, object, message, Some(remedy.into()));
    }

    /// `what` was not examined, because of `reason`.
    pub(super) fn unknown(
        &mut self,
        object: impl Into<String>,
        what: &str,
        reason: &str,
        remedy: impl Into<String>,
    ) {
        self.say(
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
        self.say(Severity::Warning, object, message, Some(remedy.into()));
    }

    pub(super) fn problem(
        &mut self,
        object: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.say(Severity::Problem, object, message, Some(remedy.into()));
    }

    pub(super) fn say(
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
        });
    }
}
