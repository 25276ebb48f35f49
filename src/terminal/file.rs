//! Files that are written whole or not at all.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes `text` to the file at `path`, or where it links to. Whoever reads meanwhile sees what was
/// there before. Pipes and devices take it as it comes.
///
/// # Errors
///
/// Where it cannot be written. Then a file is as it was.
pub(crate) fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let present = fs::metadata(&path).ok();
    if present.as_ref().is_some_and(|present| !present.is_file()) {
        return fs::write(path, text);
    }
    let beside = beside(&path)?;
    let written = write(&beside, present.as_ref(), text).and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // what is left over would only be in the way
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write(beside: &Path, present: Option<&Metadata>, text: &str) -> io::Result<()> {
    let mut file = File::create_new(beside)?;
    if let Some(present) = present {
        file.set_permissions(present.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A hidden name in the same folder, so that renaming is one step.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    Ok(path.with_file_name(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_and_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        for text in ["first", "second"] {
            write_file(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_link_leads_to_what_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (link, path) = (folder.path().join("link"), folder.path().join("report"));
        fs::write(&path, "before").unwrap();
        std::os::unix::fs::symlink("report", &link).unwrap();
        write_file(&link, "after").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        write_file(Path::new("/dev/null"), "text").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        let folder = tempfile::tempdir().unwrap();
        assert!(write_file(folder.path(), "text").is_err());
        assert!(write_file(&folder.path().join("missing/report"), "text").is_err());
    }
}
