//! What is known beside a pod.

use jiff::Timestamp;
use serde_json::Value;

use crate::kube::version::Version;

/// What is known beside the pod.
#[derive(Clone, Debug, Default)]
pub struct HistoryContext {
    /// Its events, as objects; `None` where they cannot be read.
    pub events: Option<Vec<Value>>,
    /// When its owner was made.
    pub owner_created: Option<Timestamp>,
    /// When the template was made that the pod is made of: its ReplicaSet or ControllerRevision.
    pub template_since: Option<Timestamp>,
    /// The time of the question; the newest time that is told where there is none.
    pub now: Option<Timestamp>,
    /// The version of Kubernetes, where it is known.
    pub version: Option<Version>,
}
