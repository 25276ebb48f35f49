//! Which files are read.

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

/// The files of manifests that `paths` name, as [`gathered`] has them.
///
/// # Errors
///
/// Where a path is not there, or a folder cannot be read or has no such files.
pub(crate) fn inputs(paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    let is_manifest = |path: &Path| {
        let ending = path.extension();
        ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
    };
    let is_foreign = |path: &Path| path.file_name().is_some_and(|name| name == FOREIGN);
    let inputs =
        gathered(paths, &|path, is_folder| !is_foreign(path) && (is_folder || is_manifest(path)))?;
    match paths {
        [folder] if inputs.is_empty() => {
            bail!("folder \"{}\" has no files that end in .yaml, .yml or .json", folder.display())
        }
        _ => Ok(inputs),
    }
}

/// The files that `paths` name, each once: in the order of `paths`, those of a folder in order of
/// name. `takes` says of what is in a folder, and whether it is one, if it is wanted.
///
/// # Errors
///
/// Where a path is not there, or a folder cannot be read.
pub(crate) fn gathered(
    paths: &[PathBuf],
    takes: &impl Fn(&Path, bool) -> bool,
) -> anyhow::Result<Vec<Input>> {
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
            search(path, takes, &mut HashSet::new(), &mut found)?;
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
    takes: &impl Fn(&Path, bool) -> bool,
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
    let is_hidden =
        |path: &Path| path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    for path in paths {
        // a link that leads nowhere is no file
        let Ok(kind) = fs::metadata(&path) else { continue };
        if is_hidden(&path) || !takes(&path, kind.is_dir()) {
            continue;
        }
        if kind.is_dir() {
            search(&path, takes, seen, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn identity(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
