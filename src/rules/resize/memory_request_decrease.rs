//! A resize that lowers a memory request and leaves the limit.
//!
//! **Why it matters.** The request decides how much room the scheduler keeps for the pod on its
//! node and how early the kubelet evicts it when the node runs short. Lowering it takes no memory
//! now and may cost the pod later.
//!
//! **What it looks at.** The memory request of the pod and of every container before and after. A
//! removed request counts as 0.
//!
//! **What it allows.** Increases, and a request that falls together with the limit:
//! `memory-limit-decrease` judges that.
//!
//! **How to fix it.** Keep the request, or accept that the pod is evicted earlier. A policy
//! may raise this rule to `enforce`.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::ResizeView;
use crate::kube::quantity::Quantity;

pub(crate) const RULE: Rule = Rule::new::<MemoryRequestDecrease>(
    "memory-request-decrease",
    include_str!("../../../policies/memory-request-decrease.yaml"),
)
.not_ignorable();

#[derive(Debug, Default)]
struct MemoryRequestDecrease;

impl Check for MemoryRequestDecrease {
    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        for change in resize.memory_changes() {
            if !change.request_falls() || change.limit.0.falls_to(change.limit.1) {
                continue;
            }
            let amount = |request: Option<&Quantity<'_>>| {
                request.map_or("0".to_owned(), |quantity| quantity.text().to_owned())
            };
            let (old, new) = (amount(change.request.0), amount(change.request.1));
            let message = |names: Names| {
                format!("{}: memory request {old} -> {new}", names.part(change.part))
            };
            let remedy =
                "keep the request, or accept an earlier eviction and less room on the node";
            let finding = Finding::new(RULE.name, change.pointer("requests"), message, remedy);
            findings.report(finding.about_part(change.part));
        }
    }
}
