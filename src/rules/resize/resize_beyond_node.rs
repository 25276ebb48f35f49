//! A growth that the pod's node has no room for.
//!
//! **Why it matters.** Since Kubernetes 1.36 the API server refuses requests that are larger than
//! the whole node. It does not look at what is left of the node: such a resize is stored, and the
//! kubelet answers with `PodResizePending`, reason `Deferred`. Until other pods leave, the pod runs
//! on with what it had, and an autoscaler may evict it after a while.
//!
//! **What it looks at.** Resizes after which the pod asks for more cpu or memory than before: does
//! that fit what is allocatable on its node, less what all other pods there ask for? The requests
//! of containers and sidecars count together, those of an init container where they are larger,
//! pod-level requests in their place, and the overhead of the pods. Of another pod the larger
//! counts of its spec and what the kubelet has allocated to it; what is actually in place while it
//! shrinks, which the scheduler counts too, does not. Limits do not count.
//!
//! **What it allows.** Whatever fits, and shrinking. It is silent where the pod runs nowhere yet,
//! where node and pods cannot be read, and where the API server takes longer than
//! `--evidence-deadline` (100 ms): the verdict is then the same as without this rule, and
//! `restraint_look_ups_total` counts why.
//!
//! What is left is what the API server's cache says at that moment. Another pod may be faster, or
//! leave.
//!
//! **How to fix it.** Move the pod to a node with room (a rollout with the new requests
//! does), or add capacity.
//!
//! **Switching it on.** The policy comes with mode `off`, because it needs the right to `get`
//! `nodes` and to `list` `pods` of all namespaces. Set `warn`. The hooks on resizes are asked where
//! memory differs; to have growth of cpu alone looked at, the match condition of
//! `resize-advice.restraint.dev` must look at cpu as well. The chart sees to it.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, LookUp, Rule};
use crate::judge::view::ResizeView;
use crate::kube::requests::{cpu_text, memory_floor_text, memory_text};

pub(crate) const RULE: Rule = Rule::new::<ResizeBeyondNode>(
    "resize-beyond-node",
    include_str!("../../../policies/resize-beyond-node.yaml"),
);

#[derive(Debug, Default)]
struct ResizeBeyondNode;

impl Check for ResizeBeyondNode {
    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        let (Some(node_capacity), Some((old, new))) = (resize.node_capacity(), resize.requests())
        else {
            return;
        };
        let (more, left) = (new.minus(old), node_capacity.most.minus(old));
        let mut report = |what: &str, more: String, left: String| {
            let message = |names: Names| {
                format!(
                    "{more} more {what}, {left} left on node {}: will be deferred",
                    names.quoted(&node_capacity.node)
                )
            };
            let remedy = "move the pod to a node with room, or add capacity";
            findings.report(Finding::new(RULE.name, "/spec".to_owned(), message, remedy));
        };
        if more.cpu > left.cpu.max(0) {
            report("cpu", cpu_text(more.cpu), cpu_text(left.cpu.max(0)));
        }
        if more.memory > left.memory.max(0) {
            report("memory", memory_text(more.memory), memory_floor_text(left.memory.max(0)));
        }
    }

    fn asks_for(&self, resize: &ResizeView<'_>) -> Option<LookUp> {
        let (old, new) = resize.requests().filter(|_| resize.is_scheduled())?;
        (new.cpu > old.cpu || new.memory > old.memory).then_some(LookUp::NodeCapacity)
    }
}
