//! Which files are replayed, and how each is opened.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use flate2::bufread::MultiGzDecoder;

use crate::manifest::files::{Input, STDIN_NAME, gathered};

/// The bytes read at once: a log is read from end to end.
const BUFFER: usize = 256 * 1024;

/// The first bytes of what gzip made.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The name of it in reports.
pub(super) fn name(input: &Input) -> String {
    match input {
        Input::Stdin => STDIN_NAME.to_owned(),
        Input::File(path) => path.display().to_string(),
    }
}

/// Opens it. Whether it is compressed its first bytes say, whatever it is called.
///
/// # Errors
///
/// Where it cannot be read.
pub(super) fn open(input: &Input) -> io::Result<Box<dyn BufRead>> {
    let plain: Box<dyn BufRead> = match input {
        Input::Stdin => Box::new(BufReader::with_capacity(BUFFER, io::stdin())),
        Input::File(path) => Box::new(BufReader::with_capacity(BUFFER, File::open(path)?)),
    };
    unpacked(plain)
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

/// The inputs that `paths` name: of a folder every file, whatever it is called.
///
/// # Errors
///
/// Where a path is not there, or a folder cannot be read.
pub(super) fn inputs(paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    gathered(paths, &|_, _| true)
}

#[cfg(test)]
mod tests {
    use std::fs;
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
            open(&Input::File(path.clone())).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, expected);
        }
    }
}
