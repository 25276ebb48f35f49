//! What is wrong with a case, or a file of cases, and where.

use crate::policies::error::Flaws;
use crate::yaml::Position;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flaw {
    /// The line of the file, from 1.
    pub(super) line: u64,
    /// The column in characters, from 1.
    pub(super) column: u64,
    /// What is wrong, in one line.
    pub(super) message: String,
}

impl Flaw {
    /// That of `message` at `place`.
    pub(super) fn at(place: Position, message: String) -> Self {
        Self { line: place.line, column: place.column, message }
    }
}

/// `flaws` of a document behind so many `lines` of its file.
pub(super) fn located(flaws: Flaws, lines: u64) -> impl Iterator<Item = Flaw> {
    flaws.into_list().into_iter().map(move |(place, message)| Flaw {
        line: place.line.saturating_add(lines),
        column: place.column,
        message,
    })
}
