//! What is said where a grant or a stamp is refused.

use std::borrow::Cow;

use jiff::SignedDuration;

use crate::approval::{
    ApprovalNote, DEFAULT_ANNOTATION, FORM, GrantError, Refusal, STAMP_ANNOTATION, Stamp,
};
use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::mode::Mode;
use crate::judge::patch::pointer_token;
use crate::judge::view::ApprovalChange;
use crate::yaml::suggest::listed;

/// The name of the rule.
pub(super) const NAME: &str = "approval-authority";

/// A refusal, and what is said about it.
pub(super) struct Refused {
    refusal: Refusal,
    finding: Box<Finding>,
}

/// A word about a stamp that names a container which is not there. It does no harm, and no good.
pub(super) fn unknown_part(change: &ApprovalChange<'_>, stamp: &Stamp) -> Option<Finding> {
    let containers = || change.subject.object.spec.all_containers().map(|each| each.container);
    let is_known = |name: &str| containers().any(|container| *container.name == *name);
    let unknown = stamp.memory.containers().find(|name| !is_known(name))?;
    // more than these never fit the message
    let known: Vec<&str> = containers().map(|container| &*container.name).take(24).collect();
    let message = |names: Names| {
        format!("no container is called {}, there are {}", names.quoted(unknown), listed(&known))
    };
    let pointer = format!("/metadata/annotations/{}", pointer_token(STAMP_ANNOTATION));
    let remedy = "grant again with the name of a container of the pod, or @pod for the pod itself";
    Some(Finding::new(NAME, pointer, message, remedy).at_most(Mode::Warn))
}

impl Refused {
    fn new(
        refusal: Refusal,
        key: &str,
        message: impl Fn(Names) -> String,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        let pointer = format!("/metadata/annotations/{}", pointer_token(key));
        Self { refusal, finding: Box::new(Finding::new(NAME, pointer, message, remedy)) }
    }

    /// Takes note of it.
    pub(super) fn report(self, findings: &mut Findings) {
        findings.approval(ApprovalNote::Refused(self.refusal));
        findings.report(*self.finding);
    }

    pub(super) fn ambiguous(grants: &[(&str, Cow<'_, str>)]) -> Self {
        let key = grants.first().map_or(DEFAULT_ANNOTATION, |(key, _)| key);
        Self::new(
            Refusal::Ambiguous,
            key,
            |_| "more than one annotation grants".to_owned(),
            "grant with one annotation at a time",
        )
    }

    pub(super) fn malformed(key: &str, error: &GrantError) -> Self {
        let remedy = format!("a grant is {FORM}; to revoke an approval remove {STAMP_ANNOTATION}");
        Self::new(
            Refusal::Malformed,
            key,
            |names| format!("{} is no grant: {error}", names.quoted(key)),
            remedy,
        )
    }

    pub(super) fn lacking(change: &ApprovalChange<'_>, key: &str) -> Self {
        let (user, namespace, name) = (
            &*change.subject.requester.username,
            &*change.subject.namespace,
            &*change.subject.name,
        );
        let message = |names: Names| {
            format!("{} may not approve pods/resize of {}", names.quoted(user), names.quoted(name))
        };
        let remedy = format!(
            "ask an approver, or for the RBAC verb \"approve\" on pods/resize of pod \"{name}\" in namespace \"{namespace}\" (ClusterRole restraint-approver)"
        );
        Self::new(Refusal::NotAllowed, key, message, remedy)
    }

    pub(super) fn not_listed(change: &ApprovalChange<'_>, key: &str) -> Self {
        let user = &*change.subject.requester.username;
        let message =
            |names: Names| format!("{} is no approver of this policy", names.quoted(user));
        Self::new(
            Refusal::NotAllowed,
            key,
            message,
            "ask an approver, or to be listed under the policy's approvers",
        )
    }

    pub(super) fn authority_unknown(key: &str, why: &str) -> Self {
        let message = |_: Names| format!("nobody could say whether you may approve: {why}");
        let remedy = "grant again; if it stays so, an administrator looks at the service's access to SubjectAccessReviews or lists approvers in the policy";
        Self::new(Refusal::AuthorityUnknown, key, message, remedy)
    }

    pub(super) fn too_long(key: &str, longest: SignedDuration) -> Self {
        let message = |_: Names| format!("no approval holds longer than {longest:#}");
        Self::new(Refusal::TooLong, key, message, format!("say for={longest:#} or less"))
    }

    pub(super) fn no_generation(key: &str) -> Self {
        let message =
            |_: Names| "the pod has no metadata.generation to bind an approval to".to_owned();
        let remedy =
            "approvals need a pod made by Kubernetes 1.33 or later: roll out the new limit instead";
        Self::new(Refusal::NoGeneration, key, message, remedy)
    }

    pub(super) fn not_ready(key: &str) -> Self {
        Self::new(
            Refusal::NotReady,
            key,
            |_| "the service has no key to seal approvals with yet".to_owned(),
            "grant again in a while",
        )
    }

    pub(super) fn not_stamped(key: &str) -> Self {
        let message =
            |names: Names| format!("{} was not turned into a stamp: ask again", names.quoted(key));
        let remedy = "it approved nothing: grant again in a minute, because replicas may hold other policies for so long; if it stays so, an administrator looks with `restraint doctor` why the mutating webhook for approvals did not act";
        Self::new(Refusal::NotStamped, key, message, remedy)
    }

    pub(super) fn foreign_stamp(why: &str) -> Self {
        let message = |_: Names| format!("the stamp {why}");
        let remedy = "only the service writes stamps: an approver grants with the annotation restraint.dev/approve";
        Self::new(Refusal::ForeignStamp, STAMP_ANNOTATION, message, remedy)
    }

    pub(super) fn through_subresource(change: &ApprovalChange<'_>, key: &str) -> Self {
        let (resource, pod) = (change.subject.resource, &*change.subject.name);
        let message = |names: Names| match (resource.plural(), resource.subresource()) {
            // its URL does not say which pod is meant
            (door, "") => {
                let (key, pod) = (names.quoted(key), names.quoted(pod));
                format!("{key} of pod {pod} cannot be written through {door}")
            }
            (plural, door) => {
                format!("{} cannot be written through {plural}/{door}", names.quoted(key))
            }
        };
        Self::new(Refusal::ThroughSubresource, key, message, "annotate the pod itself")
    }
}
