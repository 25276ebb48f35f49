//! A resize that takes memory from a running process, without an approval.
//!
//! **Why it matters.** Since Kubernetes 1.35 anyone who may patch `pods/resize` can lower a memory
//! limit in place. The kernel then reclaims or kills; the API server checks neither usage nor a
//! floor (a limit of 1 byte is accepted).
//!
//! **What it looks at.** The effective limit of the pod and of every container (regular, sidecar,
//! init) before and after: the container's own limit, else the pod-level one, else unlimited. `0`
//! is unlimited, so a first limit is a decrease. Where a container only follows the pod-level
//! limit, the pod answers for it. Amounts beyond 64 bits, which wrap around on their way to the
//! kernel, count as a decrease.
//!
//! **What it allows.** Increases; the same amount in other words; a decrease that an approval on
//! the stored pod covers: a stamp that the service sealed for this pod and this state of its spec,
//! that has not expired, and whose floor is not above the new limit. An annotation that arrives
//! with the resize counts for nothing.
//!
//! **How to fix it.** Have the decrease approved with the command the denial tells, or roll
//! out the new limit.
//!
//! **Automation.** The vertical pod autoscaler answers a denied resize by evicting the pod. For
//! requesters listed as automation the mutating path puts memory request and limit of the container
//! back, warns, and lets the rest of the resize through; of a pod with pod-level memory it puts all
//! memory back, because its parts must fit together. If the mutating path was not asked, the
//! decrease is denied as for anybody.
//!
//! **Settings.** `fourEyes`: `true` wants an approver who is not the requester of the resize
//! (default `false`). `automation`: `users` and `groups` whose decreases are put back (default:
//! user `system:serviceaccount:kube-system:vpa-updater`).

mod restore;

use std::sync::Arc;

use serde::Deserialize;

use crate::approval::{ApprovalNote, Invalid, LimitChange, Stamp};
use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, RestorePolicy, Rule, Stages};
use crate::judge::subject::Requesters;
use crate::judge::view::{MemoryChange, ResizeView};

pub(crate) const RULE: Rule = Rule::staged(
    "memory-limit-decrease",
    include_str!("../../../policies/memory-limit-decrease.yaml"),
    &["automation", "fourEyes"],
    configure,
)
.not_ignorable();

fn configure(settings: serde_json::Value) -> Result<Stages, serde_json::Error> {
    let rule: Arc<MemoryLimitDecrease> = Arc::new(serde_json::from_value(settings)?);
    Ok(Stages { check: Some(rule.clone()), restore: Some(rule), ..Stages::default() })
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct MemoryLimitDecrease {
    four_eyes: bool,
    automation: Requesters,
}

impl Default for MemoryLimitDecrease {
    fn default() -> Self {
        let updater = "system:serviceaccount:kube-system:vpa-updater".to_owned();
        Self {
            four_eyes: false,
            automation: Requesters { users: vec![updater], groups: Vec::new() },
        }
    }
}

impl Check for MemoryLimitDecrease {
    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        for change in resize.memory_changes().filter(MemoryChange::limit_falls) {
            let limits = || LimitChange {
                container: change.part.container().map(str::to_owned),
                from: change.limit.0.to_string(),
                to: change.limit.1.to_string(),
            };
            match self.approval(resize, &change) {
                Ok(stamp) => findings.approval(ApprovalNote::Used {
                    change: limits(),
                    stamp: Box::new(stamp.clone()),
                }),
                Err(invalid) => {
                    if invalid != Invalid::Absent {
                        findings.approval(ApprovalNote::Invalid {
                            reason: invalid.as_str(),
                            change: limits(),
                        });
                    }
                    findings.report(denial(resize, &change, &invalid));
                }
            }
        }
    }
}

impl RestorePolicy for MemoryLimitDecrease {
    fn restore(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        if self.automation.include(resize.requester()) {
            restore::put_back(
                RULE.name,
                resize,
                |change| self.approval(resize, change).is_ok(),
                findings,
            );
        }
    }
}

impl MemoryLimitDecrease {
    /// The approval that covers `change`, or why none does.
    fn approval<'s>(
        &self,
        resize: &ResizeView<'s>,
        change: &MemoryChange<'_>,
    ) -> Result<&'s Stamp, Invalid> {
        let stamp = resize.approval().covers(change.part, change.limit.1)?;
        let alone = self.four_eyes && stamp.approver == *resize.requester().username;
        if alone { Err(Invalid::SamePerson) } else { Ok(stamp) }
    }
}

fn denial(resize: &ResizeView<'_>, change: &MemoryChange<'_>, invalid: &Invalid) -> Finding {
    let (old, new) = (change.limit.0, change.limit.1);
    let message = |names: Names| {
        format!("{}: memory limit {old} -> {new} {invalid}", names.part(change.part))
    };
    let remedy = match resize.granting_command() {
        Some(command) => {
            format!("an approver grants it with `{command}`, or roll out the new limit")
        }
        None => "roll out the new limit".to_owned(),
    };
    Finding::new(RULE.name, change.pointer("limits"), message, remedy).about_part(change.part)
}
