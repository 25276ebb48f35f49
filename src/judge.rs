//! Judging: a pure and total function of policies and a subject. No client, clock, async or error
//! inside.

pub mod context;
pub mod finding;
mod ignore;
pub mod look_up;
pub mod message;
pub mod mode;
pub mod patch;
pub mod policies;
pub mod policy;
pub mod rule;
pub mod scope;
pub mod subject;
pub mod verdict;
pub mod view;

use std::collections::BTreeSet;

use crate::approval::{ApprovalNote, Stamp};
use crate::kube::object::Metadata;

use finding::{Finding, Findings};
use ignore::ignores;
use mode::{Cap, Mode};
use patch::{PatchOperation, pointer_token};
use policies::Policies;
use policy::Policy;
use rule::Ignorable;
use subject::Subject;
use verdict::{Outcome, Ruling, Verdict};
use view::{ApprovalChange, ResizeView, View};

/// The label by which a namespace is exempted from the full strength of policies.
pub const CAP_LABEL: &str = "restraint.dev/cap";

/// Judges `subject` as it would be stored: what the validating path answers.
pub fn judge(policies: &Policies, subject: &Subject<'_>) -> Verdict {
    let mut verdict = Verdict { cap: cap_for(policies, subject), ..Verdict::default() };
    let Some(view) = View::of(subject, policies.context()) else { return verdict };
    for policy in policies.iter().filter(|policy| applies(policy, subject, &view)) {
        let mut findings = Findings::default();
        run_check(policy, &view, &mut findings);
        take_notes(&mut verdict, &mut findings);
        findings
            .list
            .retain(|finding| !repeats(wanted_mode(policy, &view).min(finding.ceiling), &view));
        let cap = verdict.cap;
        record(&mut verdict, policy, findings, |finding| {
            let wanted = wanted_mode(policy, &view).min(finding.ceiling);
            // a fault that reaches this path unmended was not mended, or was brought back by
            // another webhook
            (wanted, Outcome::of(wanted, wanted.under(cap).min(Mode::Enforce)))
        });
    }
    verdict
}

/// Amends `subject`: what the mutating path answers. New pods are put right, grants are turned into
/// stamps or denied, and automation's unapproved decreases are put back. Nothing else changes.
pub fn amend(policies: &Policies, subject: &Subject<'_>) -> Verdict {
    let mut verdict = Verdict { cap: cap_for(policies, subject), ..Verdict::default() };
    let Some(view) = View::of(subject, policies.context()) else { return verdict };
    let in_force = || policies.iter().filter(|policy| applies(policy, subject, &view));
    match &view {
        View::Pod { new, .. } if new.is_new_pod() => {
            apply_fixes(in_force().filter(|policy| policy.mode == Mode::Fix), &view, &mut verdict)
        }
        View::Pod { approval: Some(change), .. } if change.grants().next().is_some() => {
            grant(in_force(), change, &mut verdict)
        }
        View::Resize(resize) => {
            restore(in_force().filter(|policy| policy.mode >= Mode::Enforce), resize, &mut verdict)
        }
        _ => {}
    }
    verdict
}

/// Puts right what is wrong with a new pod.
fn apply_fixes<'p>(
    policies: impl Iterator<Item = &'p Policy>,
    view: &View<'_>,
    verdict: &mut Verdict,
) {
    let cap = verdict.cap;
    for policy in policies {
        let mut findings = Findings::default();
        run_check(policy, view, &mut findings);
        record(verdict, policy, findings, |finding| {
            let wanted = Mode::Fix.min(finding.ceiling);
            (wanted, Outcome::of(wanted, wanted.under(cap)))
        });
    }
    take_edits(verdict);
}

/// Turns a grant into a stamp, if no policy has anything against it, and takes every grant off.
fn grant<'p>(
    policies: impl Iterator<Item = &'p Policy>,
    change: &ApprovalChange<'_>,
    verdict: &mut Verdict,
) {
    let (mut stamp, cap) = (None::<Box<Stamp>>, verdict.cap);
    for policy in policies {
        let mut findings = Findings::default();
        policy.check.grant(change, &mut findings);
        take_notes(verdict, &mut findings);
        // of several policies the shortest lifetime counts
        stamp = stamp.into_iter().chain(findings.stamp.take()).min_by_key(|stamp| stamp.expires);
        record(verdict, policy, findings, |finding| {
            let wanted = policy.mode.min(finding.ceiling);
            (wanted, Outcome::of(wanted, wanted.under(cap)))
        });
    }
    let Some(stamp) = stamp.filter(|_| verdict.rulings.is_empty()) else { return };
    if cap != Cap::Enforce {
        verdict.approvals.push(ApprovalNote::WouldGrant(stamp));
        return;
    }
    let remove = |key| PatchOperation::Remove {
        path: format!("/metadata/annotations/{}", pointer_token(key)),
    };
    verdict.amendment.extend(change.present_grants().map(remove));
    verdict.stamp = Some(stamp);
}

/// Puts back what automation took without approval.
fn restore<'p>(
    policies: impl Iterator<Item = &'p Policy>,
    resize: &ResizeView<'_>,
    verdict: &mut Verdict,
) {
    let outcome =
        if verdict.cap == Cap::Enforce { Outcome::Restored } else { Outcome::WouldRestore };
    for policy in policies {
        let mut findings = Findings::default();
        policy.check.restore(resize, &mut findings);
        record(verdict, policy, findings, |_| (Mode::Enforce, outcome));
    }
    take_edits(verdict);
}

/// The amendment: the edits of what is put right or put back.
fn take_edits(verdict: &mut Verdict) {
    let acted_on =
        |ruling: &&mut Ruling| matches!(ruling.outcome, Outcome::Amended | Outcome::Restored);
    let edits =
        verdict.rulings.iter_mut().filter(acted_on).filter_map(|ruling| ruling.finding.edit.take());
    verdict.amendment = edits.flat_map(|edit| edit.0).collect();
}

/// Two policies with one rule note the same thing: once is enough.
fn take_notes(verdict: &mut Verdict, findings: &mut Findings) {
    for note in findings.approvals.drain(..) {
        if !verdict.approvals.contains(&note) {
            verdict.approvals.push(note);
        }
    }
}

/// The smaller of the service's cap and the namespace's.
fn cap_for(policies: &Policies, subject: &Subject<'_>) -> Cap {
    policies.cap().min(subject.evidence.namespace_cap())
}

/// Whether `policy` has a say. Advice is not repeated for what a controller made from a template:
/// the template was judged, and nobody reads a controller's warnings.
fn applies(policy: &Policy, subject: &Subject<'_>, view: &View<'_>) -> bool {
    let ignorable = match policy.rule.ignorable {
        Ignorable::Always => true,
        Ignorable::ExceptOnResize => !matches!(view, View::Resize(_)),
        Ignorable::Never => false,
    };
    let silenced =
        || ignorable && silencing(view).is_some_and(|metadata| ignores(metadata, policy.rule.name));
    policy.mode != Mode::Off
        && policy.scope.covers(subject)
        && !repeats(wanted_mode(policy, view), view)
        && !silenced()
}

/// Whether what is acted on in `mode` would only repeat what was said about the template of a pod.
fn repeats(mode: Mode, view: &View<'_>) -> bool {
    // no template has a say in a pod's approvals
    mode <= Mode::Warn && matches!(view, View::Pod { new, approval: None, .. } if new.is_owned())
}

/// The metadata whose annotations may silence a rule: the pod's or its template's, or the object's
/// own where it has no pod. A resize cannot change annotations, so the stored pod's count.
fn silencing<'s>(view: &View<'s>) -> Option<&'s Metadata<'s>> {
    match view {
        View::Pod { new, .. } => Some(new.metadata),
        View::Resize(resize) => Some(&resize.old.metadata),
        View::Autoscaler { new, .. } => Some(new.metadata),
        View::Approval(_) => None,
    }
}

/// Lets the rule look. On UPDATE a fault that is already stored does not count, so that a faulty
/// object can still be labelled or have its finalizers removed.
fn run_check(policy: &Policy, view: &View<'_>, findings: &mut Findings) {
    match view {
        View::Resize(resize) => policy.check.resize(resize, findings),
        View::Approval(change) => policy.check.approval(change, findings),
        View::Autoscaler { new, old } => {
            policy.check.autoscaler(new, findings);
            drop_preexisting(findings, old.as_ref(), |old, stored| {
                policy.check.autoscaler(old, stored)
            });
        }
        View::Pod { new, old, approval } => {
            policy.check.pod(new, findings);
            drop_preexisting(findings, old.as_ref(), |old, stored| policy.check.pod(old, stored));
            // a change of approvals is judged as a change: nothing that is stored already excuses
            // it
            if let Some(change) = approval {
                policy.check.approval(change, findings);
            }
        }
    }
}

/// Forgets what is found in the stored object already.
fn drop_preexisting<V>(
    findings: &mut Findings,
    old: Option<&V>,
    look: impl FnOnce(&V, &mut Findings),
) {
    let (Some(old), false) = (old, findings.list.is_empty()) else { return };
    let mut stored = Findings::default();
    look(old, &mut stored);
    let known: BTreeSet<_> = stored.list.iter().map(Finding::identity).collect();
    findings.list.retain(|finding| !known.contains(&finding.identity()));
}

/// The mode the policy asks for on this view: under `fix` a template's fault is weaker, because its
/// pods are put right.
fn wanted_mode(policy: &Policy, view: &View<'_>) -> Mode {
    match (policy.mode, policy.rule.fix, view) {
        (Mode::Fix, Some(on_templates), View::Pod { new, .. }) if new.is_template() => {
            on_templates.0
        }
        _ => policy.mode,
    }
}

/// Takes what `policy` found into the verdict. Two policies with one rule may find the same thing:
/// the stronger counts, once.
fn record(
    verdict: &mut Verdict,
    policy: &Policy,
    findings: Findings,
    decide: impl Fn(&Finding) -> (Mode, Outcome),
) {
    let (rule, earlier) = (policy.rule.name, verdict.rulings.len());
    for finding in findings.list {
        let (wanted, outcome) = decide(&finding);
        let same = |known: &&mut Ruling| {
            known.rule == rule && known.finding.identity() == finding.identity()
        };
        match verdict.rulings.iter_mut().take(earlier).find(same) {
            Some(known) if known.wanted < wanted => {
                *known = Ruling { rule, finding, wanted, outcome }
            }
            Some(_) => {}
            None => verdict.rulings.push(Ruling { rule, finding, wanted, outcome }),
        }
    }
}
