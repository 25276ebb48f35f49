//! What a run comes to, in a word and as an exit code.

use std::process::ExitCode;

use serde::Serialize;

/// What a run comes to, and its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ending {
    /// Only planned, and it would go through.
    Planned,
    /// Every pod has what was wanted.
    Done,
    /// A pod failed: it was put back, or left, as was wanted.
    Failed,
    /// Nothing was done: no consent, somebody else is at it or manages the numbers, a right is missing.
    NotStarted,
    /// Restraint denies it, or the API server refuses it.
    Denied,
    /// Somebody stopped it between two pods.
    Stopped,
}

impl Ending {
    pub(super) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Planned | Self::Done => 0,
            Self::Failed => 1,
            Self::NotStarted => 2,
            Self::Denied => 3,
            Self::Stopped => 4,
        })
    }
}
