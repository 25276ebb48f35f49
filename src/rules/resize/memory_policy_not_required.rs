//! A container whose heap is fixed at start, and which no memory resize restarts.
//!
//! **Why it matters.** With `memory: NotRequired` a resize changes the limit under a running
//! process. A heap that was fixed at start stays: what a larger limit adds lies idle, and what a
//! smaller one takes is missing beside the heap.
//!
//! **What it looks at.** An explicit `memory: NotRequired` in `resizePolicy` of regular containers
//! and sidecars with a memory limit, where the heap is fixed at start: by `-Xmx` and its like, or
//! by `-XX:MaxRAMPercentage`, which is a part of the limit that is there at start. Flags are read
//! as `heap-above-limit` reads them.
//!
//! **What it allows.** An absent entry: `memory-resize-policy` is about that. Jobs and all pods
//! that do not restart always: in one with `restartPolicy: Never` the API server refuses
//! `RestartContainer`, and in others a restart loses the work. Plain init containers, where it is
//! refused too. Static pods, which cannot be resized. Values that cannot be told.
//!
//! **How to fix it.** Set `memory: RestartContainer`, and give the heap as a percentage: a
//! restart alone keeps a flag that is a size.

use crate::heap::Size;
use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::resources::EffectiveLimit;

pub(crate) const RULE: Rule = Rule::new::<MemoryPolicyNotRequired>(
    "memory-policy-not-required",
    include_str!("../../../policies/memory-policy-not-required.yaml"),
)
.linux_only();

#[derive(Debug, Default)]
struct MemoryPolicyNotRequired;

impl Check for MemoryPolicyNotRequired {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if !pod.is_long_running() || pod.is_mirror() {
            return;
        }
        for placed in pod.app_containers() {
            let container = placed.container;
            let stays = container
                .policy_for("memory")
                .is_some_and(|policy| &*policy.restart_policy == "NotRequired");
            if !stays || matches!(pod.memory_limit(container), EffectiveLimit::Unlimited) {
                continue;
            }
            let Some(known) = pod.memory_settings(container) else { continue };
            for heap in &known.heaps {
                let message = |names: Names| {
                    let name = names.quoted(&container.name);
                    format!(
                        "container {name}: memory NotRequired, {} is fixed at start",
                        heap.named()
                    )
                };
                let remedy = match heap.size {
                    Size::Share(_) => "set memory: RestartContainer in resizePolicy",
                    _ => {
                        "set memory: RestartContainer in resizePolicy and size the heap by the limit: a restart keeps this flag"
                    }
                };
                let pointer = pod.container_pointer(&placed, "resizePolicy");
                findings.report(
                    Finding::new(RULE.name, pointer, message, remedy).in_container(&container.name),
                );
            }
        }
    }
}
