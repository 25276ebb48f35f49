//! Judging: a pure and total function of policies and a subject. No client, clock, async or error
//! inside.

mod applies;
pub(crate) mod approvals;
pub(crate) mod context;
pub(crate) mod exemption;
pub mod finding;
pub mod look_up;
pub mod message;
pub mod mode;
pub(crate) mod patch;
pub mod policies;
pub(crate) mod policy;
pub(crate) mod requesters;
pub mod rule;
pub(crate) mod scope;
pub(crate) mod settings;
pub mod subject;
pub mod verdict;
pub(crate) mod view;

use std::collections::BTreeSet;

use applies::{in_force, repeats, silence, wanted_mode};
use exemption::Silence;
use finding::{Finding, Findings};
use mode::{Cap, Mode};
use policies::Policies;
use policy::Policy;
use rule::Check;
use subject::Subject;
use verdict::{MissedFix, Outcome, Ruling, Verdict};
use view::View;

/// Judges `subject` as it would be stored: what the validating path answers.
pub fn judge(policies: &Policies, subject: &Subject<'_>) -> Verdict {
    let mut verdict = Verdict::under(cap_for(policies, subject), policies);
    let Some(view) = View::of(subject, policies.context()) else { return verdict };
    approvals::review(policies, subject, &view, &mut verdict);
    for policy in in_force(policies, subject, &view) {
        let Some(check) = &policy.stages.check else { continue };
        let wanted = wanted_mode(policy, &view);
        let mut findings = Findings::default();
        run_check(&**check, &view, &mut findings);
        verdict.take_notes(&mut findings);
        findings.list.retain(|finding| !repeats(finding.mode(wanted), &view));
        say_what_is_over(policies, subject, policy, &view, &mut findings);
        let cap = verdict.cap;
        verdict.record_as(policy, findings, |finding| {
            let wanted = finding.mode(wanted);
            (wanted, stored_outcome(wanted, cap, &view))
        });
    }
    verdict.missed_fix = missed_fix(&verdict, &view);
    if !verdict.allowed() {
        // what is denied is let through by nobody
        verdict.approvals.retain(|note| !note.is_use());
    }
    verdict
}

/// Says with each finding that it was exempted until now.
fn say_what_is_over(
    policies: &Policies,
    subject: &Subject<'_>,
    policy: &Policy,
    view: &View<'_>,
    findings: &mut Findings,
) {
    if findings.list.is_empty() {
        return;
    }
    if let Silence::Over(remark) = silence(policies, policy, subject, view) {
        findings.list.iter_mut().for_each(|finding| finding.remark(&remark));
    }
}

/// What comes of a finding whose policy asks for `wanted`, in an object that is about to be stored.
/// A fix that was missed never denies: the hook that fixes fails open, and a lost call of it must
/// not keep pods from starting. Nobody reads what is said to a controller.
fn stored_outcome(wanted: Mode, cap: Cap, view: &View<'_>) -> Outcome {
    match wanted.under(cap) {
        Mode::Fix if matches!(view, View::Pod { new, .. } if new.is_owned()) => Outcome::Noted,
        Mode::Fix => Outcome::Warned,
        applied => Outcome::of(wanted, applied),
    }
}

/// Why a fix was probably missed, where one was.
fn missed_fix(verdict: &Verdict, view: &View<'_>) -> Option<MissedFix> {
    let View::Pod { new, .. } = view else { return None };
    if !new.is_new_pod() {
        return None;
    }
    let missed = |ruling: &Ruling| ruling.wanted.under(verdict.cap) == Mode::Fix;
    // a pod that is fixed in part met the hook that fixes, and another one after it
    let cause =
        || if new.has_memory_policy() { MissedFix::OtherWebhook } else { MissedFix::MutatingHook };
    verdict.rulings.iter().any(missed).then(cause)
}

/// Amends `subject`: what the mutating path answers. New pods are fixed, grants are turned into
/// stamps or denied, and automation's unapproved decreases are restored. Nothing else changes.
pub fn amend(policies: &Policies, subject: &Subject<'_>) -> Verdict {
    let mut verdict = Verdict::under(cap_for(policies, subject), policies);
    let Some(view) = View::of(subject, policies.context()) else { return verdict };
    match &view {
        View::Pod { new, .. } if new.is_new_pod() => {
            apply_fixes(policies, subject, &view, &mut verdict)
        }
        View::Pod { .. } => approvals::grant(policies, subject, &view, &mut verdict),
        View::Resize(_) => approvals::restore(policies, subject, &view, &mut verdict),
        _ => {}
    }
    verdict
}

/// Fixes what is wrong with a new pod.
fn apply_fixes(policies: &Policies, subject: &Subject<'_>, view: &View<'_>, verdict: &mut Verdict) {
    for policy in in_force(policies, subject, view).filter(|policy| policy.mode == Mode::Fix) {
        let Some(check) = &policy.stages.check else { continue };
        let mut findings = Findings::default();
        run_check(&**check, view, &mut findings);
        verdict.record(policy, findings, |_| Mode::Fix);
    }
    verdict.take_edits();
}

/// The smaller of the service's cap and the namespace's.
fn cap_for(policies: &Policies, subject: &Subject<'_>) -> Cap {
    policies.cap().min(subject.evidence.namespace_cap())
}

/// Lets the rule look. On UPDATE a fault that is already stored does not count, so that a faulty
/// object can still be labelled or have its finalizers removed.
fn run_check(check: &dyn Check, view: &View<'_>, findings: &mut Findings) {
    match view {
        View::Resize(resize) => check.resize(resize, findings),
        View::Approval(_) => {}
        // what is stored already is the rules' own question here: they judge the change
        View::Configuration(configuration) => check.configuration(configuration, findings),
        View::Autoscaler { new, old } => {
            check.autoscaler(new, findings);
            drop_preexisting(findings, old.as_ref(), |old, stored| check.autoscaler(old, stored));
        }
        View::Pod { new, old, .. } => {
            check.pod(new, findings);
            drop_preexisting(findings, old.as_ref(), |old, stored| check.pod(old, stored));
        }
    }
}

/// Drops what is found in the stored object already.
fn drop_preexisting<V>(
    findings: &mut Findings,
    old: Option<&V>,
    check: impl FnOnce(&V, &mut Findings),
) {
    let (Some(old), false) = (old, findings.list.is_empty()) else { return };
    let mut stored = Findings::default();
    check(old, &mut stored);
    let known: BTreeSet<_> = stored.list.iter().map(Finding::identity).collect();
    findings.list.retain(|finding| !known.contains(&finding.identity()));
}
