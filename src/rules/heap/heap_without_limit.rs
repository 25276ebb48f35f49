//! A heap flag in a container without a memory limit.
//!
//! **Why it matters.** The heap is bounded and the rest is not: what a process keeps beside its
//! heap (threads, buffers, code, caches of native libraries) grows into the memory of its
//! neighbours, and on a full node it is anyone's process that the kernel kills. A percentage
//! without a limit is a part of the node's memory, so the same pod is small on one node and fills
//! the next.
//!
//! **What it looks at.** `-Xmx`, `-XX:MaxRAMPercentage`, `--max-old-space-size`, `GOMEMLIMIT` and all
//! else that `heap-above-limit` reads, of regular containers and sidecars with no memory limit in
//! effect: neither their own nor the pod's, where `0` is none.
//!
//! **What it allows.** Plain init containers, which are gone before the others start. A LimitRange
//! may give pods a limit that their template does not show: of a template this is a guess, which is
//! why it is only recorded.
//!
//! **How to fix it.** Set a memory limit with room above the heap.

use crate::heap::Size;
use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::resources::EffectiveLimit;

pub(crate) const RULE: Rule = Rule::new::<HeapWithoutLimit>(
    "heap-without-limit",
    include_str!("../../../policies/heap-without-limit.yaml"),
);

#[derive(Debug, Default)]
struct HeapWithoutLimit;

impl Check for HeapWithoutLimit {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.app_containers() {
            let container = placed.container;
            if matches!(pod.memory_limit(container), EffectiveLimit::Limited(_)) {
                continue;
            }
            let Some(known) = pod.memory_settings(container) else { continue };
            for heap in &known.heaps {
                let outcome = match heap.size {
                    Size::Share(_) => "is a part of the node's memory: no memory limit",
                    _ => "and no memory limit",
                };
                let message = |names: Names| {
                    format!(
                        "container {}: {} {outcome}",
                        names.quoted(&container.name),
                        heap.described()
                    )
                };
                let pointer = pod.container_pointer(&placed, &heap.field);
                let remedy = "set a memory limit with room above the heap";
                findings.report(
                    Finding::new(RULE.name, pointer, message, remedy).in_container(&container.name),
                );
            }
        }
    }
}
