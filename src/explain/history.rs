//! What happened to a pod: what keeps it from running, its ends and restarts, its resizes, its
//! making. A pure function of the pod, its events and what is known beside them.
//!
//! Of each container the API keeps the last two ends at most, and events for about an hour. What
//! cannot be known is said to be unknown.

mod blocked;
mod case;
mod cause;
mod certainty;
mod context;
mod decision;
mod end;
mod ending;
mod event;
mod kubectl;
mod record;
mod recreation;
mod resize;
mod restart;
mod warning;
mod whole;

use jiff::Timestamp;
use serde::Serialize;

pub use blocked::{Blocked, Obstacle};
use case::Case;
pub use cause::Cause;
pub use certainty::Certainty;
pub use context::HistoryContext;
pub use decision::Decision;
pub use end::End;
use event::Events;
use kubectl::Kubectl;
use record::Record;
pub use recreation::{Recreation, Replaced};
pub use resize::past::{Change, Outcome, PastResize};
pub use resize::{Amount, Reason, Resize, State as ResizeState};
pub use restart::{Known, Restart};
pub use warning::{Danger, Warning};
pub use whole::{State, Whole};

use crate::manifest::unstructured::Unstructured;

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
    /// The time that this holds for.
    pub as_of: Option<Timestamp>,
    /// The version of Kubernetes, where it is known.
    pub kubernetes_version: Option<String>,
    /// The pod as a whole.
    pub whole: Whole,
    /// What goes on with the pod as a whole, or ended it.
    pub now: Vec<String>,
    /// The containers that do not run though they should.
    pub blocked: Vec<Blocked>,
    /// The ends that are still known, container by container.
    pub restarts: Vec<Restart>,
    /// What is well now, and will not stay so.
    pub warnings: Vec<Warning>,
    /// Whether the pod itself stands for another one.
    pub recreation: Option<Recreation>,
    /// UIDs of other pods of the same name that events are about, and that count for nothing here.
    pub earlier_pods: Vec<String>,
    /// The state of its resize.
    pub resize: Resize,
    /// The resizes that events tell of.
    pub resizes: Vec<PastResize>,
    /// What Restraint said.
    pub decisions: Vec<Decision>,
    /// What cannot be known.
    pub unknown: Vec<String>,
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
    pub fn of(pod: &Unstructured, context: &HistoryContext) -> Result<Self, HistoryError> {
        if pod.kind != "Pod" {
            return Err(HistoryError::NoPod);
        }
        let record = Record::deserialize_from(pod.value())?;
        let object = pod.decode().ok();
        let metadata = &record.metadata;
        let events =
            Events::of(context.events.as_deref(), &metadata.uid, metadata.creation_timestamp);
        let kubectl = Kubectl::of(&metadata.name, &pod.namespace);
        let version = context.version.as_ref();
        let resize = resize::state(&record, &events, kubectl, version);
        let resizes = resize::past::all(&record, &events, &resize);
        let ending = ending::of(&record, &events);
        let as_of = context.now.or_else(|| newest(&record, &events));
        let case = Case {
            record: &record,
            events: &events,
            object: object.as_ref(),
            ending: ending.as_ref(),
            resizes: &resizes,
            kubectl,
            as_of,
            is_resizable: resize.impossible.is_none(),
        };
        let blocked = blocked::all(&case);
        let restarts = restart::all(&case);
        let (whole, now) = whole::of(&case, &blocked);
        let warnings = warning::all(&case);
        Ok(Self {
            namespace: pod.namespace.clone(),
            pod: metadata.name.clone(),
            uid: metadata.uid.clone(),
            phase: record.status.phase.clone(),
            created: metadata.creation_timestamp,
            as_of,
            kubernetes_version: version.map(|version| version.text.clone()),
            whole,
            now,
            blocked,
            warnings,
            recreation: recreation::of(&record, &events, context),
            earlier_pods: events.others.clone(),
            decisions: decision::all(&events),
            unknown: unknown(&events, &restarts),
            restarts,
            resize,
            resizes,
        })
    }
}

/// The newest time that pod and events tell: they were read then, or later.
fn newest(record: &Record, events: &Events) -> Option<Timestamp> {
    let conditions = record.status.conditions.iter().map(|one| one.last_transition_time);
    let containers = record.containers().flat_map(|told| {
        let (state, last) = (&told.status.state, &told.status.last_state);
        let ended =
            [state, last].map(|state| state.terminated.as_ref().and_then(|end| end.finished_at));
        let started = state.running.as_ref().and_then(|running| running.started_at);
        ended.into_iter().chain([started])
    });
    let events = events.iter().map(|event| event.last);
    let created = [record.metadata.creation_timestamp, ending::deleted_at(record)];
    conditions.chain(containers).chain(events).chain(created).flatten().max()
}

fn unknown(events: &Events, restarts: &[Restart]) -> Vec<String> {
    let mut unknown = Vec::new();
    if !events.are_known {
        unknown.push(
            "events cannot be read or were not given: who ended a container is told by them"
                .to_owned(),
        );
    } else if events.is_empty() {
        unknown.push("there are no events: the API server keeps them for about an hour".to_owned());
    }
    for restart in restarts {
        let (count, name) = (restart.unknown(), &restart.container);
        if count > 0 {
            let times = if count == 1 {
                "1 earlier end".to_owned()
            } else {
                format!("{count} earlier ends")
            };
            unknown.push(format!(
                "{times} of container {name:?}: only the last two are kept, and no event tells of others"
            ));
        }
    }
    unknown
}

#[cfg(test)]
mod tests;
