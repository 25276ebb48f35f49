//! What programs know a finding by, from one run to the next.

use crate::report::Fingerprints;

use super::finding::Finding;

/// Gives each of `findings` a fingerprint of its own.
pub(super) fn mark(findings: &mut [Finding]) {
    let mut fingerprints = Fingerprints::default();
    for finding in findings {
        let container = finding.container.as_deref().unwrap_or_default();
        finding.fingerprint = fingerprints.next(&[
            finding.rule,
            &finding.file,
            &finding.kind,
            &finding.namespace,
            &finding.name,
            container,
            &finding.message,
        ]);
    }
}
