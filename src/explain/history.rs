//! What happened to a pod: its restarts, its making, and the state of its resize. A pure function
//! of the pod, its events and its owner's age.
//!
//! Of each container the API keeps only the last end. What cannot be known is said to be unknown.

mod certainty;
mod record;
mod resize;
mod restart;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

pub use certainty::Certainty;
use record::{Event, Record};
use resize::Resize;
use restart::Restart;

/// Pods that were made this much later than their owner were not made with it.
const LATER: SignedDuration = SignedDuration::from_mins(5);

/// What is known beside the pod.
#[derive(Clone, Debug, Default)]
pub struct HistoryContext {
    /// Its events, as objects; `None` where they cannot be read.
    pub events: Option<Vec<Value>>,
    /// When its owner was made.
    pub owner_created: Option<Timestamp>,
}

/// What happened to a pod. The names of its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub pod: String,
    /// Its UID.
    pub uid: String,
    /// `status.phase`.
    pub phase: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// What goes on with the pod as a whole, or ended it.
    pub now: Vec<String>,
    /// The ends that are still known, container by container.
    pub restarts: Vec<Restart>,
    /// Whether the pod itself stands for another one.
    pub recreation: Option<Recreation>,
    /// The state of its resize.
    pub resize: Resize,
    /// What cannot be known.
    pub unknown: Vec<String>,
}

/// That a pod took the place of another, as far as that can be told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recreation {
    /// How sure that is.
    pub certainty: Certainty,
    /// What speaks for it.
    pub why: String,
}

/// A value that is no pod.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Another kind, or none.
    #[error("it is no Pod")]
    NoPod,
    /// A field of another shape.
    #[error("the pod cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
}

impl History {
    /// What happened to `pod`.
    ///
    /// # Errors
    ///
    /// Where `pod` is none.
    pub fn of(pod: &Value, context: &HistoryContext) -> Result<Self, HistoryError> {
        if pod.get("kind").and_then(Value::as_str) != Some("Pod") {
            return Err(HistoryError::NoPod);
        }
        let record = Record::deserialize_from(pod)?;
        let known = context
            .events
            .as_deref()
            .map(|events| events.iter().filter_map(Event::read).collect::<Vec<_>>());
        let mine = |event: &&Event| event.uid.is_empty() || event.uid == record.metadata.uid;
        let events: Vec<&Event> = known.iter().flatten().filter(mine).collect();
        let earlier: Vec<&Event> = known.iter().flatten().filter(|event| !mine(event)).collect();
        let restarts = restart::all(&record, &events);
        let recreation = recreation(&record, &earlier, context.owner_created);
        let unknown = unknown(known.as_deref(), &restarts);
        Ok(Self {
            namespace: record.metadata.namespace.clone(),
            pod: record.metadata.name.clone(),
            uid: record.metadata.uid.clone(),
            phase: record.status.phase.clone(),
            created: record.metadata.creation_timestamp,
            now: now(&record),
            resize: resize::state(&record),
            restarts,
            recreation,
            unknown,
        })
    }
}

/// What goes on with the pod as a whole.
fn now(record: &Record) -> Vec<String> {
    let mut now = Vec::new();
    if let Some(since) = record.metadata.deletion_timestamp {
        now.push(format!("the pod is being deleted, until {since} at the latest"));
    }
    let status = &record.status;
    if status.phase == "Failed" && !status.reason.is_empty() {
        now.push(format!("the pod was failed as a whole: {}", status.reason));
    }
    for condition in status.conditions.iter().filter(|condition| condition.status == "True") {
        let reason = &condition.reason;
        match condition.kind.as_str() {
            "AllContainersRestarting" => now.push(format!(
                "all containers are being restarted in place ({reason}): init containers run again"
            )),
            "DisruptionTarget" => {
                now.push(format!("it was chosen to go: {reason}, {}", condition.message))
            }
            _ => {}
        }
    }
    now
}

/// Whether it took the place of another.
fn recreation(
    record: &Record,
    earlier: &[&Event],
    owner_created: Option<Timestamp>,
) -> Option<Recreation> {
    let owner = record.metadata.owner_references.iter().find(|owner| owner.controller)?;
    if !earlier.is_empty() {
        let why = format!(
            "events tell of a pod of the same name with another UID: the {} made this one in its place",
            owner.kind
        );
        return Some(Recreation { certainty: Certainty::Certain, why });
    }
    let (created, owned_since) = (record.metadata.creation_timestamp?, owner_created?);
    if created.duration_since(owned_since) < LATER {
        return None;
    }
    let why = format!(
        "the pod was made at {created}, its {} {:?} at {owned_since}: it replaced another (deletion, eviction, drain, lost node, \
         a rollout of that owner) or was added by scaling, which cannot be told apart",
        owner.kind, owner.name
    );
    Some(Recreation { certainty: Certainty::Unknown, why })
}

fn unknown(events: Option<&[Event]>, restarts: &[Restart]) -> Vec<String> {
    let mut unknown = Vec::new();
    match events {
        None => unknown.push(
            "events cannot be read or were not given: who ended a container is told by them"
                .to_owned(),
        ),
        Some([]) => unknown
            .push("there are no events: the API server keeps them for about an hour".to_owned()),
        Some(_) => {}
    }
    if restarts.iter().any(|restart| restart.count > 1) {
        unknown.push(
            "of each container only the last end is kept: earlier ones may have had other causes"
                .to_owned(),
        );
    }
    unknown
}

#[cfg(test)]
mod tests;
