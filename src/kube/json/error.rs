//! Why JSON cannot be read.

use std::fmt;

/// What is wrong with JSON. Says where, never what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    line: usize,
    column: usize,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is not JSON.
    Syntax,
    /// It is JSON of another shape than what it is read as.
    Shape,
}

impl Error {
    pub(super) fn syntax() -> Self {
        Self { kind: Kind::Syntax, line: 0, column: 0 }
    }

    /// The error with its place: where reading `text` stopped.
    pub(super) fn at(self, text: &str, index: usize) -> Self {
        let read = text.as_bytes().get(..index).unwrap_or(text.as_bytes());
        let line = read.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
        let column = read.iter().rev().take_while(|byte| **byte != b'\n').count();
        Self { line, column, ..self }
    }

    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column, in bytes from 1; 0 before the first.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Kind::Syntax => "not JSON",
            Kind::Shape => "of another shape",
        };
        write!(formatter, "{what}: line {}, column {}", self.line, self.column)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    /// What is said may quote the input, so it is left out.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self { kind: Kind::Shape, line: 0, column: 0 }
    }
}
