//! A request that changes annotations by which approvals are granted or recorded.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::judge::policies::Conventions;
use crate::judge::subject::{Operation, Resource, Subject};
use crate::kube::object::Metadata;

use super::standing::Stamped;
use super::{Place, STAMP_ANNOTATION};

/// An UPDATE of a pod, or a write through one of its subresources, that adds, changes or removes such annotations.
#[derive(Clone, Copy, Debug)]
pub struct ApprovalChange<'s> {
    /// The request.
    pub subject: &'s Subject<'s>,
    /// What all policies have in common.
    pub conventions: &'s Conventions,
}

impl<'s> ApprovalChange<'s> {
    /// The change that `subject` makes; `None` where it makes none. A new pod is another rule's business.
    pub fn of(subject: &'s Subject<'_>, conventions: &'s Conventions) -> Option<Self> {
        let watched = match subject.resource {
            Resource::Pod | Resource::PodStatus => subject.operation == Operation::Update,
            Resource::PodBinding => matches!(subject.operation, Operation::Create | Operation::Update),
            _ => false,
        };
        let change = Self { subject, conventions };
        let changes = || conventions.approval_annotations.iter().any(|key| change.old_text(key) != change.new_text(key));
        (watched && changes()).then_some(change)
    }

    /// Whether it comes through the pod itself, the only door that is open.
    pub fn is_through_pod(&self) -> bool {
        self.subject.resource == Resource::Pod
    }

    /// The annotations that grant, as far as this request adds or changes them, with their texts.
    pub fn grants(&self) -> impl Iterator<Item = (&'s str, Cow<'s, str>)> + use<'s> {
        let change = *self;
        let granting = self.conventions.approval_annotations.iter().map(String::as_str).filter(|key| *key != STAMP_ANNOTATION);
        granting.filter_map(move |key| change.written(key).map(|text| (key, text)))
    }

    /// The text of `key`, where this request adds or changes it.
    pub fn written(&self, key: &str) -> Option<Cow<'s, str>> {
        let new = self.new_text(key)?;
        (self.old_text(key).as_deref() != Some(&*new)).then_some(new)
    }

    /// Whether this request removes the stamp.
    pub fn removes_stamp(&self) -> bool {
        self.old_text(STAMP_ANNOTATION).is_some() && self.new_text(STAMP_ANNOTATION).is_none()
    }

    /// Every annotation that grants and would be stored, whether this request wrote it or not.
    pub fn standing_grants(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        let new = &self.subject.object.metadata.annotations;
        let granting = self.conventions.approval_annotations.iter().map(String::as_str).filter(|key| *key != STAMP_ANNOTATION);
        granting.filter(move |key| new.value(key).is_some())
    }

    /// The pod as it is stored. The new one may say of itself what it likes until the API server resets it.
    pub fn stored(&self) -> Option<&'s Metadata<'s>> {
        self.subject.old_object.as_ref().map(|old| &old.metadata)
    }

    /// Where a stamp of this request is.
    pub fn place(&self) -> Place<'s> {
        self.subject.place()
    }

    /// The time of the request.
    pub fn now(&self) -> Option<Timestamp> {
        self.subject.evidence.now
    }

    /// What is known of the stamp that this request writes.
    pub fn stamped(&self) -> &'s Stamped {
        &self.subject.evidence.stamped
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
