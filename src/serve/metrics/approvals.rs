//! What happened to approvals.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::approval::{ApprovalNote, Refusal};

#[derive(Debug)]
pub(super) struct Approvals {
    granted: Counter,
    refused: Family<ReasonLabels, Counter>,
    revoked: Counter,
    used: Counter,
    invalid: Family<ReasonLabels, Counter>,
    allowed: Family<AllowanceLabels, Counter>,
}

/// The name is that of a policy's allowance: there are as many as somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AllowanceLabels {
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

impl Approvals {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let approvals = Self {
            granted: Counter::default(),
            refused: Family::default(),
            revoked: Counter::default(),
            used: Counter::default(),
            invalid: Family::default(),
            allowed: Family::default(),
        };
        registry.register(
            "approvals_granted",
            "grants that were turned into a stamp",
            approvals.granted.clone(),
        );
        registry.register(
            "approvals_refused",
            "grants and foreign stamps that were refused, by reason",
            approvals.refused.clone(),
        );
        registry.register(
            "approvals_revoked",
            "stamps that were taken off",
            approvals.revoked.clone(),
        );
        registry.register(
            "approvals_used",
            "memory decreases let through by an approval",
            approvals.used.clone(),
        );
        registry.register(
            "approvals_invalid",
            "memory decreases that met an approval which did not count, by reason (expired among them)",
            approvals.invalid.clone(),
        );
        registry.register(
            "allowed",
            "memory decreases let through by an allowance of a policy, by its name",
            approvals.allowed.clone(),
        );
        for refusal in Refusal::ALL {
            drop(approvals.refused.get_or_create(&ReasonLabels { reason: refusal.as_str() })); // there from the start
        }
        drop(approvals.invalid.get_or_create(&ReasonLabels { reason: "expired" }));
        approvals
    }

    pub(super) fn count(&self, notes: &[ApprovalNote]) {
        for note in notes {
            match note {
                ApprovalNote::Granted(_) => drop(self.granted.inc()),
                ApprovalNote::Refused(refusal) => {
                    let reason = refusal.as_str();
                    self.refused.get_or_create(&ReasonLabels { reason }).inc();
                }
                ApprovalNote::Revoked => drop(self.revoked.inc()),
                ApprovalNote::Used { changes, .. } => drop(self.used.inc_by(changes.len() as u64)),
                ApprovalNote::Invalid { reason, .. } => {
                    self.invalid.get_or_create(&ReasonLabels { reason }).inc();
                }
                ApprovalNote::Allowed { allowance, changes } => {
                    let name = allowance.clone();
                    let allowed = self.allowed.get_or_create(&AllowanceLabels { name });
                    allowed.inc_by(changes.len() as u64);
                }
                ApprovalNote::WouldGrant(_) => {}
            }
        }
    }
}
