//! What Restraint itself said of the pod, by its events.

use jiff::Timestamp;
use serde::Serialize;

use super::event::Events;

/// An event of Restraint's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// When, the last time.
    pub at: Option<Timestamp>,
    /// The event's reason: `ResizeDenied`, `ApprovalGranted`.
    pub reason: String,
    /// What it says.
    pub message: String,
}

/// Every event of Restraint's, in order.
pub(super) fn all(events: &Events) -> Vec<Decision> {
    let own = events.iter().filter(|event| event.author == "restraint.dev");
    own.map(|event| Decision {
        at: event.last,
        reason: event.reason.clone(),
        message: event.message.clone(),
    })
    .collect()
}
