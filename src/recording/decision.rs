//! What comes of a review, in a word.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::judge::verdict::{Outcome, Verdict};
use crate::review::warnings;

/// What comes of a review, in a word: the strongest thing that is done.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The request is denied.
    Denied,
    /// What automation lowered is put back.
    Restored,
    /// The object is changed: fixed, or a grant became a stamp.
    Amended,
    /// The client is told.
    Warned,
    /// Nothing is done, and nothing said to the client.
    #[default]
    Allowed,
    /// It cannot be told: what judging needs is not known.
    Unknown,
    /// Somebody else refused the request before it was judged.
    Refused,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 7] = [
        Self::Denied,
        Self::Restored,
        Self::Amended,
        Self::Warned,
        Self::Allowed,
        Self::Unknown,
        Self::Refused,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Restored => "restored",
            Self::Amended => "amended",
            Self::Warned => "warned",
            Self::Allowed => "allowed",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
        }
    }

    /// What `verdict` does.
    pub fn of(verdict: &Verdict) -> Self {
        if !verdict.allowed() {
            Self::Denied
        } else if verdict.rulings.iter().any(|ruling| ruling.outcome == Outcome::Restored) {
            Self::Restored
        } else if !verdict.amendment.is_empty() || verdict.stamp.is_some() {
            Self::Amended
        } else if !warnings(verdict).is_empty() {
            Self::Warned
        } else {
            Self::Allowed
        }
    }

    /// What the AdmissionReview `answer` did. One that cannot be read tells nothing.
    pub fn answered(answer: &str) -> Self {
        #[derive(Deserialize)]
        struct Answer {
            response: Response,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Response {
            allowed: bool,
            patch: Option<String>,
            #[serde(default)]
            warnings: Vec<String>,
            #[serde(default)]
            audit_annotations: BTreeMap<String, String>,
        }
        let Ok(Answer { response }) = serde_json::from_str(answer) else { return Self::Unknown };
        if !response.allowed {
            Self::Denied
        } else if response.audit_annotations.contains_key(Outcome::Restored.as_str()) {
            Self::Restored
        } else if response.patch.is_some() {
            Self::Amended
        } else if !response.warnings.is_empty() {
            Self::Warned
        } else {
            Self::Allowed
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
