//! A request that changes annotations by which approvals are granted or recorded.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::approval::{STAMP_ANNOTATION, Stamped};
use crate::judge::context::PolicyContext;
use crate::judge::subject::{Operation, Resource, Subject};
use crate::kube::object::Metadata;

/// An UPDATE of a pod, or a write through another door to its annotations, that adds, changes or removes
/// such annotations.
#[derive(Clone, Copy, Debug)]
pub struct ApprovalChange<'s> {
    /// The request.
    pub subject: &'s Subject<'s>,
    /// What all policies have in common.
    pub context: &'s PolicyContext,
}

impl<'s> ApprovalChange<'s> {
    /// The change that `subject` makes; `None` where it makes none. A new pod is another rule's
    /// business.
    pub fn of(subject: &'s Subject<'_>, context: &'s PolicyContext) -> Option<Self> {
        let watched = match subject.resource {
            Resource::Pod | Resource::PodStatus => subject.operation == Operation::Update,
            Resource::PodBinding | Resource::Binding => {
                matches!(subject.operation, Operation::Create | Operation::Update)
            }
            _ => false,
        };
        let change = Self { subject, context };
        let changes = || {
            context
                .approval_annotations
                .iter()
                .any(|key| change.old_text(key) != change.new_text(key))
        };
        (watched && changes()).then_some(change)
    }

    /// Whether it comes through the pod itself, the only way that is open.
    pub(crate) fn is_through_pod(&self) -> bool {
        self.subject.resource == Resource::Pod
    }

    /// The annotations that grant, as far as this request writes them, with their texts.
    pub fn grants(&self) -> impl Iterator<Item = (&'s str, Cow<'s, str>)> + use<'s> {
        let change = *self;
        self.granting().filter_map(move |key| change.written(key).map(|text| (key, text)))
    }

    /// The text of `key`, where this request adds or changes it.
    pub fn written(&self, key: &str) -> Option<Cow<'s, str>> {
        let new = self.new_text(key)?;
        (self.old_text(key).as_deref() != Some(&*new)).then_some(new)
    }

    /// Whether this request removes the stamp.
    pub(crate) fn removes_stamp(&self) -> bool {
        self.old_text(STAMP_ANNOTATION).is_some() && self.new_text(STAMP_ANNOTATION).is_none()
    }

    /// Every annotation that grants and would be stored, whether this request wrote it or not.
    pub(crate) fn present_grants(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        let new = &self.subject.object.metadata.annotations;
        self.granting().filter(move |key| new.value(key).is_some())
    }

    /// The pod as it is stored. The new one may say of itself what it likes until the API server
    /// resets it.
    pub fn stored(&self) -> Option<&'s Metadata<'s>> {
        self.subject.old_object.as_ref().map(|old| &old.metadata)
    }

    /// The time of the request.
    pub fn now(&self) -> Option<Timestamp> {
        self.subject.evidence.now
    }

    /// What is known of the stamp that this request writes.
    pub fn stamped(&self) -> &'s Stamped {
        &self.subject.evidence.stamped
    }

    /// The annotations that grant.
    fn granting(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        let annotations = self.context.approval_annotations.iter().map(String::as_str);
        annotations.filter(|key| *key != STAMP_ANNOTATION)
    }

    fn new_text(&self, key: &str) -> Option<Cow<'s, str>> {
        text(&self.subject.object.metadata, key)
    }

    fn old_text(&self, key: &str) -> Option<Cow<'s, str>> {
        text(self.stored()?, key)
    }
}

/// An annotation that is no string counts as an empty one: it is there, and grants nothing.
fn text<'s>(metadata: &'s Metadata<'_>, key: &str) -> Option<Cow<'s, str>> {
    metadata.annotations.value(key).map(|_| metadata.annotations.text(key).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::{DEFAULT_ANNOTATION, GRANT_ANNOTATION};
    use crate::json;
    use crate::json::text::Text;
    use crate::judge::policies::Policies;
    use crate::judge::subject::{Evidence, UserInfo};
    use crate::kube::object::Object;

    const RESTARTS: &str = "kubectl.kubernetes.io/restartedAt";

    fn pod(text: &str) -> Object<'_> {
        json::read(text).unwrap()
    }

    /// A pod with these annotations.
    fn annotated(annotations: &[&str]) -> String {
        let annotations: Vec<_> =
            annotations.iter().map(|key| format!("{key:?}: \"true\"")).collect();
        format!(r#"{{"metadata": {{"annotations": {{{}}}}}}}"#, annotations.join(", "))
    }

    /// What `look` says of the change from one set of annotations to another; `None` where there is
    /// no change.
    fn change<T>(
        resource: Resource,
        operation: Operation,
        old: &[&str],
        new: &[&str],
        look: fn(ApprovalChange<'_>) -> T,
    ) -> Option<T> {
        let (policies, old, new) = (Policies::default(), annotated(old), annotated(new));
        let subject = Subject {
            resource,
            operation,
            namespace: Text::default(),
            name: Text::default(),
            requester: UserInfo::default(),
            dry_run: false,
            object: pod(&new),
            old_object: (operation == Operation::Update).then(|| pod(&old)),
            evidence: Evidence::default(),
        };
        ApprovalChange::of(&subject, policies.context()).map(look)
    }

    fn update<T>(old: &[&str], new: &[&str], look: fn(ApprovalChange<'_>) -> T) -> Option<T> {
        change(Resource::Pod, Operation::Update, old, new, look)
    }

    #[test]
    fn what_does_not_touch_approvals_is_no_change_of_them() {
        let is_change = |old: &[&str], new: &[&str]| update(old, new, |_| ()).is_some();
        assert!(!is_change(&[], &[]));
        assert!(!is_change(&[], &[RESTARTS]));
        assert!(!is_change(
            &[STAMP_ANNOTATION, DEFAULT_ANNOTATION],
            &[STAMP_ANNOTATION, DEFAULT_ANNOTATION, RESTARTS]
        ));
        let all = [STAMP_ANNOTATION, DEFAULT_ANNOTATION, GRANT_ANNOTATION];
        for key in all {
            assert!(is_change(&[], &[key]) && is_change(&[key], &[]), "{key}");
        }
        assert!(is_change(&[], &all) && is_change(&all, &[]), "all at once");
    }

    #[test]
    fn approvals_change_through_four_doors() {
        let is_change = |resource, operation| {
            change(resource, operation, &[], &[GRANT_ANNOTATION], |_| ()).is_some()
        };
        assert!(is_change(Resource::Pod, Operation::Update));
        assert!(is_change(Resource::PodStatus, Operation::Update));
        assert!(is_change(Resource::PodBinding, Operation::Create));
        assert!(is_change(Resource::Binding, Operation::Create));
        assert!(!is_change(Resource::Pod, Operation::Create), "a new pod has nothing to approve");
        assert!(!is_change(Resource::Deployment, Operation::Update), "nor has a template");
    }

    #[test]
    fn grants_are_told_from_the_stamp() {
        let before = [STAMP_ANNOTATION, DEFAULT_ANNOTATION];
        let after = [STAMP_ANNOTATION, DEFAULT_ANNOTATION, GRANT_ANNOTATION];
        let keys = |change: ApprovalChange<'_>| {
            change.grants().map(|(key, _)| key.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            update(&before, &after, keys),
            Some(vec![GRANT_ANNOTATION.to_owned()]),
            "only what is written now"
        );
        let present = |change: ApprovalChange<'_>| {
            change.present_grants().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            update(&before, &after, present),
            Some(vec![GRANT_ANNOTATION.to_owned(), DEFAULT_ANNOTATION.to_owned()])
        );
        assert_eq!(update(&before, &before[..1], present), Some(Vec::new()));
    }

    #[test]
    fn only_a_stamp_that_goes_away_is_removed() {
        let removes =
            |old: &[&str], new: &[&str]| update(old, new, |change| change.removes_stamp());
        assert_eq!(removes(&[STAMP_ANNOTATION], &[]), Some(true));
        assert_eq!(removes(&[], &[STAMP_ANNOTATION]), Some(false));
        assert_eq!(
            removes(&[STAMP_ANNOTATION, GRANT_ANNOTATION], &[STAMP_ANNOTATION]),
            Some(false)
        );
        assert_eq!(removes(&[GRANT_ANNOTATION], &[]), Some(false));
    }
}
