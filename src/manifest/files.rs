//! Which files to lint.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// The endings of files that folders are searched for.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Folders that hold what others wrote.
const FOREIGN: &str = "node_modules";

/// The path that stands for standard input.
pub(crate) const STDIN_PATH: &str = "-";

/// The name of standard input in findings.
pub(crate) const STDIN_NAME: &str = "<stdin>";

/// Where a text is read from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Input {
    /// The name of it in findings, with `/` between folders.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => STDIN_NAME.to_owned(),
            Self::File(path) => {
                let name = path.to_string_lossy();
                let name = if std::path::MAIN_SEPARATOR == '/' {
                    name.into_owned()
                } else {
                    name.replace(std::path::MAIN_SEPARATOR, "/")
                };
                name.strip_prefix("./").map_or(name.clone(), str::to_owned)
            }
        }
    }
}

/// The files that `paths` name, each once: in the order of `paths`, those of a folder in order of
/// name.
///
/// # Errors
///
/// Where a path is not there, or a folder cannot be read.
pub(crate) fn inputs(paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    let (mut inputs, mut known) = (Vec::new(), HashSet::new());
    for path in paths {
        if path.as_os_str() == STDIN_PATH {
            if known.insert(PathBuf::from(STDIN_PATH)) {
                inputs.push(Input::Stdin);
            }
            continue;
        }
        let kind =
            fs::metadata(path).with_context(|| format!("\"{}\" cannot be read", path.display()))?;
        let mut found = Vec::new();
        if kind.is_dir() {
            search(path, &mut HashSet::new(), &mut found)?;
            if found.is_empty() && paths.len() == 1 {
                bail!(
                    "folder \"{}\" has no files that end in .yaml, .yml or .json",
                    path.display()
                );
            }
        } else {
            found.push(path.clone());
        }
        inputs
            .extend(found.into_iter().filter(|file| known.insert(identity(file))).map(Input::File));
    }
    Ok(inputs)
}

/// Adds the files in `folder` and below. A folder that is reached again through a link is searched
/// once.
fn search(
    folder: &Path,
    seen: &mut HashSet<PathBuf>,
    found: &mut Vec<PathBuf>,
) -> anyhow::Result<()> {
    if !seen.insert(identity(folder)) {
        return Ok(());
    }
    let unreadable = || format!("folder \"{}\" cannot be read", folder.display());
    let entries = fs::read_dir(folder).with_context(unreadable)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(unreadable)?;
    paths.sort();
    for path in paths {
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            continue;
        };
        // a link that leads nowhere is no file
        let Ok(kind) = fs::metadata(&path) else { continue };
        if name.starts_with('.') || name == FOREIGN {
            continue;
        }
        if kind.is_dir() {
            search(&path, seen, found)?;
        } else if path
            .extension()
            .is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
        {
            found.push(path);
        }
    }
    Ok(())
}

fn identity(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
