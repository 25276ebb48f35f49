//! What would be answered to a resize, or was.

use serde::Serialize;

use crate::manifest::unstructured::Unstructured;
use crate::terminal::paragraph;

use super::ask::{self, Refusal};
use super::change::{changes, listed};

/// What would be answered. The names of its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    /// `allowed`, `restored`, `denied` by Restraint, or `refused` by another.
    pub(super) verdict: Verdict,
    /// Why not, or what is restored.
    pub(super) message: String,
    /// What is warned of.
    pub(super) warnings: Vec<String>,
}

/// An answer in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// It goes through.
    Allowed,
    /// It goes through, and memory that would fall is put back.
    Restored,
    /// Restraint denies it.
    Denied,
    /// The API server or somebody else refuses it.
    Refused,
}

impl Answer {
    pub(super) fn of(answer: ask::Answer, wanted: &Unstructured) -> Self {
        let warnings = answer.warnings;
        match answer.result {
            Ok(stored) => {
                let restored = changes(wanted, &stored);
                let verdict =
                    if restored.is_empty() { Verdict::Allowed } else { Verdict::Restored };
                let message = match verdict {
                    Verdict::Restored => {
                        format!("other values would be stored: {}", listed(&restored))
                    }
                    _ => String::new(),
                };
                Self { verdict, message, warnings }
            }
            Err(Refusal { by, message, .. }) => {
                let verdict = match by {
                    ask::Refuser::Restraint => Verdict::Denied,
                    ask::Refuser::ApiServer => Verdict::Refused,
                };
                Self { verdict, message, warnings }
            }
        }
    }

    /// It for people.
    pub(super) fn tell(&self, text: &mut String) {
        let word = match self.verdict {
            Verdict::Allowed => "allowed",
            Verdict::Restored => "allowed in part",
            Verdict::Denied => "denied by Restraint",
            Verdict::Refused => "refused",
        };
        let colon = if self.message.is_empty() { "" } else { ": " };
        paragraph(text, "answer", &format!("{word}{colon}{}", self.message));
        for warning in &self.warnings {
            paragraph(text, "warning", warning);
        }
    }
}
