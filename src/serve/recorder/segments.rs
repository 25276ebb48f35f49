//! The files that recordings are written to: the newest last, no more of them than there is room
//! for.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How the names of segments begin and end; the number between them counts up for ever.
const PREFIX: &str = "recording-";
const SUFFIX: &str = ".jsonl";

/// Held by the one server that writes here.
const LOCK: &str = ".lock";

/// The largest segment, in bytes.
const LARGEST: u64 = 32 * 1024 * 1024;

/// How many segments there are at least, once there is no more room: what is lost at once is one of
/// so many.
const LEAST_SEGMENTS: u64 = 8;

/// The most servers that share a place.
const FOLDERS: u8 = 32;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(in crate::serve) enum FolderError {
    /// It cannot be made, read or written to.
    #[error("{0}")]
    Unusable(#[from] io::Error),
    /// It is a file.
    #[error("it is no folder")]
    NoFolder,
    /// Recordings are for the eyes of one user.
    #[error(
        "it belongs to another user, or others may write there: name a folder that is not there yet, it is made with mode 0700"
    )]
    NotOurs,
    /// Other servers write there, and beside it.
    #[error("other servers record there: name another folder")]
    InUse,
}

/// The segments of one folder.
#[derive(Debug)]
pub(in crate::serve) struct Segments {
    folder: PathBuf,
    /// The most that all of them take, in bytes.
    limit: u64,
    /// How one is made.
    make: fn(&Path) -> io::Result<File>,
    /// Those that nothing is added to any more, oldest first: number and size.
    closed: VecDeque<(u64, u64)>,
    current: Option<Segment>,
    /// The number of the next one.
    next: u64,
    _lock: File,
}

#[derive(Debug)]
struct Segment {
    file: File,
    number: u64,
    size: u64,
}

impl Segments {
    /// Opens `folder`, or makes it. What is there stays, as far as it fits `limit` bytes. Where
    /// another server writes there it is the next free one of `folder.1`, `folder.2` and so on:
    /// replicas share a volume, and no rollout leaves a folder behind that nobody takes again.
    ///
    /// # Errors
    ///
    /// Where it is not for this server alone.
    pub(in crate::serve) fn open(folder: &Path, limit: u64) -> Result<Self, FolderError> {
        let mut opened = Self::open_with(folder, limit, make);
        for number in 1..FOLDERS {
            if !matches!(opened, Err(FolderError::InUse)) {
                break;
            }
            let mut beside = folder.as_os_str().to_owned();
            beside.push(format!(".{number}"));
            opened = Self::open_with(Path::new(&beside), limit, make);
        }
        opened
    }

    /// Where they are.
    pub(in crate::serve) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn open_with(
        folder: &Path,
        limit: u64,
        make: fn(&Path) -> io::Result<File>,
    ) -> Result<Self, FolderError> {
        if !folder.try_exists()? {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let lock = lock(folder)?;
        let mut closed = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if let Some(number) = entry.file_name().to_str().and_then(number) {
                closed.push((number, entry.metadata()?.len()));
            }
        }
        closed.sort_unstable();
        let next = closed.last().map_or(0, |(number, _)| number.saturating_add(1));
        let mut segments = Self {
            folder: folder.to_owned(),
            limit,
            make,
            closed: closed.into(),
            current: None,
            next,
            _lock: lock,
        };
        segments.make_room(0)?;
        Ok(segments)
    }

    /// Adds `line`, whole or not at all.
    ///
    /// # Errors
    ///
    /// Where the disk does not take it.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let size = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if size > self.limit {
            return Err(io::Error::other("a review is larger than all that is to be kept"));
        }
        let largest = LARGEST.min(self.limit / LEAST_SEGMENTS);
        let full =
            |segment: &Segment| segment.size > 0 && segment.size.saturating_add(size) > largest;
        if self.current.as_ref().is_some_and(full) {
            self.close();
        }
        self.make_room(size)?;
        let segment = match self.current.take() {
            Some(segment) => self.current.insert(segment),
            None => {
                let segment = self.begin()?;
                self.current.insert(segment)
            }
        };
        match segment.file.write_all(line) {
            Ok(()) => {
                segment.size = segment.size.saturating_add(size);
                Ok(())
            }
            Err(error) => {
                // half a line would spoil the next one
                if segment.file.set_len(segment.size).is_err() {
                    self.close();
                }
                Err(error)
            }
        }
    }

    fn begin(&mut self) -> io::Result<Segment> {
        let number = self.next;
        let file = (self.make)(&self.path(number))?;
        self.next = number.saturating_add(1);
        Ok(Segment { file, number, size: 0 })
    }

    /// Adds nothing to the current segment any more.
    fn close(&mut self) {
        if let Some(segment) = self.current.take() {
            // as it is: what could not be taken back counts as well
            let size = segment.file.metadata().map_or(segment.size, |metadata| metadata.len());
            self.closed.push_back((segment.number, size));
        }
    }

    /// Deletes the oldest segments until `size` more bytes fit.
    fn make_room(&mut self, size: u64) -> io::Result<()> {
        while self.total().saturating_add(size) > self.limit {
            let Some((number, _)) = self.closed.front() else {
                if self.current.is_none() {
                    return Ok(());
                }
                self.close();
                continue;
            };
            match fs::remove_file(self.path(*number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => drop(self.closed.pop_front()),
            }
        }
        Ok(())
    }

    fn total(&self) -> u64 {
        let sizes = self.closed.iter().map(|(_, size)| *size);
        sizes.chain(self.current.iter().map(|segment| segment.size)).fold(0, u64::saturating_add)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{PREFIX}{number:010}{SUFFIX}"))
    }
}

/// A new file that nobody else may read.
fn make(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}

/// The number of the segment called `name`.
fn number(name: &str) -> Option<u64> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

/// Takes `folder` for this process alone.
fn lock(folder: &Path) -> Result<File, FolderError> {
    let about = fs::metadata(folder)?;
    if !about.is_dir() {
        return Err(FolderError::NoFolder);
    }
    let path = folder.join(LOCK);
    let lock =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let ours = lock.metadata()?.uid();
    if about.uid() != ours || about.mode() & 0o022 != 0 {
        return Err(FolderError::NotOurs);
    }
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(FolderError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    fn texts(folder: &Path) -> Vec<String> {
        let mut paths: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some())
            .collect();
        paths.sort();
        paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    #[test]
    fn the_oldest_goes_first_and_a_restart_goes_on() {
        let temporary = tempdir().unwrap();
        let folder = temporary.path().join("deep/down");
        let mut segments = Segments::open(&folder, 80).unwrap();
        for number in 0..40 {
            segments.append(format!("line {number:02}\n").as_bytes()).unwrap();
            let all: usize = texts(&folder).iter().map(String::len).sum();
            assert!(all <= 80, "{number}: {all}");
        }
        assert_eq!(texts(&folder).last().unwrap(), "line 39\n");
        assert_eq!(texts(&folder).len(), 10);
        let beside = Segments::open(&folder, 80).unwrap();
        assert_eq!(beside.folder(), temporary.path().join("deep/down.1"));

        drop(segments);
        let mut segments = Segments::open(&folder, 40).unwrap();
        assert_eq!(texts(&folder).concat(), "line 35\nline 36\nline 37\nline 38\nline 39\n");
        segments.append(b"another\n").unwrap();
        assert_eq!(texts(&folder).concat(), "line 36\nline 37\nline 38\nline 39\nanother\n");
        let too_large = [b'x'; 41];
        assert!(segments.append(&too_large).is_err());
        assert_eq!(texts(&folder).len(), 5);
    }

    #[test]
    fn nobody_else_may_read_them() {
        let temporary = tempdir().unwrap();
        let folder = temporary.path().join("own");
        Segments::open(&folder, 80).unwrap().append(b"line\n").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("recording-0000000000.jsonl")), 0o600);
    }

    #[test]
    fn a_folder_where_others_may_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(Segments::open(folder.path(), 80), Err(FolderError::NotOurs)));
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(Segments::open(&file, 80), Err(FolderError::NoFolder)));
    }

    #[test]
    fn a_full_disk_takes_whole_lines_or_none() {
        let folder = tempdir().unwrap();
        let folder = folder.path().join("own");
        let full = |_: &Path| OpenOptions::new().append(true).open("/dev/full");
        let mut segments = Segments::open_with(&folder, 800, full).unwrap();
        assert_eq!(segments.append(b"line\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
        segments.make = make;
        segments.append(b"line\n").unwrap();
        assert_eq!(texts(&folder).concat(), "line\n");
    }
}
