//! Writing events to the API server, equal ones as a series.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::{Event, EventSeries};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use tokio::sync::mpsc::Receiver;
use tracing::warn;

use crate::approval::REQUESTED_ANNOTATION;
use crate::cluster::error::error_message;
use crate::serve::metrics::SharedMetrics;

use super::occurrence::{Occurrence, Reason, Regarding};

/// How long an event may be repeated as one of a series. Longer than whoever tries again and again
/// waits at most, and far below the hour that API servers keep events.
const SERIES: Duration = Duration::from_secs(6 * 60);

/// The longest `reportingInstance` the API server takes, in bytes.
const INSTANCE_LIMIT: usize = 128;

/// The longest name of an event, in bytes, as of any object.
const NAME_LIMIT: usize = 253;

/// Who reports.
const CONTROLLER: &str = "restraint.dev";

/// Writes events, equal ones as a series.
pub(super) struct Writer {
    client: Client,
    instance: String,
    time_limit: Duration,
    /// By what an event is about, and its reason. A note that names another value or approver must
    /// not vanish in the series of an older one.
    series: HashMap<(String, Reason), Series>,
}

/// An event that may come again.
struct Series {
    event: Event,
    last: Instant,
}

impl fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Writer")
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn new(client: Client, time_limit: Duration) -> Self {
        let named = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
        let mut instance = named("POD_NAME")
            .or_else(|| named("HOSTNAME"))
            .unwrap_or_else(|| CONTROLLER.to_owned());
        instance.truncate(instance.floor_char_boundary(INSTANCE_LIMIT));
        Self { client, instance, time_limit, series: HashMap::new() }
    }

    /// Writes one after the other until nobody can send any more. The first failure is logged, all
    /// are counted.
    pub(super) async fn write(
        mut self,
        mut receiver: Receiver<Occurrence>,
        metrics: SharedMetrics,
    ) {
        let mut failed = false;
        while let Some(occurrence) = receiver.recv().await {
            // a panic costs this event, not those that come
            let published = AssertUnwindSafe(self.publish(occurrence)).catch_unwind().await;
            let Err(error) = published.unwrap_or_else(|_| Err("a panic".to_owned())) else {
                continue;
            };
            metrics.event_failed();
            if !failed {
                warn!("an event cannot be written; further failures are only counted: {error}");
            }
            failed = true;
        }
    }

    pub(super) async fn publish(&mut self, occurrence: Occurrence) -> Result<(), String> {
        let now = Instant::now();
        self.series.retain(|_, series| now.duration_since(series.last) < SERIES);
        let key = (occurrence.place(), occurrence.reason);
        let known = self.series.remove(&key).map(|series| series.event).filter(|event| {
            // a note that was cut may hide that something else was asked for
            event.note.as_deref() == Some(&*occurrence.note)
                && event.metadata.annotations == annotations(occurrence.requested.as_ref())
        });
        let event = match known {
            Some(event) => repeated(event),
            None => self.event(occurrence),
        };
        match tokio::time::timeout(self.time_limit, self.send(&event)).await {
            Ok(Ok(())) => drop(self.series.insert(key, Series { event, last: now })),
            Ok(Err(error)) => return Err(error_message(&error)),
            Err(_) => return Err("the API server is too slow".to_owned()),
        }
        Ok(())
    }

    async fn send(&self, event: &Event) -> Result<(), kube::Error> {
        let namespace = event.metadata.namespace.as_deref().unwrap_or("default");
        let name = event.metadata.name.as_deref().unwrap_or_default();
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        if event.series.is_some() {
            events.patch(name, &PatchParams::default(), &Patch::Merge(event)).await.map(drop)
        } else {
            events.create(&PostParams::default(), event).await.map(drop)
        }
    }

    fn event(&self, occurrence: Occurrence) -> Event {
        let Occurrence { reason, note, requested, namespace, regarding } = occurrence;
        let now = Timestamp::now();
        let type_ = if reason.is_warning() { "Warning" } else { "Normal" };
        let Regarding { api_version, kind, name, uid } = regarding;
        Event {
            metadata: ObjectMeta {
                namespace: Some(namespace.clone()),
                name: Some(event_name(&name, now)),
                annotations: annotations(requested.as_ref()),
                ..ObjectMeta::default()
            },
            action: Some(reason.action().to_owned()),
            event_time: Some(MicroTime(now)),
            note: Some(note),
            reason: Some(reason.as_str().to_owned()),
            regarding: Some(ObjectReference {
                api_version: Some(api_version),
                kind: Some(kind),
                namespace: Some(namespace),
                name: Some(name),
                uid: Some(uid).filter(|uid| !uid.is_empty()),
                ..ObjectReference::default()
            }),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            type_: Some(type_.to_owned()),
            ..Event::default()
        }
    }
}

fn annotations(requested: Option<&String>) -> Option<BTreeMap<String, String>> {
    let requested = requested?.clone();
    Some(BTreeMap::from([(REQUESTED_ANNOTATION.to_owned(), requested)]))
}

/// The same event, once more.
fn repeated(mut event: Event) -> Event {
    let count = event.series.as_ref().map_or(2, |series| series.count.saturating_add(1));
    event.series = Some(EventSeries { count, last_observed_time: MicroTime(Timestamp::now()) });
    event
}

/// The name of an event about the object called `name`: its beginning, where both would be too
/// long, and the time.
fn event_name(name: &str, now: Timestamp) -> String {
    let time = format!(".{:x}", now.as_nanosecond());
    let most = NAME_LIMIT.saturating_sub(time.len());
    let beginning = name.get(..name.floor_char_boundary(most)).unwrap_or(name);
    format!("{}{time}", beginning.trim_end_matches(['.', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::name::is_dns_subdomain;

    #[test]
    fn events_have_a_name_whatever_the_object_is_called() {
        let now: Timestamp = "2026-11-30T12:00:00.123456789Z".parse().unwrap();
        assert!(event_name("db-0", now).starts_with("db-0.1"));
        for length in [235, 236, 237, 240, 253] {
            for filler in ["a", "a-", "a.", "-a"] {
                let mut name = format!("a{}", filler.repeat(length));
                name.truncate(length);
                let name = event_name(&name, now);
                assert!(is_dns_subdomain(&name), "{name}");
            }
        }
    }
}
