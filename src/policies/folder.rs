//! The policies folder: read whole, followed, and swapped whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::judge::mode::Cap;
use crate::judge::policies::Policies;

use super::PolicyErrors;

/// A folder with one policy in each YAML file.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    cap: Cap,
}

/// The contents of a folder: file names and texts.
pub(crate) type Contents = BTreeMap<String, String>;

/// Why a folder's policies cannot come into force.
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
    /// Some policies are faulty.
    #[error("{0}")]
    Faulty(PolicyErrors),
}

impl Folder {
    /// The folder at `path`, whose policies act under `cap`.
    pub(crate) fn new(path: PathBuf, cap: Cap) -> Self {
        Self { path, cap }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads every policy file. Names that begin with a dot are the kubelet's own.
    ///
    /// # Errors
    ///
    /// Where the folder or a file in it cannot be read, or where there is no policy file.
    pub(crate) fn read(&self) -> Result<Contents, FolderError> {
        let unreadable =
            |path: &Path, cause| FolderError::Unreadable { path: path.to_owned(), cause };
        let mut contents = Contents::new();
        for entry in fs::read_dir(&self.path).map_err(|cause| unreadable(&self.path, cause))? {
            let path = entry.map_err(|cause| unreadable(&self.path, cause))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml")) {
                contents.insert(
                    name.to_owned(),
                    fs::read_to_string(&path).map_err(|cause| unreadable(&path, cause))?,
                );
            }
        }
        if contents.is_empty() { Err(FolderError::Empty(self.path.clone())) } else { Ok(contents) }
    }

    /// The policies that `contents` describe.
    ///
    /// # Errors
    ///
    /// With every error of every file.
    pub(crate) fn policies(&self, contents: &Contents) -> Result<Policies, FolderError> {
        let files = contents.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        Policies::read(files).map(|policies| policies.under(self.cap)).map_err(FolderError::Faulty)
    }
}
