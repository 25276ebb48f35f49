//! Resizes that the kubelet tried in vain, by its condition and its events.

use super::reason::usage;
use super::summary;
use crate::explain::history::event::Events;
use crate::explain::history::record::{Condition, Record};

/// What the kubelet says of a resize that it tried in vain. Its condition loses the reason while
/// it tries once more: then only the events tell.
pub(super) fn failure<'m>(
    record: &Record,
    events: &'m Events,
    progress: Option<&'m Condition>,
    differs: bool,
) -> Option<&'m str> {
    if let Some(progress) = progress.filter(|progress| progress.reason == "Error") {
        return Some(&progress.message);
    }
    let last = events.last(&["ResizeError", "ResizeCompleted", "ResizeStarted"])?;
    let is_of_now = summary::generation(&last.message) == record.metadata.generation;
    let error = last.reason == "ResizeError" && is_of_now && (progress.is_some() || differs);
    let started_then = last.reason == "ResizeStarted" && is_of_now && progress.is_some();
    let told = if error { Some(last) } else { None };
    let told = told.or_else(|| {
        // both come in one second, in any order
        let error = events.last(&["ResizeError"])?;
        (started_then
            && error.last >= last.last
            && summary::generation(&error.message) == record.metadata.generation)
            .then_some(error)
    })?;
    Some(&told.message)
}

/// How much memory the last event of a failure says is in use.
pub(super) fn measured(events: &Events) -> Option<u64> {
    let last = events.last(&["ResizeError"])?;
    usage(&last.message).filter(|bytes| *bytes > 0)
}

/// The error in an event's message, or the message of a condition.
pub(super) fn error_of(message: &str) -> String {
    summary::error(message).unwrap_or_else(|| message.to_owned())
}
