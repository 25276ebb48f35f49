//! What the report of a namespace says: the same as long as the findings are the same, so without
//! times, numbers of pods, or an order that depends on them.

use std::cmp::Reverse;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::audit::report::Finding;
use crate::cluster::kind::Kind;
use crate::judge::mode::Mode;
use crate::report::counted;

/// The most results of a report, the one that says what is left out included.
pub(super) const MOST_RESULTS: usize = 200;

/// The most bytes of a report. The API server takes some three times as much.
pub(super) const MOST_BYTES: usize = 512 * 1024;

/// What metadata, summary and the result about what is left out may take of them.
const RESERVED: usize = 4 * 1024;

/// Who says so.
const SOURCE: &str = "restraint";

/// What a report says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content {
    /// The results, the gravest first.
    pub(super) results: Vec<Value>,
    pub(super) summary: Value,
    /// Findings that are left out.
    pub(super) omitted: usize,
    /// Two that say the same have the same.
    pub(super) digest: String,
}

impl Content {
    /// What there is to say of a namespace.
    pub(super) fn of(findings: &[&Finding]) -> Self {
        let mut sorted: Vec<&Finding> = findings.to_vec();
        sorted.sort_by_key(|finding| {
            let place = (finding.kind, &*finding.name, &finding.container, &*finding.pointer);
            (Reverse(finding.mode), finding.rule, place, &*finding.message)
        });
        let (results, omitted) = bounded(&sorted);
        let fails = sorted.iter().filter(|finding| word(finding) == "fail").count();
        // of all findings, those included that are left out
        let summary = json!({
            "pass": 0, "fail": fails, "warn": sorted.len().saturating_sub(fails), "error": 0,
            "skip": usize::from(omitted > 0),
        });
        let said = json!({"results": results, "summary": summary}).to_string();
        let digest = digest(&SHA256, said.as_bytes());
        let digest = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { results, summary, omitted, digest }
    }
}

/// As many results as there is room for, and how many findings are left out.
fn bounded(findings: &[&Finding]) -> (Vec<Value>, usize) {
    let mut results = Vec::with_capacity(findings.len().min(MOST_RESULTS));
    let mut bytes = RESERVED;
    for finding in findings {
        let rest = findings.len().saturating_sub(results.len());
        if rest > 1 && results.len() >= MOST_RESULTS.saturating_sub(1) {
            break;
        }
        let result = result(finding);
        // and a comma
        let more = bytes.saturating_add(result.to_string().len()).saturating_add(1);
        // a smaller one may find room behind one that is too large
        if more <= MOST_BYTES {
            bytes = more;
            results.push(result);
        }
    }
    let omitted = findings.len().saturating_sub(results.len());
    if omitted > 0 {
        results.push(json!({
            "source": SOURCE, "policy": SOURCE, "rule": "omitted", "result": "skip", "severity": "info",
            "message": format!("{} left out, for want of room", counted(omitted, "finding")),
            "properties": {"omitted": omitted.to_string()},
        }));
    }
    (results, omitted)
}

fn result(finding: &Finding) -> Value {
    let severity = match finding.mode.mode() {
        Mode::Enforce | Mode::Fix => "high",
        Mode::Warn => "medium",
        Mode::Audit | Mode::Off => "low",
    };
    let mut properties = json!({"mode": finding.mode.mode().as_str(), "pointer": finding.pointer});
    if let (Some(container), Some(properties)) = (&finding.container, properties.as_object_mut()) {
        properties.insert("container".to_owned(), json!(container));
    }
    if let (false, Some(properties)) = (finding.remedy.is_empty(), properties.as_object_mut()) {
        properties.insert("remedy".to_owned(), json!(finding.remedy));
    }
    json!({
        "source": SOURCE, "policy": finding.rule, "rule": finding.rule, "result": word(finding),
        "severity": severity, "message": finding.message, "properties": properties,
        "resources": [{
            "apiVersion": Kind::find(finding.kind).map(Kind::api_version).unwrap_or_default(),
            "kind": finding.kind, "namespace": finding.namespace, "name": finding.name,
        }],
    })
}

/// What would be denied fails.
fn word(finding: &Finding) -> &'static str {
    match finding.mode.mode() {
        Mode::Enforce | Mode::Fix => "fail",
        Mode::Warn | Mode::Audit | Mode::Off => "warn",
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::testing::finding;
    use crate::rules::strength::Strength;

    use super::*;

    fn of(findings: &[Finding]) -> Content {
        Content::of(&findings.iter().collect::<Vec<_>>())
    }

    fn many(count: usize) -> Vec<Finding> {
        (0..count)
            .map(|n| finding("shop", "Deployment", &format!("w{n:04}"), "file-watch"))
            .collect()
    }

    #[test]
    fn the_gravest_come_first_and_name_their_object() {
        let mut findings = many(2);
        findings[1].mode = Strength::ALL[0];
        let content = of(&findings);
        assert_eq!(content.results[0]["result"], "fail");
        assert_eq!(
            content.results[0]["resources"],
            json!([{"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "w0001"}])
        );
        assert_eq!(content.results[1]["result"], "warn");
        assert_eq!((&content.summary["fail"], &content.summary["warn"]), (&json!(1), &json!(1)));
    }

    #[test]
    fn neither_order_nor_pods_change_what_is_said() {
        let findings = many(3);
        let mut others: Vec<_> = findings.iter().rev().cloned().collect();
        others[0].pods = 7;
        assert_eq!(of(&findings), of(&others));
        others[0].message.push('!');
        assert_ne!(of(&findings).digest, of(&others).digest);
    }

    #[test]
    fn results_are_bounded_and_the_rest_is_counted() {
        let content = of(&many(MOST_RESULTS));
        assert_eq!((content.results.len(), content.omitted), (MOST_RESULTS, 0));
        let content = of(&many(MOST_RESULTS + 1));
        assert_eq!((content.results.len(), content.omitted), (MOST_RESULTS, 2));
        let last = content.results.last().unwrap();
        assert_eq!(
            (&last["result"], &last["properties"]["omitted"]),
            (&json!("skip"), &json!("2"))
        );
        assert_eq!((&content.summary["warn"], &content.summary["skip"]), (&json!(201), &json!(1)));
    }

    #[test]
    fn bytes_are_bounded_too() {
        let mut findings = many(150);
        for finding in &mut findings {
            finding.message = "é\"".repeat(4_000);
        }
        let content = of(&findings);
        let bytes =
            json!({"results": content.results, "summary": content.summary}).to_string().len();
        assert!(bytes <= MOST_BYTES, "{bytes}");
        assert!(bytes > MOST_BYTES - 32 * 1024, "{bytes}: room is left");
        assert_eq!(content.results.len() + content.omitted, 151);
    }

    #[test]
    fn one_that_is_too_large_is_left_out() {
        let mut findings = many(1);
        findings[0].message = "x".repeat(MOST_BYTES);
        let content = of(&findings);
        assert_eq!((content.results.len(), content.omitted), (1, 1));
    }
}
