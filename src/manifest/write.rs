//! Writing what was mended.

use std::fs;
use std::io;
use std::path::Path;

use crate::terminal::write_file;

/// Writes `new` in place of `old` at `path`, or where it links to. Whoever reads meanwhile sees one
/// or the other.
///
/// # Errors
///
/// Where the file cannot be written, or does not hold `old` any more. Then it is as it was.
pub(crate) fn replace(path: &Path, old: &str, new: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    if fs::read(&path)? != old.as_bytes() {
        return Err(io::Error::other("it changed meanwhile"));
    }
    write_file(&path, new)
}
