//! Judging: a pure and total function of policies and a subject. No client, clock, async or error inside.

pub mod approval;
pub mod finding;
pub mod mode;
pub mod policies;
pub mod policy;
pub mod rule;
pub mod scope;
pub mod subject;
pub mod verdict;
pub mod view;

use std::collections::BTreeSet;

use finding::{Finding, Findings};
use mode::{Cap, Mode};
use policies::Policies;
use policy::Policy;
use rule::Ignorable;
use subject::Subject;
use verdict::{Ruling, Verdict};
use view::View;

/// The label by which a namespace is exempted from the full strength of policies.
pub const CAP_LABEL: &str = "restraint.dev/cap";

/// Judges `subject` as it would be stored: what the validating path answers.
pub fn judge(policies: &Policies, subject: &Subject<'_>) -> Verdict {
    let mut verdict = Verdict { cap: cap_for(policies, subject), ..Verdict::default() };
    let Some(view) = View::of(subject, policies.conventions()) else { return verdict };
    for policy in policies.iter().filter(|policy| applies(policy, subject, &view)) {
        let (mut findings, earlier) = (Findings::default(), verdict.rulings.len());
        look(policy, &view, &mut findings);
        verdict.approvals.append(&mut findings.uses);
        for finding in findings.list {
            let wanted = wanted_mode(policy, &view).min(finding.ceiling);
            if repeats(wanted, &view) {
                continue;
            }
            // a fault that reaches this path unmended was not mended, or was brought back by another webhook
            let applied = wanted.under(verdict.cap).min(Mode::Enforce);
            rule_on(&mut verdict, earlier, Ruling { rule: policy.rule.name, finding, wanted, applied });
        }
    }
    verdict
}

/// Amends `subject`: what the mutating path answers. It denies nothing, and only pods that are being created change.
pub fn amend(policies: &Policies, subject: &Subject<'_>) -> Verdict {
    let mut verdict = Verdict { cap: cap_for(policies, subject), ..Verdict::default() };
    let view = match View::of(subject, policies.conventions()) {
        Some(view @ View::Pod { new, .. }) if new.is_new_pod() => view,
        _ => return verdict,
    };
    for policy in policies.iter().filter(|policy| policy.mode == Mode::Fix && applies(policy, subject, &view)) {
        let (mut findings, earlier) = (Findings::default(), verdict.rulings.len());
        look(policy, &view, &mut findings);
        for finding in findings.list {
            let wanted = Mode::Fix.min(finding.ceiling);
            let applied = wanted.under(verdict.cap);
            rule_on(&mut verdict, earlier, Ruling { rule: policy.rule.name, finding, wanted, applied });
        }
    }
    let fixes = verdict.rulings.iter_mut().filter(|ruling| ruling.applied == Mode::Fix);
    verdict.amendment = fixes.filter_map(|ruling| ruling.finding.edit.take()).flat_map(|edit| edit.0).collect();
    verdict
}

/// The smaller of the service's cap and the namespace's.
fn cap_for(policies: &Policies, subject: &Subject<'_>) -> Cap {
    let labels = subject.evidence.namespace_labels.as_deref();
    let namespace = labels.and_then(|labels| labels.get(CAP_LABEL)).and_then(|word| word.parse().ok());
    policies.cap().min(namespace.unwrap_or_default())
}

/// Whether `policy` has a say. Advice is not repeated for what a controller made from a template: the template was
/// judged, and nobody reads a controller's warnings.
fn applies(policy: &Policy, subject: &Subject<'_>, view: &View<'_>) -> bool {
    let ignorable = match policy.rule.ignorable {
        Ignorable::Always => true,
        Ignorable::ExceptOnResize => !matches!(view, View::Resize(_)),
        Ignorable::Never => false,
    };
    let silenced = || ignorable && stored_pod(view).is_some_and(|pod| pod.ignores(policy.rule.name));
    policy.mode != Mode::Off && policy.scope.covers(subject) && !repeats(wanted_mode(policy, view), view) && !silenced()
}

/// Whether what is acted on in `mode` would only repeat what was said about the template of a pod.
fn repeats(mode: Mode, view: &View<'_>) -> bool {
    mode <= Mode::Warn && matches!(view, View::Pod { new, .. } if new.is_owned())
}

/// The pod whose annotations may silence a rule. A resize cannot change annotations, so the stored pod's count.
fn stored_pod<'s>(view: &View<'s>) -> Option<view::PodView<'s>> {
    match view {
        View::Pod { new, .. } => Some(*new),
        View::Resize(resize) => resize.old_pod(),
    }
}

/// Lets the rule look. On UPDATE a fault that is already stored does not count, so that a faulty object can still be
/// labelled or have its finalizers removed.
fn look(policy: &Policy, view: &View<'_>, findings: &mut Findings) {
    match view {
        View::Resize(resize) => policy.check.resize(resize, findings),
        View::Pod { new, old } => {
            policy.check.pod(new, findings);
            if let (Some(old), false) = (old, findings.list.is_empty()) {
                let mut stored = Findings::default();
                policy.check.pod(old, &mut stored);
                let known: BTreeSet<_> = stored.list.iter().map(Finding::identity).collect();
                findings.list.retain(|finding| !known.contains(&finding.identity()));
            }
        }
    }
}

/// The mode the policy asks for on this view: under `fix` a template's fault is weaker, because its pods are put right.
fn wanted_mode(policy: &Policy, view: &View<'_>) -> Mode {
    match (policy.mode, policy.rule.fix, view) {
        (Mode::Fix, Some(on_templates), View::Pod { new, .. }) if new.is_template() => on_templates.0,
        _ => policy.mode,
    }
}

/// Takes the ruling into the verdict. Two policies with one rule may find the same thing: the stronger counts, once.
/// `earlier` is how many rulings stem from the policies before.
fn rule_on(verdict: &mut Verdict, earlier: usize, ruling: Ruling) {
    let same = |known: &&mut Ruling| known.rule == ruling.rule && known.finding.identity() == ruling.finding.identity();
    match verdict.rulings.iter_mut().take(earlier).find(same) {
        Some(known) if known.wanted < ruling.wanted => *known = ruling,
        Some(_) => {}
        None => verdict.rulings.push(ruling),
    }
}
