//! Approvals: a person's agreement to one pod's memory decrease.
//!
//! On `pods/resize` only the **old** object is asked. A resize patch cannot store an annotation, but the mutating path
//! still sees the one that came along (the API server drops it later), so whatever the new object says counts for
//! nothing on either path.

use crate::kube::object::Object;

use super::policies::Conventions;
use super::view::MemoryChange;

/// The annotation that approves any decrease, unless a policy names another.
pub const DEFAULT_ANNOTATION: &str = "approved-by-sre";

/// Annotations by which approvals are given or recorded whatever a policy says: the precise grant, and the service's
/// own record of a grant. Nobody may bring them along with a new pod.
pub const RESERVED_ANNOTATIONS: [&str; 2] = ["restraint.dev/approve", "restraint.dev/approval"];

/// An approval as it stands on the object that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approval<'a> {
    /// The plain annotation with the value `true`: any decrease. Who wrote it is not on record.
    Annotation(&'a str),
}

impl<'a> Approval<'a> {
    /// The approval that `stored` carries under `annotation`.
    pub fn on(stored: &Object<'_>, annotation: &'a str) -> Option<Self> {
        (stored.metadata.annotations.text(annotation)? == "true").then_some(Self::Annotation(annotation))
    }

    /// The first approval that `stored` carries under any annotation that a policy lets one approve with.
    pub fn on_any(stored: &Object<'_>, conventions: &'a Conventions) -> Option<Self> {
        let granting = conventions.approval_annotations.iter().filter(|key| !RESERVED_ANNOTATIONS.contains(&key.as_str()));
        granting.map(String::as_str).find_map(|key| Self::on(stored, key))
    }

    /// Whether it allows this change of this part of the pod.
    pub fn covers(&self, _change: &MemoryChange<'_>) -> bool {
        match self {
            Self::Annotation(_) => true,
        }
    }

    /// The annotation it is written in.
    pub fn annotation(&self) -> &str {
        match self {
            Self::Annotation(key) => key,
        }
    }

    /// Who gave it, where that is known.
    pub fn approver(&self) -> Option<&str> {
        match self {
            Self::Annotation(_) => None,
        }
    }
}
