//! A Vertical Pod Autoscaler, as far as the checks look at one.

use crate::json;
use crate::kube::name::describe;
use crate::kube::object::Object;

/// An autoscaler of the cluster.
#[derive(Debug)]
pub(super) struct Autoscaler<'f> {
    pub(super) namespace: String,
    pub(super) name: String,
    /// What rules read of it.
    pub(super) object: Object<'f>,
}

/// What rules do not read of an autoscaler.
#[derive(serde::Deserialize)]
struct Head {
    metadata: Metadata,
}

#[derive(serde::Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
}

impl<'f> Autoscaler<'f> {
    /// Reads one; `None` where the text is none.
    pub(super) fn read(json: &'f str) -> Option<Self> {
        let Metadata { name, namespace } = serde_json::from_str::<Head>(json).ok()?.metadata;
        Some(Self { namespace, name, object: json::read(json).ok()? })
    }

    /// It, as messages name it.
    pub(super) fn place(&self) -> String {
        describe("VerticalPodAutoscaler", &self.namespace, &self.name)
    }

    /// Whether it resizes running pods.
    pub(super) fn is_in_place(&self) -> bool {
        self.object.spec.update_policy.is_in_place()
    }

    /// Whether its updater evicts a pod that it may not resize.
    pub(super) fn evicts(&self) -> bool {
        &*self.object.spec.update_policy.update_mode == "InPlaceOrRecreate"
    }
}
