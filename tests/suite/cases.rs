//! `restraint test`: what it says of cases, and the cases of the shipped policies and of the recipes
//! that the documentation gives.

mod inputs;
mod recipes;
mod results;
mod updating;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// What a command said.
#[derive(Debug)]
struct Ran {
    code: i32,
    output: String,
    remarks: String,
}

/// A policy that denies decreases.
const POLICY: &str = "name: decrease\nrule: memory-limit-decrease\nmode: enforce\n";

/// What the cases below begin with.
const DEFAULTS: &str = "\
defaults:
  oldObject:
    apiVersion: v1
    kind: Pod
    metadata: {name: db-0}
    spec:
      nodeName: node-1
      containers:
        - {name: app, image: db, resources: {limits: {memory: 512Mi}}}
";

/// `restraint test` in `folder`.
fn test(folder: &Path, arguments: &[&str]) -> Ran {
    let output = Command::cargo_bin("restraint")
        .unwrap()
        .current_dir(folder)
        .env_remove("RESTRAINT_POLICIES")
        .arg("test")
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap(),
        output: text(output.stdout),
        remarks: text(output.stderr),
    }
}

/// A folder with these files.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// A folder of one policy with these cases.
fn with_cases(cases: &str) -> TempDir {
    tree(&[("p/decrease.yaml", POLICY), ("p/tests/cases.yaml", &format!("{DEFAULTS}{cases}"))])
}

/// The report for programs.
fn json(folder: &Path, arguments: &[&str]) -> Value {
    let ran = test(folder, &[arguments, &["-o", "json"]].concat());
    serde_json::from_str(&ran.output).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}
