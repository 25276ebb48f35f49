//! The policies in force together.

use std::collections::BTreeMap;

use crate::approval::{DEFAULT_ANNOTATION, RESERVED_ANNOTATIONS};

use super::context::PolicyContext;
use super::exemption::Exemption;
use super::mode::{Cap, Mode};
use super::policy::Policy;
use super::scope::Scope;

/// The policies in force together, swapped whole.
#[derive(Debug)]
pub struct Policies {
    list: Vec<Policy>,
    exemptions: Vec<Exemption>,
    context: PolicyContext,
    cap: Cap,
}

impl Policies {
    /// These policies, in order of name.
    pub fn of(mut list: Vec<Policy>) -> Self {
        list.sort_by(|one, other| one.name.cmp(&other.name));
        let context = context_of(&list);
        Self { list, exemptions: Vec::new(), context, cap: Cap::default() }
    }

    /// The same policies with these exemptions. Nothing that somebody may exempt is fixed for sure.
    pub(crate) fn with_exemptions(mut self, exemptions: Vec<Exemption>) -> Self {
        let is_exempt =
            |rule: &&'static str| exemptions.iter().any(|exemption| exemption.rules.contains(rule));
        self.context.always_fixed.retain(|rule| !is_exempt(rule));
        self.exemptions = exemptions;
        self
    }

    /// The exemptions, in order of their files.
    pub(crate) fn exemptions(&self) -> &[Exemption] {
        &self.exemptions
    }

    /// The policies in order of name.
    pub fn iter(&self) -> impl Iterator<Item = &Policy> {
        self.list.iter()
    }

    /// The policies in force whose scope asks for labels of namespaces: without access to
    /// namespaces that part of their scope excludes nothing.
    pub(crate) fn unresolvable(&self) -> impl Iterator<Item = &Policy> {
        self.list
            .iter()
            .filter(|policy| policy.mode != Mode::Off && policy.scope.namespaces.asks_for_labels())
    }

    /// What they have in common.
    pub fn context(&self) -> &PolicyContext {
        &self.context
    }

    /// The service's cap.
    pub fn cap(&self) -> Cap {
        self.cap
    }

    /// The same policies, whose messages have whole names: for readers with more room than a warning
    /// of the API server has.
    pub fn with_whole_messages(mut self) -> Self {
        self.context.whole_messages = true;
        self
    }

    /// The same policies, those that are named here in another mode.
    pub(crate) fn with_modes(self, modes: &BTreeMap<String, Mode>) -> Self {
        let Self { mut list, exemptions, .. } = self;
        for policy in &mut list {
            policy.mode = modes.get(&policy.name).copied().unwrap_or(policy.mode);
        }
        Self::of(list).with_exemptions(exemptions)
    }

    /// The same policies under the service's cap.
    pub fn under(mut self, cap: Cap) -> Self {
        self.cap = cap;
        if cap != Cap::Enforce {
            self.context.always_fixed.clear();
        }
        self
    }
}

impl Default for Policies {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

/// What the policies in `list` have in common. The annotation of a policy counts whatever its mode:
/// a policy that is switched on later must not find approvals that came along with a pod.
fn context_of(list: &[Policy]) -> PolicyContext {
    let mut named: Vec<&str> = list
        .iter()
        .filter_map(|policy| Some(policy.stages.approval.as_ref()?.annotation()))
        .collect();
    if named.is_empty() {
        named.push(DEFAULT_ANNOTATION);
    }
    let mut approval_annotations: Vec<String> = Vec::new();
    for annotation in RESERVED_ANNOTATIONS.into_iter().chain(named) {
        if !approval_annotations.iter().any(|known| known == annotation) {
            approval_annotations.push(annotation.to_owned());
        }
    }
    let everywhere =
        list.iter().filter(|policy| policy.mode == Mode::Fix && policy.scope == Scope::default());
    let always_fixed = everywhere.map(|policy| policy.rule.name).collect();
    let restoring = list.iter().filter(|policy| policy.mode != Mode::Off);
    let automation = restoring
        .filter_map(|policy| Some(policy.stages.restore.as_ref()?.automation().clone()))
        .collect();
    PolicyContext { approval_annotations, always_fixed, automation, whole_messages: false }
}
