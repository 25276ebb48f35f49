//! Approvals: a stage of its own between evidence and rules.
//!
//! On the mutating path it turns a grant into a stamp, and restores what automation lowered
//! without an approval. On the validating path it judges every change of an approval annotation.
//! Rules come after it, and see what it left: the stamp on the stored pod.

use crate::approval::{ApprovalNote, Stamp};

use super::applies::in_force;
use super::finding::Findings;
use super::mode::{Cap, Mode};
use super::patch::{PatchOperation, pointer_token};
use super::policies::Policies;
use super::subject::Subject;
use super::verdict::{Outcome, Verdict};
use super::view::View;

/// Judges a change of approval annotations as it would be stored.
pub(super) fn review(
    policies: &Policies,
    subject: &Subject<'_>,
    view: &View<'_>,
    verdict: &mut Verdict,
) {
    let (View::Approval(change) | View::Pod { approval: Some(change), .. }) = view else { return };
    for policy in in_force(policies, subject, view) {
        let Some(approvals) = &policy.stages.approval else { continue };
        let mut findings = Findings::default();
        // under a cap nothing is stamped, and a lawful grant is no refusal
        approvals.review(change, verdict.cap == Cap::Enforce, &mut findings);
        verdict.take_notes(&mut findings);
        verdict.record(policy, findings, |_| policy.mode);
    }
}

/// Turns a grant into a stamp if no policy objects, and removes every grant.
pub(super) fn grant(
    policies: &Policies,
    subject: &Subject<'_>,
    view: &View<'_>,
    verdict: &mut Verdict,
) {
    let View::Pod { approval: Some(change), .. } = view else { return };
    if change.grants().next().is_none() {
        return;
    }
    let mut stamp = None::<Box<Stamp>>;
    for policy in in_force(policies, subject, view) {
        let Some(approvals) = &policy.stages.approval else { continue };
        let mut findings = Findings::default();
        // of several policies the shortest lifetime counts
        let granted = approvals.grant(change, &mut findings);
        stamp = stamp.into_iter().chain(granted).min_by_key(|stamp| stamp.expires);
        verdict.take_notes(&mut findings);
        verdict.record(policy, findings, |_| policy.mode);
    }
    let Some(stamp) = stamp.filter(|_| verdict.rulings.is_empty()) else { return };
    if verdict.cap != Cap::Enforce {
        verdict.approvals.push(ApprovalNote::WouldGrant(stamp));
        return;
    }
    let remove = |key| PatchOperation::Remove {
        path: format!("/metadata/annotations/{}", pointer_token(key)),
    };
    verdict.amendment.extend(change.present_grants().map(remove));
    verdict.stamp = Some(stamp);
}

/// Restores what automation lowered without an approval.
pub(super) fn restore(
    policies: &Policies,
    subject: &Subject<'_>,
    view: &View<'_>,
    verdict: &mut Verdict,
) {
    let View::Resize(resize) = view else { return };
    let capped = verdict.cap != Cap::Enforce;
    let outcome = if capped { Outcome::WouldRestore } else { Outcome::Restored };
    for policy in in_force(policies, subject, view).filter(|policy| policy.mode >= Mode::Enforce) {
        let Some(automation) = &policy.stages.restore else { continue };
        let mut findings = Findings::default();
        automation.restore(resize, &mut findings);
        verdict.record_as(policy, findings, |_| (Mode::Enforce, outcome));
    }
    verdict.take_edits();
}
