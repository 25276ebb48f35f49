//! A heap that is fixed at start and leaves no room below the memory limit.
//!
//! **Why it matters.** A program that is told its heap takes it when the work asks for it, whatever
//! the container's limit is, and the kernel kills it at the limit. A resize changes the limit and
//! never the flag, and a restart takes the same flag again: a limit below the heap is an outage
//! that comes later.
//!
//! **What it looks at.** `-Xmx`, `-XX:MaxHeapSize` and `GOMEMLIMIT` at or above the effective
//! memory limit, `--max-old-space-size` at 80 % of it or more, because the young generation and all
//! that is not heap come on top, and `-XX:MaxRAMPercentage` above 85. They are read from `command`,
//! `args` and inline shell text, and from literal variables such as `JAVA_TOOL_OPTIONS`,
//! `JDK_JAVA_OPTIONS`, `JAVA_OPTS`, `CATALINA_OPTS` and `NODE_OPTIONS`, of every container, with
//! `$(NAME)` expanded. Of repeated settings the one counts that the runtime takes. On a resize it
//! looks at containers whose effective limit is lowered, and at the new limit.
//!
//! **What it allows.** Containers without a limit; resizes that raise the limit, and percentages on
//! any resize, because they follow the limit at the next start. It is silent where a value comes
//! from a ConfigMap, a Secret or a field, where a reference leads nowhere, where a script may set
//! the variable, and where it cannot be told which setting counts. Pods and templates are never
//! denied.
//!
//! **How to fix it.** Lower the flag by a rollout first, then the limit. An approval does not
//! lift this denial unless it says `force`.

use crate::heap::{Heap, Size};
use crate::judge::finding::{Finding, Findings, Lift};
use crate::judge::message::Names;
use crate::judge::mode::Mode;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::{MemoryChange, PodView, ResizeView};
use crate::kube::container::Container;
use crate::kube::resources::EffectiveLimit;

pub(crate) const RULE: Rule = Rule::new::<HeapAboveLimit>(
    "heap-above-limit",
    include_str!("../../../policies/heap-above-limit.yaml"),
)
.not_ignorable_on_resize();

#[derive(Debug, Default)]
struct HeapAboveLimit;

impl Check for HeapAboveLimit {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.all_containers() {
            let limit = pod.memory_limit(placed.container);
            for heap in above(limit, || pod.heaps(placed.container)) {
                let remedy = "lower the flag or raise the limit: more than the heap has to fit";
                let pointer = pod.container_pointer(&placed, heap.field);
                findings.report(
                    finding(placed.container, &heap, limit, pointer, remedy).at_most(Mode::Warn),
                );
            }
        }
    }

    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        if resize.approval_forces() {
            return;
        }
        for change in resize.memory_changes() {
            for heap in in_the_way(resize, &change) {
                let Some(container) = change.placed().map(|placed| placed.container) else { break };
                let remedy = "lower the flag by a rollout first, or approve with force; a restart alone keeps the same flag";
                let (limit, pointer) = (change.limit.1, change.pointer("limits"));
                let finding = finding(container, &heap, limit, pointer, remedy);
                findings.report(finding.lifted_by(Lift::ForcedGrant));
            }
        }
    }
}

/// The first heap that does not fit the memory that `resize` leaves, unless it is approved.
pub(in crate::rules) fn first_in_the_way(resize: &ResizeView<'_>) -> Option<Heap> {
    resize.memory_changes().find_map(|change| in_the_way(resize, &change).into_iter().next())
}

/// The heaps that do not fit the memory that `change` leaves. A share follows the limit at the next
/// start.
fn in_the_way(resize: &ResizeView<'_>, change: &MemoryChange<'_>) -> Vec<Heap> {
    let container = change.placed().filter(|_| change.is_lowered()).map(|placed| placed.container);
    let Some(container) = container else { return Vec::new() };
    let mut heaps = above(change.limit.1, || resize.heaps(container));
    heaps.retain(|heap| !matches!(heap.size, Size::Share(_)));
    heaps
}

/// Those of `heaps` that leave too little below `limit`.
fn above(limit: EffectiveLimit<'_>, heaps: impl FnOnce() -> Vec<Heap>) -> Vec<Heap> {
    let Some(limit) = limit.bytes() else { return Vec::new() };
    let mut heaps = heaps();
    heaps.retain(|heap| heap.fills(limit));
    heaps
}

fn finding(
    container: &Container<'_>,
    heap: &Heap,
    limit: EffectiveLimit<'_>,
    pointer: String,
    remedy: &'static str,
) -> Finding {
    let relation = match heap.size {
        Size::Whole(_) => "at or above",
        Size::OldSpace(_) => "at 80% or more of",
        Size::Share(_) => "above 85% of",
    };
    let name = &container.name;
    let message = |names: Names| {
        format!(
            "container {}: heap {} {relation} memory limit {limit}",
            names.quoted(name),
            heap.setting
        )
    };
    Finding::new(RULE.name, pointer, message, remedy).in_container(name)
}
