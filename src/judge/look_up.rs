//! What must be looked up before judging: only what a rule in force asks for, and only where the
//! request raises it.

use crate::approval::STAMP_ANNOTATION;

use super::applies::in_force;
use super::mode::Mode;
use super::policies::Policies;
use super::policy::Policy;
use super::rule::LookUp;
use super::subject::{Resource, Subject};
use super::view::{ApprovalChange, View};

/// The facts that one request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookUps {
    /// Whether the requester may approve.
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
            return Self::of_grant(policies, subject);
        }
        let Some(view) = View::of(subject, policies.context()) else { return Self::default() };
        let View::Resize(resize) = &view else { return Self::default() };
        let asked = |policy: &Policy| policy.stages.check.as_ref()?.asks_for(resize);
        Self::of_resize(in_force(policies, subject, &view).filter_map(asked))
    }

    /// What amending `subject` asks for.
    pub fn for_amending(policies: &Policies, subject: &Subject<'_>) -> Self {
        if subject.resource != Resource::PodResize {
            return Self::of_grant(policies, subject);
        }
        let Some(view) = View::of(subject, policies.context()) else { return Self::default() };
        let View::Resize(resize) = &view else { return Self::default() };
        let asked = |policy: &Policy| policy.stages.restore.as_ref()?.asks_for(resize);
        let restoring =
            in_force(policies, subject, &view).filter(|policy| policy.mode >= Mode::Enforce);
        Self::of_resize(restoring.filter_map(asked))
    }

    fn of_resize(asked: impl Iterator<Item = LookUp>) -> Self {
        asked.fold(Self::default(), |asked, what| match what {
            LookUp::Usage => Self { usage: true, ..asked },
            LookUp::NodeCapacity => Self { node_capacity: true, ..asked },
        })
    }

    /// Whether the requester may approve, where the request carries a grant or a new stamp and a
    /// policy in force leaves that to the API server.
    fn of_grant(policies: &Policies, subject: &Subject<'_>) -> Self {
        let granting = |change: ApprovalChange<'_>| {
            change.is_through_pod()
                && (change.written(STAMP_ANNOTATION).is_some() || change.grants().next().is_some())
        };
        let asks = |policy: &Policy| {
            let approval = policy.stages.approval.as_ref();
            policy.mode != Mode::Off
                && approval.is_some_and(|approval| approval.asks_for_authority())
                && policy.scope.covers(subject)
        };
        let change = ApprovalChange::of(subject, policies.context());
        let authority = change.is_some_and(granting) && policies.iter().any(asks);
        Self { authority, ..Self::default() }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}
