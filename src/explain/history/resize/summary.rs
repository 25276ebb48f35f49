//! What events about a resize carry.

use serde::Deserialize;

use crate::explain::history::record::Container;

/// What an event about a resize carries.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Summary {
    pub(super) containers: Vec<Container>,
    pub(super) init_containers: Vec<Container>,
    pub(super) generation: i64,
    pub(super) error: String,
}

/// Reads it; `None` where it carries nothing.
pub(super) fn summary(message: &str) -> Option<Summary> {
    serde_json::from_str(message.get(message.find('{')?..)?).ok()
}

/// The generation that an event about a resize speaks of.
pub(super) fn generation(message: &str) -> Option<i64> {
    summary(message).map(|summary| summary.generation)
}

/// The error that an event about a resize tells.
pub(super) fn error(message: &str) -> Option<String> {
    summary(message).map(|summary| summary.error).filter(|error| !error.is_empty())
}
