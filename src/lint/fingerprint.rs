//! What programs know a finding by, from one run to the next.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};

use super::finding::Finding;

/// Gives each of `findings` a fingerprint of its own: the same as long as the fault is the same,
/// wherever its line goes.
pub(super) fn mark(findings: &mut [Finding]) {
    let mut seen = BTreeMap::new();
    for finding in findings {
        finding.fingerprint = fingerprint(finding, &mut seen);
    }
}

fn fingerprint(finding: &Finding, seen: &mut BTreeMap<String, usize>) -> String {
    let container = finding.container.as_deref().unwrap_or_default();
    let parts = [
        finding.rule,
        &finding.file,
        &finding.kind,
        &finding.namespace,
        &finding.name,
        container,
        &finding.message,
    ];
    let mut text = parts.join("\0");
    let before = seen.entry(text.clone()).or_default();
    if *before > 0 {
        let _ = write!(text, "\0{before}"); // writing to memory cannot fail
    }
    *before += 1;
    let mut hex = String::new();
    for byte in digest(&SHA256, text.as_bytes()).as_ref() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
