//! The policies folder, which is read whole.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::set::{Contents, is_policy_file};

/// A folder with one policy in each YAML file.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

/// Why a folder has no policies to read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// It cannot be read.
    #[error("policies folder \"{path}\" cannot be read: {cause}")]
    Unreadable {
        /// The folder, or the file in it.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// It has no policy files.
    #[error("policies folder \"{0}\" has no files that end in .yaml or .yml")]
    Empty(PathBuf),
}

impl Folder {
    /// The folder at `path`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Reads every policy file.
    ///
    /// # Errors
    ///
    /// Where the folder or a file in it cannot be read, or where there is no policy file.
    pub(crate) fn read(&self) -> Result<Contents, FolderError> {
        let unreadable =
            |path: &Path, cause| FolderError::Unreadable { path: path.to_owned(), cause };
        let mut contents = Contents::new();
        for entry in fs::read_dir(&self.0).map_err(|cause| unreadable(&self.0, cause))? {
            let path = entry.map_err(|cause| unreadable(&self.0, cause))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if is_policy_file(name) {
                contents.insert(
                    name.to_owned(),
                    fs::read_to_string(&path).map_err(|cause| unreadable(&path, cause))?,
                );
            }
        }
        if contents.is_empty() { Err(FolderError::Empty(self.0.clone())) } else { Ok(contents) }
    }
}
