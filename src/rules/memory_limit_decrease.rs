//! A resize that takes memory from a running process, without an approval.
//!
//! **Why it matters.** Since Kubernetes 1.35 anyone who may patch `pods/resize` can lower a memory limit in place. The
//! kernel then reclaims or kills; the API server checks neither usage nor a floor (a limit of 1 byte is accepted).
//!
//! **What it looks at.** The effective limit of the pod and of every container (regular, sidecar, init) before and
//! after: the container's own limit, else the pod-level one, else unlimited. `0` is unlimited, so a first limit is a
//! decrease. Where a container only follows the pod-level limit, the pod answers for it. Amounts beyond 64 bits, which
//! wrap around on their way to the kernel, count as a decrease.
//!
//! **What it allows.** Increases; the same amount in other words; a decrease of a pod that carries an approval
//! **before** the resize. An annotation that arrives with the resize counts for nothing.
//!
//! **How to put it right.** Have the decrease approved, or roll out the new limit.
//!
//! **Settings.** `approvalAnnotation`: the annotation whose value `true` approves, by default `approved-by-sre`.

use serde::Deserialize;

use crate::judge::approval::{Approval, DEFAULT_ANNOTATION};
use crate::judge::finding::{ApprovalUse, Finding, Findings, Names};
use crate::judge::rule::{Check, Rule};
use crate::judge::view::{MemoryChange, ResizeView};

/// The rule.
pub const RULE: Rule =
    Rule::new::<MemoryLimitDecrease>("memory-limit-decrease", include_str!("memory_limit_decrease.rs"), &["approvalAnnotation"])
        .not_ignorable();

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct MemoryLimitDecrease {
    approval_annotation: String,
}

impl Default for MemoryLimitDecrease {
    fn default() -> Self {
        Self { approval_annotation: DEFAULT_ANNOTATION.to_owned() }
    }
}

impl Check for MemoryLimitDecrease {
    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        for change in resize.memory_changes().filter(MemoryChange::limit_falls) {
            match Approval::on(resize.old, &self.approval_annotation) {
                Some(approval) if approval.covers(&change) => findings.approved(ApprovalUse {
                    annotation: approval.annotation().to_owned(),
                    approver: approval.approver().map(str::to_owned),
                    change: format!("{} {} to {}", change.part, change.limit.0, change.limit.1),
                }),
                _ => findings.report(self.denial(resize, &change)),
            }
        }
    }

    fn approval_annotation(&self) -> Option<&str> {
        Some(&self.approval_annotation)
    }
}

impl MemoryLimitDecrease {
    fn denial(&self, resize: &ResizeView<'_>, change: &MemoryChange<'_>) -> Finding {
        let (old, new) = (change.limit.0, change.limit.1);
        let message = |names: Names| format!("{}: memory limit {old} -> {new} is not approved", change.part.describe(names));
        let key = &self.approval_annotation;
        let overwrite = if resize.old.metadata.annotations.value(key).is_some() { "--overwrite " } else { "" };
        let (name, namespace) = (resize.name(), resize.namespace());
        let remedy = format!(
            "an SRE approves it with `kubectl annotate {overwrite}pod {name} -n {namespace} {key}=true`, or roll out the new limit"
        );
        let finding = Finding::new(RULE.name, change.pointer("limits"), message, remedy);
        change.part.container().map_or(finding.clone(), |container| finding.in_container(container))
    }
}
