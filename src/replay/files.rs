//! Which files are replayed, and how each is opened.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use flate2::bufread::MultiGzDecoder;

/// The path that stands for standard input.
const STDIN: &str = "-";

/// The bytes read at once: a log is read from end to end.
const BUFFER: usize = 256 * 1024;

/// The first bytes of what gzip made.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Where lines are read from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Input {
    /// Standard input.
    Stdin,
    /// A file, as it is or compressed.
    File(PathBuf),
}

impl Input {
    /// The name of it in reports.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stdin => "<stdin>".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Opens it. Whether it is compressed its first bytes say, whatever it is called.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub(super) fn open(&self) -> io::Result<Box<dyn BufRead>> {
        let plain: Box<dyn BufRead> = match self {
            Self::Stdin => Box::new(BufReader::with_capacity(BUFFER, io::stdin())),
            Self::File(path) => Box::new(BufReader::with_capacity(BUFFER, File::open(path)?)),
        };
        unpacked(plain)
    }
}

/// `reader` without its compression, if it has any.
pub(super) fn unpacked(mut reader: Box<dyn BufRead>) -> io::Result<Box<dyn BufRead>> {
    let is_packed = reader.fill_buf()?.starts_with(&GZIP);
    Ok(if is_packed {
        Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(reader)))
    } else {
        reader
    })
}

/// The inputs that `paths` name, each once; those of a folder in order of name.
///
/// # Errors
///
/// Where a path is not there, or a folder cannot be read.
pub(super) fn inputs(paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    let (mut inputs, mut known) = (Vec::new(), BTreeSet::new());
    for path in paths {
        let mut found = Vec::new();
        if path.as_os_str() == STDIN {
            found.push(Input::Stdin);
        } else {
            search(path, &mut found, &mut BTreeSet::new())?;
        }
        inputs.extend(found.into_iter().filter(|input| known.insert(identity(input))));
    }
    Ok(inputs)
}

/// What two names of one file have in common.
fn identity(input: &Input) -> PathBuf {
    match input {
        Input::Stdin => PathBuf::from(STDIN),
        Input::File(path) => fs::canonicalize(path).unwrap_or_else(|_| path.clone()),
    }
}

/// The files in `path`, which may be one. A folder that links lead to twice is searched once.
fn search(
    path: &Path,
    found: &mut Vec<Input>,
    folders: &mut BTreeSet<PathBuf>,
) -> anyhow::Result<()> {
    let cannot = || format!("\"{}\" cannot be read", path.display());
    if !fs::metadata(path).with_context(cannot)?.is_dir() {
        found.push(Input::File(path.to_owned()));
        return Ok(());
    }
    if !folders.insert(fs::canonicalize(path).with_context(cannot)?) {
        return Ok(());
    }
    let entries: io::Result<Vec<_>> = fs::read_dir(path).with_context(cannot)?.collect();
    let mut entries: Vec<_> = entries.with_context(cannot)?.iter().map(|one| one.path()).collect();
    entries.sort();
    let is_hidden = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    };
    for entry in entries.iter().filter(|entry| !is_hidden(entry)) {
        // a link that leads nowhere is nobody's log
        if entry.exists() {
            search(entry, found, folders)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn folders_are_searched_and_files_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("old")).unwrap();
        for name in ["audit.log", "old/audit-1.log", ".hidden"] {
            fs::write(path(name), "{}").unwrap();
        }
        std::os::unix::fs::symlink("nowhere", path("broken")).unwrap();
        std::os::unix::fs::symlink(".", path("again")).unwrap();
        let found = inputs(&[folder.path().to_owned(), path("audit.log"), "-".into()]).unwrap();
        let expected =
            [Input::File(path("audit.log")), Input::File(path("old/audit-1.log")), Input::Stdin];
        assert_eq!(found, expected);
        assert!(inputs(&[path("missing")]).is_err());
    }

    #[test]
    fn what_is_compressed_is_told_by_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(b"one\n").unwrap();
        let mut bytes = packed.finish().unwrap();
        let mut more = GzEncoder::new(Vec::new(), Compression::fast());
        more.write_all(b"two\n").unwrap();
        bytes.extend(more.finish().unwrap());
        for (bytes, expected) in [(&bytes[..], "one\ntwo\n"), (b"plain\n", "plain\n"), (b"", "")] {
            fs::write(&path, bytes).unwrap();
            let mut text = String::new();
            Input::File(path.clone()).open().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, expected);
        }
    }
}
