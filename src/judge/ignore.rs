//! The annotation by which the owner of a workload silences rules.

use crate::kube::object::Metadata;

/// The annotation by which an owner silences rules.
const IGNORE_ANNOTATION: &str = "restraint.dev/ignore";

/// Whether the owner of the workload silenced `rule`.
pub(crate) fn ignores(metadata: &Metadata<'_>, rule: &str) -> bool {
    metadata
        .annotations
        .text(IGNORE_ANNOTATION)
        .is_some_and(|list| list.split(',').any(|name| name.trim() == rule))
}
