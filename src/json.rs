//! JSON, read once into what borrows from it.
//!
//! A decoder for what the API server writes: large objects of which little is read. What nothing
//! asks for is skipped many bytes at a time (`scan`) and checked only for where it ends; what
//! is read is read as strictly as serde_json reads it. Values are read in place, into what was as
//! good as absent before: a derived decoder moves each struct several times, and is so large that
//! most of its time goes into fetching its code.
//!
//! `null` is as good as absent wherever a field is, as in Go. A struct is never read from a list.

mod decode;
mod error;
mod escape;
mod later;
mod raw;
mod reader;
mod scan;
pub(crate) mod text;
pub(crate) mod write;

pub(crate) use decode::{Decode, Fields, Skipped, UNKNOWN, fields};
pub(crate) use error::Failed;
pub use error::{Error, ErrorKind, Fault};
pub use later::Later;
pub use raw::Raw;
pub(crate) use reader::Reader;

/// The most entries of one list.
///
/// An empty entry takes three bytes in a body and hundreds once decoded, and whoever may create
/// pods may send megabytes of them. So lists are bounded, far beyond any object that runs.
pub const LIST_LIMIT: usize = 4096;

/// The most entries of all lists and maps that one reading takes, both objects of an update
/// together.
pub const ENTRY_LIMIT: usize = 32_768;

/// The deepest nesting of what is read: far beyond any type here, and far from the end of the
/// stack.
const DEPTH_LIMIT: u8 = 100;

/// Reads all of `text`.
///
/// # Errors
///
/// Where it is not JSON, or JSON of another shape.
pub(crate) fn read<'a, T: Decode<'a>>(text: &'a str) -> Result<T, Error> {
    finished(Reader::new(text), |_, _| Ok(()))
}

/// The same in two steps: the first leaves every list that may be read [`Later`], and `second` reads
/// those of them that will be asked for.
///
/// # Errors
///
/// As [`read`], but for what is left.
pub(crate) fn read_in_steps<'a, T: Decode<'a>>(
    text: &'a str,
    second: impl FnOnce(&mut T, &mut Reader<'a>) -> Result<(), Failed>,
) -> Result<T, Error> {
    finished(Reader::leaving_lists(text), second)
}

fn finished<'a, T: Decode<'a>>(
    mut reader: Reader<'a>,
    second: impl FnOnce(&mut T, &mut Reader<'a>) -> Result<(), Failed>,
) -> Result<T, Error> {
    let mut value = T::default();
    let first = reader.whole(&mut value).and_then(|()| reader.end());
    match first.and_then(|()| second(&mut value, &mut reader)) {
        Ok(()) => Ok(value),
        Err(Failed) => Err(reader.error()),
    }
}

#[cfg(test)]
mod tests;
