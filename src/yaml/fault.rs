//! What is wrong with a text, and where.

use serde_saphyr::{DefaultMessageFormatter, Error, MessageFormatter};

use super::node::Position;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: Position,
    pub(crate) kind: FaultKind,
}

/// What kind of thing is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// A second document follows.
    SecondDocument,
    /// It is larger or nested deeper than the dialect allows.
    TooMuch,
    /// It is not YAML, for this reason.
    Invalid(String),
}

impl Fault {
    pub(super) fn of(error: &Error) -> Self {
        Self {
            place: error.location().map_or(Position::START, Position::from),
            kind: FaultKind::of(error),
        }
    }
}

impl FaultKind {
    fn of(error: &Error) -> Self {
        match error {
            Error::MultipleDocuments { .. } => Self::SecondDocument,
            Error::Budget { .. }
            | Error::AliasReplayCounterOverflow { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. } => Self::TooMuch,
            Error::AliasError { error, .. } => Self::of(error),
            _ => Self::Invalid(
                DefaultMessageFormatter.format_message(error).replace(char::is_control, " "),
            ),
        }
    }
}
