//! What is wrong with policy files.

use std::fmt;

use crate::yaml::Position;

/// One thing that is wrong with a policy file. Ordered by file and place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct PolicyError {
    /// The file, as it was named when it was read.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// What is wrong, in one line.
    pub message: String,
}

/// Everything that is wrong with policy files, in order of file and place: one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyErrors(Vec<PolicyError>);

impl PolicyErrors {
    pub(super) fn sorted(mut errors: Vec<PolicyError>) -> Self {
        errors.sort();
        Self(errors)
    }

    /// The errors in order.
    pub fn iter(&self) -> impl Iterator<Item = &PolicyError> {
        self.0.iter()
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let break_before = if index == 0 { "" } else { "\n" };
            write!(formatter, "{break_before}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}

/// What is wrong with one file so far.
#[derive(Debug, Default)]
pub(crate) struct Flaws(Vec<(Position, String)>);

impl Flaws {
    /// Notes what is wrong at `place`.
    pub(crate) fn add(&mut self, place: Position, message: impl Into<String>) {
        self.0.push((place, message.into()));
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Each with its place.
    #[cfg(feature = "shell")]
    pub(crate) fn into_list(self) -> Vec<(Position, String)> {
        self.0
    }

    /// The errors of the file called `file`.
    pub(crate) fn of(self, file: &str) -> impl Iterator<Item = PolicyError> {
        let error = move |(place, message): (Position, String)| PolicyError {
            file: file.to_owned(),
            line: place.line,
            column: place.column,
            message,
        };
        self.0.into_iter().map(error)
    }
}
