//! An approved decrease of memory that the running process is to survive.
//!
//! **Why it matters.** Without `resizePolicy: RestartContainer` the kubelet lowers the limit under
//! the running process. It refuses while usage, page cache included, is at or above the new limit,
//! and keeps trying; a process that reads many files may never get there. Between the check and the
//! kernel's limit lies a race that ends in an OOM kill.
//!
//! **What it looks at.** Decreases that are approved, of the pod or of a container whose memory
//! policy is `NotRequired` or absent (the same: KEP-1287).
//!
//! **What it allows.** Containers that restart for a memory resize.
//!
//! **How to fix it.** Roll out `resizePolicy` with `memory: RestartContainer`, or drain the
//! pod first.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::{MemoryChange, ResizeView};

pub(crate) const RULE: Rule = Rule::new::<LiveMemoryShrink>(
    "live-memory-shrink",
    include_str!("../../../policies/live-memory-shrink.yaml"),
);

#[derive(Debug, Default)]
struct LiveMemoryShrink;

impl Check for LiveMemoryShrink {
    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        for change in resize.memory_changes().filter(MemoryChange::limit_falls) {
            if change.policy == "RestartContainer"
                || resize.approval().covers(change.part, change.limit.1).is_err()
            {
                continue;
            }
            let (old, new) = (change.limit.0, change.limit.1);
            let message = |names: Names| {
                format!(
                    "{}: live shrink {old} -> {new}: refused while in use, OOM risk",
                    names.part(change.part)
                )
            };
            let remedy =
                "drain the pod first, or roll out resizePolicy with memory: RestartContainer";
            let finding = Finding::new(RULE.name, change.pointer("limits"), message, remedy);
            findings.report(finding.about_part(change.part));
        }
    }
}
