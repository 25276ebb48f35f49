//! The chart has a copy of the policies: Helm reads nothing outside of a chart, and a link gets
//! lost where Flux, Windows or an archive takes the folder along.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::root;

const CHART: &str = "charts/restraint";
const POLICIES: &str = "policies";

/// What to do about a copy that differs.
const ADVICE: &str =
    "the chart has other policies: UPDATE_DOCS=1 cargo test --test suite documentation";

#[test]
fn the_policies_of_the_chart_are_up_to_date() {
    let (ours, copied) = (root().join(POLICIES), root().join(CHART).join(POLICIES));
    let mut expected = files(&ours);
    // cases are for whoever writes policies
    expected.retain(|path, _| !path.starts_with("tests"));
    assert!(!expected.is_empty(), "no policies in {}", ours.display());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::remove_dir_all(&copied).unwrap();
        for (path, text) in &expected {
            let copy = copied.join(path);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::write(copy, text).unwrap();
        }
    }
    let found = files(&copied);
    let paths: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let differing: Vec<_> =
        paths.into_iter().filter(|path| found.get(*path) != expected.get(*path)).collect();
    assert!(differing.is_empty(), "{differing:?}: {ADVICE}");
}

#[test]
fn nothing_in_the_chart_is_a_link() {
    let mut links = Vec::new();
    walk(&root().join(CHART), &mut |path, kind| {
        if kind.is_symlink() {
            links.push(path.to_owned());
        }
    });
    assert!(links.is_empty(), "{links:?}");
}

/// The files below `folder`: their paths in it and what they hold.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    walk(folder, &mut |path, kind| {
        if kind.is_file() {
            let inside = path.strip_prefix(folder).unwrap().to_owned();
            found.insert(inside, fs::read(path).unwrap());
        }
    });
    found
}

/// Everything below `folder`; links are not followed.
fn walk(folder: &Path, visit: &mut dyn FnMut(&Path, fs::FileType)) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        visit(&path, kind);
        if kind.is_dir() {
            walk(&path, visit);
        }
    }
}
