//! A Vertical Pod Autoscaler.

use crate::kube::object::{Metadata, Object, Spec};

/// A `VerticalPodAutoscaler` as it would be stored.
#[derive(Clone, Copy, Debug)]
pub struct AutoscalerView<'s> {
    /// Its metadata.
    pub metadata: &'s Metadata<'s>,
    /// Its spec.
    pub spec: &'s Spec<'s>,
}

impl<'s> AutoscalerView<'s> {
    pub(super) fn new(object: &'s Object<'s>) -> Self {
        Self { metadata: &object.metadata, spec: &object.spec }
    }
}
