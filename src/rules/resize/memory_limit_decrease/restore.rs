//! Putting back what automation took without approval.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::patch::Edit;
use crate::judge::view::{MemoryChange, ResizeView};

/// Finds every decrease that is not `approved`, each with the edit that puts it back. Request and
/// limit go back together, so what was a valid pair is one again, and the quality of service stays.
pub(super) fn put_back(
    rule: &str,
    resize: &ResizeView<'_>,
    approved: impl Fn(&MemoryChange<'_>) -> bool,
    findings: &mut Findings,
) {
    let taken = |change: &MemoryChange<'_>| change.limit_falls() && !approved(change);
    if !resize.memory_changes().any(|change| taken(&change)) {
        return;
    }
    // pod-level memory and that of the containers must fit together: as it was they do
    let together = resize.has_pod_level_memory();
    for change in resize.memory_changes().filter(|change| together || taken(change)) {
        let operations = change.restoration();
        if operations.is_empty() {
            continue;
        }
        let (old, new) = (change.restored_limit(), change.limit.1);
        let message = |names: Names| match change.limit_falls() {
            true => format!(
                "{}: memory limit restored to {old}, not {new}: no approval",
                names.part(change.part)
            ),
            false => format!("{}: memory restored with that of the pod", names.part(change.part)),
        };
        let finding = Finding::new(
            rule,
            change.pointer("limits"),
            message,
            "it would be asked for again: end it with minAllowed.memory or controlledValues RequestsOnly in the autoscaler, an allowance in the policy, or an approval",
        );
        findings.report(finding.about_part(change.part).with_edit(Edit(operations)));
    }
}
