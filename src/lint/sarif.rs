//! Findings as SARIF 2.1.0, as code scanning of GitHub takes it.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

use crate::judge::message::fit;
use crate::judge::mode::Mode;
use crate::judge::policies::Policies;
use crate::judge::rule::Rule;
use crate::rules;

use super::finding::Finding;
use super::read::Remark;

/// The schema that this keeps to.
const SCHEMA: &str = "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/main/sarif-2.1/schema/sarif-schema-2.1.0.json";

/// The longest description that GitHub takes, in characters.
const LONGEST_DESCRIPTION: usize = 1024;

/// The most results that GitHub takes of one run.
pub(super) const MOST_RESULTS: usize = 25_000;

/// The log of a run. Of more results than GitHub takes the strongest are kept.
pub(super) fn render(findings: &[Finding], remarks: &[&Remark], policies: &Policies) -> Value {
    let mut found: Vec<&'static str> = findings.iter().map(|finding| finding.rule).collect();
    found.sort_unstable();
    found.dedup();
    let here = std::env::current_dir().unwrap_or_default();
    let mut results: Vec<_> =
        findings.iter().map(|finding| (finding.mode, result(finding, &found, &here))).collect();
    // GitHub shows the first five thousand
    results.sort_by_key(|(mode, _)| std::cmp::Reverse(*mode));
    results.truncate(MOST_RESULTS);
    let notifications: Vec<_> = remarks.iter().map(|remark| notification(remark, &here)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "restraint",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://restraint.dev",
                "rules": found.iter().filter_map(|name| rules::find(name)).map(|rule| description(rule, policies)).collect::<Vec<_>>(),
            }},
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notifications}],
            "columnKind": "unicodeCodePoints",
            "results": results.into_iter().map(|(_, result)| result).collect::<Vec<_>>(),
        }],
    })
}

fn description(rule: &Rule, policies: &Policies) -> Value {
    let page = rule.documentation();
    let mut parts = page.split("\n\n").map(|part| part.replace('\n', " "));
    let (short, full) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let full = full.strip_prefix("**Why it matters.** ").unwrap_or(&full);
    let modes =
        policies.iter().filter(|policy| policy.rule.name == rule.name).map(|policy| {
            match (policy.mode, rule.fix) {
                (Mode::Fix, Some(on_templates)) => on_templates.0,
                (mode, _) => mode,
            }
        });
    json!({
        "id": rule.name,
        "name": rule.name,
        "shortDescription": {"text": fit(&short, LONGEST_DESCRIPTION)},
        "fullDescription": {"text": fit(full, LONGEST_DESCRIPTION)},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": level(modes.max().unwrap_or(Mode::Warn))},
        "properties": {"tags": ["kubernetes"]},
    })
}

fn level(mode: Mode) -> &'static str {
    match mode {
        Mode::Off | Mode::Audit => "note",
        Mode::Warn => "warning",
        Mode::Enforce | Mode::Fix => "error",
    }
}

fn result(finding: &Finding, found: &[&str], here: &Path) -> Value {
    json!({
        "ruleId": finding.rule,
        "ruleIndex": found.iter().position(|name| *name == finding.rule),
        "level": level(finding.mode.mode()),
        "message": {"text": format!("{}; fix: {}", finding.message, finding.remedy)},
        "locations": [{
            "physicalLocation": location(&finding.file, Some(finding.line), here),
            "logicalLocations": [{"fullyQualifiedName": finding.subject(), "kind": "resource"}],
        }],
        "partialFingerprints": {"restraint/v1": finding.fingerprint},
    })
}

fn notification(remark: &Remark, here: &Path) -> Value {
    json!({
        "level": "note",
        "message": {"text": remark.message},
        "locations": [{"physicalLocation": location(&remark.file, remark.line, here)}],
    })
}

fn location(file: &str, line: Option<u64>, here: &Path) -> Value {
    let mut location = json!({"artifactLocation": artifact(file, here)});
    if let (Some(line), Some(fields)) = (line, location.as_object_mut()) {
        fields.insert("region".to_owned(), json!({"startLine": line}));
    }
    location
}

/// Where a file is: from the root of the inputs, if it is below it.
fn artifact(file: &str, here: &Path) -> Value {
    if file == super::files::STDIN_NAME {
        return json!({"uri": "stdin"});
    }
    let path = Path::new(file);
    let path = path.strip_prefix(here).unwrap_or(path);
    if path.is_absolute() {
        return json!({"uri": format!("file://{}", encoded(&path.to_string_lossy()))});
    }
    let plain: PathBuf =
        path.components().filter(|part| !matches!(part, Component::CurDir)).collect();
    json!({"uri": encoded(&plain.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")), "uriBaseId": "%SRCROOT%"})
}

/// `path` as part of a URI (RFC 3986).
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}"); // writing to memory cannot fail
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_relative_uris() {
        let here = Path::new("/srv/shop");
        let uri = |file: &str| artifact(file, here)["uri"].as_str().unwrap().to_owned();
        assert_eq!(uri("deploy/a b%é.yaml"), "deploy/a%20b%25%C3%A9.yaml");
        assert_eq!(uri("/srv/shop/web.yaml"), "web.yaml");
        assert_eq!(uri("/srv/other/web.yaml"), "file:///srv/other/web.yaml");
        assert_eq!(uri("../web.yaml"), "../web.yaml");
        assert_eq!(uri("<stdin>"), "stdin");
        assert_eq!(artifact("web.yaml", here)["uriBaseId"], "%SRCROOT%");
    }
}
