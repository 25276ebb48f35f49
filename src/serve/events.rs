//! Events on pods: grants, uses and denials, where whoever looks at the pod sees them. And on workloads,
//! where that is wanted: changes of their configuration.
//!
//! They are a courtesy. A review never waits for one: what cannot be written soon is dropped and
//! counted.

mod configuration;
mod limit;
mod occurrence;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::Client;
use tokio::sync::mpsc::{Sender, channel};

use crate::judge::subject::Subject;
use crate::judge::verdict::Verdict;
use crate::review::Path;

use super::configuration::Index;
use super::metrics::SharedMetrics;
use limit::{Limit, OF_CONFIGURATION, OF_PODS};
use occurrence::{Occurrence, occurrences};
use writer::Writer;

/// The most events that wait to be written.
const QUEUE: usize = 256;

/// How long writing one event may take.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Hands events over to a task that writes them.
#[derive(Debug)]
pub(super) struct Events {
    queue: Option<Queue>,
    /// Who is told of changes of configuration, if anybody is.
    users: Option<Arc<Index>>,
    metrics: SharedMetrics,
}

#[derive(Debug)]
struct Queue {
    sender: Sender<Occurrence>,
    limit: Mutex<Limit>,
    /// Of events about configuration: they must not use up what the others may.
    of_configuration: Mutex<Limit>,
}

impl Events {
    /// Starts to write events through `client`; without one there are none. Needs a runtime.
    pub(super) fn start(client: Option<Client>, metrics: SharedMetrics) -> Self {
        Self::start_with(client, metrics, TIME_LIMIT)
    }

    fn start_with(client: Option<Client>, metrics: SharedMetrics, time_limit: Duration) -> Self {
        let queue = client.map(|client| {
            let (sender, receiver) = channel(QUEUE);
            tokio::spawn(Writer::new(client, time_limit).write(receiver, metrics.clone()));
            Queue::new(sender)
        });
        Self { queue, users: None, metrics }
    }

    /// Tells workloads, too, of changes of the configuration that they use.
    pub(super) fn with_users(self, index: Arc<Index>) -> Self {
        Self { users: Some(index), ..self }
    }

    /// Tells what happened in a review, without waiting for anything.
    pub(super) fn tell(&self, path: Path, subject: &Subject<'_>, verdict: &Verdict) {
        let Some(queue) = &self.queue else { return };
        let users = self.users.as_deref().filter(|_| path == Path::Validate);
        let told = users.map(|users| configuration::occurrences(subject, verdict, users));
        let told = told.into_iter().flatten();
        for occurrence in occurrences(path, subject, verdict).into_iter().chain(told) {
            if !queue.take(Instant::now(), occurrence) {
                self.metrics.event_dropped();
            }
        }
    }
}

impl Queue {
    fn new(sender: Sender<Occurrence>) -> Self {
        let limit = |rate| Mutex::new(Limit::new(rate, Instant::now()));
        Self { sender, limit: limit(OF_PODS), of_configuration: limit(OF_CONFIGURATION) }
    }

    /// Whether it is about to be written.
    fn take(&self, now: Instant, occurrence: Occurrence) -> bool {
        let limit = if occurrence.reason.is_of_configuration() {
            &self.of_configuration
        } else {
            &self.limit
        };
        let admitted =
            limit.lock().unwrap_or_else(PoisonError::into_inner).admits(now, &occurrence);
        admitted && self.sender.try_send(occurrence).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::extract::Request;
    use axum::routing::any;
    use serde_json::Value;
    use tokio::sync::mpsc::Receiver;

    use super::occurrence::Reason;
    use super::*;
    use crate::approval::REQUESTED_ANNOTATION;
    use crate::certificate::testing::in_time;
    use crate::serve::metrics::Metrics;
    use crate::serve::testing::{api_server, body, json};

    fn denied(uid: &str, note: &str) -> Occurrence {
        Occurrence::to_pod(uid, Reason::ResizeDenied, note)
    }

    /// An API server that passes on what it is sent and answers with the same.
    async fn recording() -> (Client, Receiver<(String, Value)>) {
        let (sender, receiver) = channel(16);
        let record = move |request: Request| {
            let sender = sender.clone();
            async move {
                let line = format!("{} {}", request.method(), request.uri().path());
                let event = body(request).await;
                sender.send((line, event.clone())).await.unwrap();
                json(200, &event)
            }
        };
        (api_server(Router::new().fallback(any(record))).await, receiver)
    }

    #[tokio::test]
    async fn an_event_arrives_on_the_pod() {
        let (client, mut arrived) = recording().await;
        let events = Events::start(Some(client), Arc::new(Metrics::new()));
        assert!(events.queue.as_ref().unwrap().take(Instant::now(), denied("u", "too small")));
        let (line, event) = in_time(arrived.recv()).await.unwrap();
        assert_eq!(line, "POST /apis/events.k8s.io/v1/namespaces/shop/events");
        assert_eq!(
            (&event["reason"], &event["type"], &event["note"]),
            (&"ResizeDenied".into(), &"Warning".into(), &"too small".into())
        );
        assert_eq!(
            (&event["action"], &event["reportingController"]),
            (&"Resize".into(), &"restraint.dev".into())
        );
        let pod = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "db-0", "uid": "u"});
        assert_eq!(event["regarding"], pod);
        assert!(
            !event["reportingInstance"].as_str().unwrap().is_empty()
                && event["eventTime"].is_string(),
            "{event}"
        );
    }

    #[tokio::test]
    async fn equal_events_are_a_series_and_another_request_is_another_event() {
        let (client, mut arrived) = recording().await;
        let mut writer = Writer::new(client, Duration::from_secs(60));
        let mut methods = Vec::new();
        let asked = [
            ("too small", "a"),
            ("too small", "a"),
            ("far too small", "a"),
            ("far too small", "b"),
        ];
        for (note, requested) in asked {
            let occurrence =
                Occurrence { requested: Some(requested.to_owned()), ..denied("u", note) };
            writer.publish(occurrence).await.unwrap();
            let (line, event) = in_time(arrived.recv()).await.unwrap();
            methods.push((
                line.split(' ').next().unwrap().to_owned(),
                event["series"]["count"].as_i64(),
            ));
            assert_eq!(event["note"], note);
            let carried = &event["metadata"]["annotations"][REQUESTED_ANNOTATION];
            assert_eq!(carried, requested, "{event}");
        }
        assert_eq!(
            methods,
            [
                ("POST".to_owned(), None),
                ("PATCH".to_owned(), Some(2)),
                ("POST".to_owned(), None),
                ("POST".to_owned(), None)
            ]
        );
    }

    #[tokio::test]
    async fn an_api_server_that_hangs_delays_nothing() {
        let client = api_server(Router::new().fallback(any(std::future::pending::<()>))).await;
        let metrics = Arc::new(Metrics::new());
        let events =
            Events::start_with(Some(client), Arc::clone(&metrics), Duration::from_millis(1));
        let queue = events.queue.as_ref().unwrap();
        let now = Instant::now();
        // nothing here can wait: the task that writes has not even run yet
        let taken = (0..1000)
            .filter(|each| queue.take(now, denied(&each.to_string(), "too small")))
            .count();
        assert_eq!(taken, 50);
        in_time(async {
            while !metrics.render().contains("restraint_events_failed_total 50\n") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    #[tokio::test]
    async fn what_finds_no_room_is_dropped() {
        let (sender, _receiver) = channel(2);
        let queue = Queue::new(sender);
        let taken: Vec<_> =
            ["a", "b", "c"].map(|uid| queue.take(Instant::now(), denied(uid, ""))).into();
        assert_eq!(taken, [true, true, false]);
    }
}
