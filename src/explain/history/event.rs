//! Events about a pod, and what those of the kubelet say of the end of a container.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Clocks of events tell whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Where an end has no beginning in the status, a kill belongs to it that came this long before:
/// longer than most grace periods.
const BEFORE: SignedDuration = SignedDuration::from_mins(3);

/// An event about a pod of this name.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) reason: String,
    pub(super) message: String,
    /// The container it is about; empty for the pod.
    pub(super) container: String,
    /// The UID of the pod it is about; empty where it tells none.
    pub(super) uid: String,
    /// When it happened first.
    pub(super) first: Option<Timestamp>,
    /// When it happened last.
    pub(super) last: Option<Timestamp>,
    /// How often it happened.
    pub(super) count: u64,
    /// Who wrote it.
    pub(super) author: String,
}

impl Event {
    /// Reads an event; `None` where it is none.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let about = |field: &str| {
            text(&format!("/involvedObject/{field}"))
                .or_else(|| text(&format!("/regarding/{field}")))
        };
        let time = |pointers: &[&str]| pointers.iter().find_map(|one| text(one)?.parse().ok());
        let number = |pointers: &[&str]| {
            pointers.iter().find_map(|one| value.pointer(one).and_then(Value::as_u64))
        };
        let path = about("fieldPath").unwrap_or_default();
        let container =
            path.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}')).unwrap_or_default();
        let author = text("/reportingComponent").filter(|name| !name.is_empty());
        Some(Self {
            reason: text("/reason")?.to_owned(),
            message: text("/message").or_else(|| text("/note")).unwrap_or_default().to_owned(),
            container: container.to_owned(),
            uid: about("uid").unwrap_or_default().to_owned(),
            first: time(&[
                "/firstTimestamp",
                "/deprecatedFirstTimestamp",
                "/eventTime",
                "/lastTimestamp",
            ]),
            last: time(&[
                "/series/lastObservedTime",
                "/lastTimestamp",
                "/deprecatedLastTimestamp",
                "/eventTime",
                "/firstTimestamp",
            ]),
            count: number(&["/series/count", "/count", "/deprecatedCount"]).unwrap_or(1).max(1),
            author: author.or_else(|| text("/source/component")).unwrap_or_default().to_owned(),
        })
    }

    /// Whether it happened in this time, first or last; of one that happened more often the times
    /// between are not kept.
    pub(super) fn is_within(&self, from: Timestamp, to: Timestamp) -> bool {
        let (from, to) = (earlier(from, SECOND), later(to, SECOND));
        [self.first, self.last].into_iter().flatten().any(|time| from <= time && time <= to)
    }

    /// Whether it happened at this time or later.
    pub(super) fn is_since(&self, time: Timestamp) -> bool {
        self.last.is_some_and(|last| last >= time)
    }
}

/// A time, less a while.
pub(super) fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// A time, and a while more.
pub(super) fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The events about one pod, in order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    all: Vec<Event>,
    /// The UIDs of other pods of its name, the last one first.
    pub(super) others: Vec<String>,
    /// What is told of those.
    pub(super) of_others: Vec<Event>,
    /// Whether they could be read.
    pub(super) are_known: bool,
}

impl Events {
    /// Those about the pod with this UID that was made then. One without a UID is about the pod
    /// that was there at the time.
    pub(super) fn of(values: Option<&[Value]>, uid: &str, created: Option<Timestamp>) -> Self {
        let mut events: Vec<Event> = values.into_iter().flatten().filter_map(Event::read).collect();
        events.sort_by_key(|event| event.last);
        let is_of_others = |event: &Event| match event.uid.as_str() {
            "" => created.is_some_and(|created| event.last.is_some_and(|last| last < created)),
            other => other != uid,
        };
        let (of_others, all): (Vec<_>, Vec<_>) = events.into_iter().partition(is_of_others);
        let mut others: Vec<String> = Vec::new();
        for event in of_others.iter().rev().filter(|event| !event.uid.is_empty()) {
            if !others.contains(&event.uid) {
                others.push(event.uid.clone());
            }
        }
        Self { all, others, of_others, are_known: values.is_some() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.all.iter()
    }

    /// Those with this reason.
    pub(super) fn because<'e>(
        &'e self,
        reason: &'e str,
    ) -> impl DoubleEndedIterator<Item = &'e Event> {
        self.iter().filter(move |event| event.reason == reason)
    }

    /// The last one with one of these reasons.
    pub(super) fn last(&self, reasons: &[&str]) -> Option<&Event> {
        self.iter().rev().find(|event| reasons.contains(&event.reason.as_str()))
    }

    /// Those about this container.
    pub(super) fn about<'e>(
        &'e self,
        container: &'e str,
    ) -> impl DoubleEndedIterator<Item = &'e Event> {
        self.iter().filter(move |event| event.container == container)
    }

    /// Every kill of this container that the kubelet tells of.
    pub(super) fn kills<'e>(
        &'e self,
        container: &'e str,
    ) -> impl Iterator<Item = (Kill, &'e Event)> {
        let killing = self.because("Killing").filter(move |event| {
            event.container == container
                || event.container.is_empty() && names(&event.message, container)
        });
        killing.map(|event| (Kill::read(&event.message), event))
    }

    /// The last kill of this container in the life that ended so, and whether it is certain that
    /// it was in that life.
    pub(super) fn kill_between<'e>(
        &'e self,
        container: &'e str,
        started: Option<Timestamp>,
        finished: Timestamp,
    ) -> Option<(Kill, &'e Event)> {
        let from = started.unwrap_or_else(|| earlier(finished, BEFORE));
        self.kills(container).filter(|(_, event)| event.is_within(from, finished)).last()
    }

    /// Whether the events reach back to the making of the pod, so that nothing is missing.
    pub(super) fn are_complete(&self) -> bool {
        self.because("Scheduled").next().is_some()
    }
}

/// Whether this word stands in the message.
fn names(message: &str, container: &str) -> bool {
    message.split([' ', '"', ',']).any(|word| word == container)
}

/// Why the kubelet kills a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kill {
    Liveness,
    Startup,
    Resize,
    Definition,
    PostStart,
    RestartAll,
    /// It does not know whether it runs.
    UnknownState,
    /// The whole pod is stopped.
    Pod,
    Other,
}

impl Kill {
    fn read(message: &str) -> Self {
        let has = |words: &str| message.contains(words);
        match () {
            () if has("failed liveness probe") => Self::Liveness,
            () if has("failed startup probe") => Self::Startup,
            () if has("resize requires restart") => Self::Resize,
            () if has("definition changed") || has("spec hash changed") => Self::Definition,
            () if has("FailedPostStartHook") || has("PostStart") => Self::PostStart,
            () if message == "killing" => Self::RestartAll,
            () if has("try killing it before restart") => Self::UnknownState,
            () if has("Stopping container") => Self::Pod,
            () => Self::Other,
        }
    }
}
