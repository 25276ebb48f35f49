//! `restraint lint` over a folder of manifests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;

/// A finding, as `--format json` prints it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Finding {
    pub(crate) rule: String,
    pub(crate) mode: String,
    pub(crate) message: String,
    pub(crate) pointer: String,
    pub(crate) fixable: bool,
    file: PathBuf,
}

/// What it finds in the files of `folder`, by name of file; with the policies in `policies`, else
/// those built in.
pub(crate) fn findings(folder: &Path, policies: Option<&Path>) -> BTreeMap<String, Vec<Finding>> {
    let mut line =
        vec!["--format".as_ref(), "json".as_ref(), "--fail-on".as_ref(), "never".as_ref()];
    line.extend(
        policies.into_iter().flat_map(|policies| ["--policies".as_ref(), policies.as_os_str()]),
    );
    let output = lint(&line, folder);
    let mut by_file = BTreeMap::<_, Vec<_>>::new();
    for finding in serde_json::from_slice::<Vec<Finding>>(&output.stdout).unwrap() {
        by_file
            .entry(finding.file.file_name().unwrap().to_string_lossy().into_owned())
            .or_default()
            .push(finding);
    }
    by_file
}

/// Puts right what it can in the files of `folder`.
pub(crate) fn fix(folder: &Path) {
    lint(&["--fix".as_ref(), "--fail-on".as_ref(), "never".as_ref()], folder);
}

#[track_caller]
fn lint(flags: &[&std::ffi::OsStr], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
    let output = command
        .arg("lint")
        .args(flags)
        .arg(folder)
        .env_remove("RESTRAINT_POLICIES")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}
