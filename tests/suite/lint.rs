//! `restraint lint` as a process: what it reads, what it finds, how it tells, and how it ends.

mod configuration;
mod fixing;
mod formats;
mod inputs;
mod kinds;
mod kustomize;
mod reading;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::server::PATIENCE;

/// A Deployment whose template carries an approval, and whose container has memory and no resize
/// policy.
const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    metadata:
      annotations:
        approved-by-sre: \"true\"
        other: x
    spec:
      containers:
      - name: app
        image: nginx
        resources:
          limits:
            memory: 1Gi
";

/// A pod whose heap is larger than its limit.
const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: db
spec:
  containers:
  - name: jvm
    args: [java, -Xmx2g, -jar, app.jar]
    resources: {limits: {memory: 1Gi}}
    resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]
";

/// What a run of the command came to.
#[derive(Debug)]
struct Ran {
    code: i32,
    output: String,
    remarks: String,
}

/// A folder with these files.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Lints in `folder`.
fn lint(folder: &Path, arguments: &[&str]) -> Ran {
    run(folder, arguments, "")
}

fn run(folder: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
    let output = command
        .env_clear()
        .current_dir(folder)
        .arg("lint")
        .args(arguments)
        .write_stdin(input)
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap(),
        output: text(output.stdout),
        remarks: text(output.stderr),
    }
}

/// The findings in these files, as JSON.
fn findings(files: &[(&str, &str)]) -> Vec<Value> {
    let folder = tree(files);
    let ran = lint(folder.path(), &["--format", "json", "--fail-on", "never", "."]);
    assert_eq!(ran.code, 0, "{}", ran.remarks);
    serde_json::from_str(&ran.output).unwrap()
}

/// `file:line mode rule` of each.
fn told(findings: &[Value]) -> Vec<String> {
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|f| {
            format!("{}:{} {} {}", word(f, "file"), f["line"], word(f, "mode"), word(f, "rule"))
        })
        .collect()
}

/// The policy files of a folder.
fn policy(rule: &str, mode: &str) -> (String, String) {
    (format!("policies/{rule}.yaml"), format!("name: {rule}\nrule: {rule}\nmode: {mode}\n"))
}
