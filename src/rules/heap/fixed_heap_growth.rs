//! A resize that gives a container memory which its heap does not take.
//!
//! **Why it matters.** A heap is as large as the virtual machine was told, or worked out, when it
//! started: even a percentage is taken of the limit that was there then. A resize that does not
//! restart the container raises the limit and leaves the heap, so the node sets memory aside that
//! nobody uses.
//!
//! **What it looks at.** Resizes that raise the effective memory limit of a regular container or
//! sidecar whose memory policy is `NotRequired` or absent (the same: KEP-1287), where the heap is
//! fixed at start: `-Xmx`, `-XX:MaxHeapSize`, `-XX:MaxRAMPercentage`, `--max-old-space-size`,
//! `GOMEMLIMIT`, read as `heap-above-limit` reads them.
//!
//! **What it allows.** Heaps that leave too little below the old limit: `heap-above-limit` asks for
//! just this resize. Containers that restart for it, and percentages where `cpu: RestartContainer`
//! may. A limit that goes away, because it does so at the next start only. Values that cannot be
//! told.
//!
//! **How to fix it.** Where the heap is a percentage, restart the container. Where it is a
//! size, raise the flag by a rollout, because a restart alone keeps it; a percentage and `memory:
//! RestartContainer` make the next resize count.

use crate::heap::Size;
use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::{MemoryChange, ResizeView};
use crate::kube::container::Container;

pub(crate) const RULE: Rule = Rule::new::<FixedHeapGrowth>(
    "fixed-heap-growth",
    include_str!("../../../policies/fixed-heap-growth.yaml"),
);

#[derive(Debug, Default)]
struct FixedHeapGrowth;

impl Check for FixedHeapGrowth {
    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        for change in resize.memory_changes().filter(MemoryChange::limit_grows) {
            let Some(placed) = change.placed().filter(|placed| placed.role.is_app()) else {
                continue;
            };
            if change.policy != "RestartContainer" {
                report(resize, placed.container, &change, findings);
            }
        }
    }
}

fn report(
    resize: &ResizeView<'_>,
    container: &Container<'_>,
    change: &MemoryChange<'_>,
    findings: &mut Findings,
) {
    let (old, new) = change.limit;
    // one policy that restarts is enough, and whether the cpu changes too cannot be seen from here
    let may_restart = container
        .policy_for("cpu")
        .is_some_and(|policy| &*policy.restart_policy == "RestartContainer");
    for heap in resize.heaps(container) {
        let share = matches!(heap.size, Size::Share(_));
        if old.bytes().is_none_or(|old| heap.crowds(old)) || (share && may_restart) {
            continue;
        }
        let message = |names: Names| {
            let name = names.quoted(&container.name);
            format!(
                "container {name}: {} does not grow with memory limit {old} -> {new}",
                heap.named()
            )
        };
        let remedy = match share {
            true => {
                "restart the container: the percentage is taken of the limit that is there at start"
            }
            false => "raise the flag by a rollout: a restart alone keeps it",
        };
        findings.report(
            Finding::new(RULE.name, change.pointer("limits"), message, remedy)
                .in_container(&container.name),
        );
    }
}
