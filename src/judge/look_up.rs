//! What must be looked up before judging: only what a rule in force asks for, and only where the
//! request raises it.

use crate::approval::{Grant, STAMP_ANNOTATION};

use super::applies;
use super::mode::Mode;
use super::policies::Policies;
use super::policy::Policy;
use super::rule::LookUp;
use super::subject::{Resource, Subject};
use super::view::{ApprovalChange, MemoryChange, View};

/// The facts that one request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookUps {
    /// [`LookUp::Authority`].
    pub authority: bool,
    /// [`LookUp::Usage`].
    pub usage: bool,
    /// [`LookUp::NodeCapacity`].
    pub node_capacity: bool,
}

impl LookUps {
    /// What judging `subject` asks for.
    pub fn for_judging(policies: &Policies, subject: &Subject<'_>) -> Self {
        if subject.resource != Resource::PodResize {
            return Self::for_amending(policies, subject);
        }
        let Some(view) = View::of(subject, policies.context()) else { return Self::default() };
        let View::Resize(resize) = &view else { return Self::default() };
        let asked = |what: LookUp| {
            let asks = |policy: &Policy| {
                policy.check.asks_for() == Some(what) && applies(policy, subject, &view)
            };
            policies.iter().any(asks)
        };
        let grows = || {
            resize.requests().is_some_and(|(old, new)| new.cpu > old.cpu || new.memory > old.memory)
        };
        Self {
            authority: false,
            usage: asked(LookUp::Usage)
                && resize.memory_changes().any(|change| MemoryChange::limit_falls(&change)),
            node_capacity: asked(LookUp::NodeCapacity)
                && !resize.old.spec.node_name.is_empty()
                && grows(),
        }
    }

    /// What amending `subject` asks for: whether its requester may approve, where it carries a
    /// grant or a new stamp and a policy in force leaves that to the API server.
    pub fn for_amending(policies: &Policies, subject: &Subject<'_>) -> Self {
        let change =
            ApprovalChange::of(subject, policies.context()).filter(ApprovalChange::is_through_pod);
        let granting = || {
            let grants = |change: ApprovalChange<'_>| {
                change.grants().any(|(_, text)| Grant::parse(&text).is_ok())
            };
            change
                .is_some_and(|change| change.written(STAMP_ANNOTATION).is_some() || grants(change))
        };
        let asks = |policy: &Policy| {
            policy.mode != Mode::Off
                && policy.check.asks_for() == Some(LookUp::Authority)
                && policy.scope.covers(subject)
        };
        Self { authority: granting() && policies.iter().any(asks), ..Self::default() }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}
