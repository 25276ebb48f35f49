//! Findings in files, as SARIF has them.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

use crate::judge::policies::Policies;
use crate::manifest::files::STDIN_NAME;
use crate::report::sarif::{self, Notification, SarifResult};

use super::finding::Finding;
use super::read::Remark;

/// The log of a run.
pub(super) fn render(findings: &[Finding], remarks: &[&Remark], policies: &Policies) -> Value {
    let here = std::env::current_dir().unwrap_or_default();
    let results = findings.iter().map(|finding| SarifResult {
        rule: finding.rule,
        mode: finding.mode,
        message: &finding.message,
        remedy: &finding.remedy,
        subject: finding.subject(),
        place: Some(location(&finding.file, Some(finding.line), &here)),
        fingerprint: finding.fingerprint.clone(),
    });
    let notification = |remark: &&Remark| Notification {
        message: remark.message.clone(),
        place: Some(location(&remark.file, remark.line, &here)),
    };
    let notifications = remarks.iter().map(notification).collect();
    sarif::render(results.collect(), notifications, policies)
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
    if file == STDIN_NAME {
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
