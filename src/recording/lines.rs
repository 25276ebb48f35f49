//! Reading recordings back, line by line.

use std::io::{self, BufRead};

use serde::Deserialize;

use super::line::{Line, next_within};
use super::{Recording, SCHEMA};

/// The longest line that is read, in bytes: more than the largest review and its answer take.
pub const LINE_LIMIT: usize = 64 * 1024 * 1024;

/// Why a line cannot be read. Says where, never what stands there.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file.
    #[error("it cannot be read: {0}")]
    File(#[from] io::Error),
    /// The last line has no end: the writer was stopped, or still writes it.
    #[error("line {line} is cut off: the service was stopped while it wrote it, or still does")]
    Truncated {
        /// The line, from 1.
        line: usize,
    },
    /// A line that nobody could have written.
    #[error("line {line} is longer than {limit} bytes")]
    TooLarge {
        /// The line, from 1.
        line: usize,
        /// [`LINE_LIMIT`].
        limit: usize,
    },
    /// Another form of recording.
    #[error(
        "line {line} is a recording of the form {schema:?}, and this version reads {SCHEMA:?}: use a newer restraint"
    )]
    OtherSchema {
        /// The line, from 1.
        line: usize,
        /// Its form, shortened.
        schema: String,
    },
    /// No recording.
    #[error("line {line} is no recording: column {column}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

impl Recording {
    /// Reads one line, the `line`th of a file.
    ///
    /// # Errors
    ///
    /// Where it is no recording that this version can read.
    pub fn read(text: &[u8], line: usize) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Form {
            schema: String,
        }
        let form: Form = serde_json::from_slice(text).map_err(|error| malformed(line, &error))?;
        if form.schema != SCHEMA {
            let schema = form.schema.chars().take(SHOWN).collect();
            return Err(Unreadable::OtherSchema { line, schema });
        }
        serde_json::from_slice(text).map_err(|error| malformed(line, &error))
    }
}

/// The characters of a foreign form that are shown.
const SHOWN: usize = 64;

fn malformed(line: usize, error: &serde_json::Error) -> Unreadable {
    Unreadable::Malformed { line, column: error.column() }
}

/// The recordings of a file, first to last. A faulty line does not end them, but a line that is too
/// large or cut off does.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    line: usize,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    /// The recordings that `reader` has.
    pub fn of(reader: R) -> Self {
        Self { reader, line: 0, ended: false }
    }

    /// The number of the line that was read last, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    fn next_line(&mut self) -> Result<Option<Vec<u8>>, Unreadable> {
        let mut text = Vec::new();
        let read = next_within(&mut self.reader, &mut text, LINE_LIMIT)?;
        if read == Line::None {
            return Ok(None);
        }
        self.line = self.line.saturating_add(1);
        let line = self.line;
        match read {
            Line::Whole | Line::None => Ok(Some(text)),
            Line::Unended => Err(Unreadable::Truncated { line }),
            Line::TooLong => Err(Unreadable::TooLarge { line, limit: LINE_LIMIT }),
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Recording, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let text = self.next_line().inspect_err(|_| self.ended = true);
        match text {
            Ok(None) => None,
            Ok(Some(text)) => Some(Recording::read(&text, self.line)),
            Err(error) => Some(Err(error)),
        }
    }
}
