//! Which policies have a say in a request, and in which mode.

use crate::kube::object::Metadata;

use super::exemption::{Silence, of_owner};
use super::mode::Mode;
use super::policies::Policies;
use super::policy::Policy;
use super::rule::Ignorable;
use super::subject::Subject;
use super::view::View;

/// The policies that have a say in what `view` shows of `subject`.
pub(super) fn in_force<'p>(
    policies: &'p Policies,
    subject: &'p Subject<'_>,
    view: &'p View<'_>,
) -> impl Iterator<Item = &'p Policy> {
    policies.iter().filter(|policy| applies(policies, policy, subject, view))
}

/// Whether `policy` has a say. Advice is not repeated for what a controller made from a template:
/// the template was judged, and nobody reads a controller's warnings.
pub(super) fn applies(
    policies: &Policies,
    policy: &Policy,
    subject: &Subject<'_>,
    view: &View<'_>,
) -> bool {
    policy.mode != Mode::Off
        && !(policy.rule.linux_only && view.is_of_windows())
        && policy.scope.covers(subject)
        && !repeats(wanted_mode(policy, view), view)
        && silence(policies, policy, subject, view) != Silence::InForce
}

/// Whether the owner of the workload or an exemption of the policies silences `policy`.
pub(super) fn silence(
    policies: &Policies,
    policy: &Policy,
    subject: &Subject<'_>,
    view: &View<'_>,
) -> Silence {
    let rule = policy.rule.name;
    let ignorable = match policy.rule.ignorable {
        Ignorable::Always => true,
        Ignorable::ExceptOnResize => !matches!(view, View::Resize(_)),
        Ignorable::Never => false,
    };
    let mut silence = match silencing(view).filter(|_| ignorable) {
        Some(metadata) => of_owner(metadata, rule, subject.evidence.now),
        None => Silence::None,
    };
    let covering = policies.exemptions().iter().filter(|exemption| exemption.covers(rule, subject));
    for exemption in covering {
        match &exemption.until {
            Some(end) if !end.is_ahead(subject.evidence.now) => {
                silence = Silence::Over(format!("exemption {:?} ended {end}", exemption.name));
            }
            _ => return Silence::InForce,
        }
    }
    silence
}

/// Whether a finding acted on in `mode` would only repeat what was said about the template of a pod.
pub(super) fn repeats(mode: Mode, view: &View<'_>) -> bool {
    // no template has a say in a pod's approvals
    mode <= Mode::Warn && matches!(view, View::Pod { new, approval: None, .. } if new.is_owned())
}

/// The mode the policy asks for on this view: under `fix` a template's fault is weaker, because its
/// pods are fixed.
pub(super) fn wanted_mode(policy: &Policy, view: &View<'_>) -> Mode {
    match (policy.mode, policy.rule.fix, view) {
        (Mode::Fix, Some(on_templates), View::Pod { new, .. }) if new.is_template() => {
            on_templates.0
        }
        _ => policy.mode,
    }
}

/// The metadata whose annotations may silence a rule: the pod's or its template's, or the object's
/// own where it has no pod. A resize cannot change annotations, so the stored pod's count.
fn silencing<'s>(view: &View<'s>) -> Option<&'s Metadata<'s>> {
    match view {
        View::Pod { new, .. } => Some(new.metadata),
        View::Resize(resize) => Some(&resize.old.metadata),
        View::Autoscaler { new, .. } => Some(new.metadata),
        View::Configuration(configuration) => Some(configuration.metadata),
        View::Approval(_) => None,
    }
}
