//! `restraint replay`, of what a real API server wrote about the scenario of the end-to-end tests:
//! once in each of three namespaces, of which it logged at each of three levels.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Output, Stdio};

use flate2::read::MultiGzDecoder;
use restraint::judge::policies::Policies;
use restraint::replay::replayed;
use serde_json::Value;

const LOG: &str = "tests/logs/scenario.log.gz";
const SCENARIO: &str = include_str!("../e2e/trials/replaying/scenario.yaml");

fn replay(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("replay").args(arguments);
    command.env_remove("RESTRAINT_POLICIES").stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn entries(arguments: &[&str]) -> Vec<Value> {
    let output = replay(&[arguments, &["--format", "json"]].concat());
    let lines = text(&output.stdout);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a log of this level tells of a step; `None` where nobody would have been asked.
fn truth<'s>(step: &'s Value, level: &str) -> Option<&'s str> {
    let written = |level: &str| step[level].as_str();
    match written("response") {
        None => Some("refused"),
        Some("none") => None,
        Some(_) if level == "metadata" => Some("unknown"),
        Some(response) => Some(written(level).unwrap_or(response)),
    }
}

#[test]
fn each_level_tells_what_it_can_and_nothing_else() {
    let steps: Vec<Value> = serde_saphyr::from_str(SCENARIO).unwrap();
    let entries = entries(&[LOG]);
    for level in ["metadata", "request", "response"] {
        let told: Vec<_> = entries.iter().filter(|entry| entry["namespace"] == level).collect();
        let truths: Vec<_> =
            steps.iter().filter_map(|step| Some((step, truth(step, level)?))).collect();
        assert_eq!(told.len(), truths.len());
        for ((step, truth), entry) in truths.iter().zip(told) {
            assert_eq!(entry["decision"], *truth, "{level}: {step}: {entry}");
        }
    }
}

/// The lines of the log.
fn lines() -> Vec<String> {
    let packed = fs::read(LOG).unwrap();
    let mut log = String::new();
    MultiGzDecoder::new(&packed[..]).read_to_string(&mut log).unwrap();
    log.lines().map(str::to_owned).collect()
}

/// The decision about each request, by the API server's name for it.
fn decisions(lines: &[String]) -> BTreeMap<String, String> {
    let told = replayed(lines.join("\n").as_bytes(), &Policies::embedded());
    let pair = |line: &String| {
        let entry: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| entry[field].as_str().unwrap().to_owned();
        (text("auditID"), text("decision"))
    };
    told.iter().map(pair).collect()
}

#[test]
fn a_log_with_less_in_it_never_contradicts_one_with_more() {
    let whole = lines();
    let level = |line: &String, hidden: &[&str]| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        if event["level"] == "RequestResponse" {
            event["level"] = "Request".into();
        }
        hidden.iter().for_each(|field| drop(event.as_object_mut().unwrap().remove(*field)));
        event.to_string()
    };
    let told = decisions(&whole);
    let asked: Vec<_> = whole.iter().map(|line| level(line, &["responseObject"])).collect();
    // of each five events one is lost, where answers would give that away
    let answered: Vec<_> =
        whole.iter().filter(|line| line.contains("\"level\":\"RequestResponse\"")).collect();
    let holed = (0..5).map(|lost| {
        let kept = answered.iter().enumerate().filter(|(index, _)| index % 5 != lost);
        kept.map(|(_, line)| (*line).clone()).collect()
    });
    for less in std::iter::once(asked).chain(holed) {
        for (id, decision) in decisions(&less) {
            assert!(
                decision == "unknown" || decision == told[&id],
                "{id}: {decision}, {}",
                told[&id]
            );
        }
    }
}

#[test]
fn the_order_of_lines_is_no_matter_where_they_are_near() {
    let lines = lines();
    let backwards: Vec<_> =
        lines.chunks(40).flat_map(|lines| lines.iter().rev().cloned()).collect();
    assert_eq!(decisions(&lines), decisions(&backwards));
}

#[test]
fn people_are_told_whom_it_hits() {
    let output = replay(&[LOG]);
    let text = text(&output.stdout);
    for said in [
        "policies built in, cap enforce",
        "1 file; 189 requests that Restraint would be asked about, 2026-11-30T21:48:21Z to",
        "denied: ",
        "memory-limit-decrease",
        "dev@example.com",
        "system:serviceaccount:kube-system:vpa-updater",
        "the log has no objects of this request",
        "409 AlreadyExists",
        "assumed, because the log does not tell:",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(output.stderr.is_empty() && output.status.success(), "quiet in a pipe");
}

#[test]
fn two_sets_of_policies_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let built_in = fs::read_to_string("policies/memory-limit-decrease.yaml").unwrap();
    let mild = built_in.replace("mode: enforce", "mode: warn");
    assert_ne!(mild, built_in);
    let path = folder.path().to_str().unwrap();
    fs::write(folder.path().join("memory-limit-decrease.yaml"), mild).unwrap();
    let arguments = [LOG, "--policies", path, "--against", "policies"];
    let changed: Vec<_> = entries(&arguments)
        .into_iter()
        .filter(|entry| {
            entry["against"]["changed"] == true && entry["against"]["decision"] == "denied"
        })
        .collect();
    assert!(changed.iter().any(|entry| entry["decision"] == "warned"), "{changed:#?}");
    let text = text(&replay(&arguments).stdout);
    assert!(
        text.contains("denied (memory-limit-decrease) -> warned (memory-limit-decrease)"),
        "{text}"
    );
    let code =
        |fail_on: &str| replay(&[&arguments[..], &["--fail-on", fail_on]].concat()).status.code();
    assert_eq!((code("change"), code("deny"), code("never")), (Some(1), Some(0), Some(0)));
}

#[test]
fn bad_input_is_told_and_nothing_readable_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("note.txt"), "hello\n").unwrap();
    fs::write(path("beta.log"), "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1beta1\"}\n")
        .unwrap();
    let output = replay(&[&path("note.txt"), &path("beta.log")]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stdout);
    assert!(said.contains("note.txt\": neither an audit log of kube-apiserver"), "{said}");
    assert!(said.contains("1 events of audit.k8s.io/v1beta1"), "{said}");
    let missing = replay(&[&path("missing.log")]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("missing.log\" cannot be read"));
}

#[test]
fn standard_input_is_read_as_well() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
    command.args(["replay", "-", "--format", "json"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(LOG).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout).lines().count(), 189);
}
