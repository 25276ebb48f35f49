//! Why JSON cannot be read.

use std::fmt;

use super::Reader;

/// What is wrong with JSON. Says where, never what stands there.
#[derive(Clone, Debug)]
pub struct Error {
    fault: Fault,
    offset: usize,
    line: usize,
    column: usize,
    path: Vec<PathStep>,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// It is not JSON.
    Syntax,
    /// It is JSON of another shape than what it is read as.
    Shape,
}

/// What the fault is.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It is not JSON.
    NoJson,
    /// Something else stands where this should.
    Expected(&'static str),
    /// The JSON of a value that is refused, and how to explain it.
    Refused(fn(&str) -> String),
    /// What is read is not that.
    Broken(&'static str),
}

/// A step on the way to a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum PathStep {
    /// Into the field whose name begins at this index.
    Field(usize),
    /// To this entry of a list.
    Entry(usize),
}

/// Reading failed; the reader knows why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// Where and why reading failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    /// The index of it: of a value where one is of another shape, else where reading stopped.
    pub(super) offset: usize,
    /// The way there, the last step first.
    pub(super) path: Vec<PathStep>,
}

impl Error {
    pub(super) fn of(text: &str, failure: Failure) -> Self {
        let Failure { fault, offset, mut path } = failure;
        path.reverse();
        // a value has its first byte in the column, and where reading stopped it is the last byte
        // read
        let stopped =
            if matches!(fault, Fault::NoJson) { offset } else { offset.saturating_add(1) };
        let read = text.as_bytes().get(..stopped).unwrap_or(text.as_bytes());
        let line = read.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
        let column = read.iter().rev().take_while(|byte| **byte != b'\n').count();
        Self { fault, offset, line, column, path }
    }

    /// Whose fault it is.
    pub(crate) fn kind(&self) -> ErrorKind {
        if matches!(self.fault, Fault::NoJson) { ErrorKind::Syntax } else { ErrorKind::Shape }
    }

    /// The line, from 1.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// The column, in bytes from 1; 0 before the first.
    pub(crate) fn column(&self) -> usize {
        self.column
    }

    /// What it is.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The JSON of the value with the fault, of the `text` that was read.
    pub fn value<'a>(&self, text: &'a str) -> &'a str {
        Reader::starting(text, self.offset).raw().unwrap_or_default()
    }

    /// The names and indices on the way to it, in the `text` that was read.
    pub fn path(&self, text: &str) -> Vec<String> {
        let name = |step: &PathStep| match step {
            PathStep::Field(start) => {
                Reader::starting(text, *start).text().unwrap_or_default().into_owned()
            }
            PathStep::Entry(index) => index.to_string(),
        };
        self.path.iter().map(name).collect()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind() {
            ErrorKind::Syntax => "not JSON",
            ErrorKind::Shape => "of another shape",
        };
        write!(formatter, "{what}: line {}, column {}", self.line, self.column)
    }
}

impl std::error::Error for Error {}
