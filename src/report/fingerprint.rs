//! What programs know a finding by, from one run to the next.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};

/// Gives each finding of a run a fingerprint of its own: the same as long as the fault is the same,
/// wherever its line goes.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints {
    seen: BTreeMap<String, usize>,
}

impl Fingerprints {
    /// The fingerprint of the next finding that has `parts`.
    pub(crate) fn next(&mut self, parts: &[&str]) -> String {
        let mut text = parts.join("\0");
        let before = self.seen.entry(text.clone()).or_default();
        if *before > 0 {
            let _ = write!(text, "\0{before}"); // writing to memory cannot fail
        }
        *before = before.saturating_add(1);
        let mut hex = String::new();
        for byte in digest(&SHA256, text.as_bytes()).as_ref() {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}
