//! Writing files whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes `new` in place of `old` at `path`, or where it links to. Whoever reads meanwhile sees one
/// or the other.
///
/// # Errors
///
/// Where the file cannot be written, or does not hold `old` any more. Then it is as it was.
pub(in crate::lint) fn replace(path: &Path, old: &str, new: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    if fs::read(&path)? != old.as_bytes() {
        return Err(io::Error::other("it changed meanwhile"));
    }
    let beside = beside(&path)?;
    let written = write(&beside, &path, new).and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // what is left over would only be in the way
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write(beside: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create_new(beside)?;
    file.set_permissions(fs::metadata(path)?.permissions())?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A hidden name in the same folder, so that renaming is one step.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    Ok(path.with_file_name(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id())))
}
