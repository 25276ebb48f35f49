use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response, StatusCode};
use axum::routing::any;
use bytes::Bytes;
use futures_util::stream::unfold;
use jiff::SignedDuration;
use k8s_openapi::ByteString;
use serde_json::{Value, json};
use tokio::sync::{Barrier, mpsc};

use crate::certificate::testing::in_time;
use crate::serve::followed::Followed;
use crate::serve::testing::{api_server, body, json as reply};
use crate::service::health::Health;

use super::*;

/// One Secret, kept as the API server keeps it: a write that is late is a conflict.
#[derive(Default)]
struct Store {
    secret: Mutex<Option<Value>>,
    version: AtomicUsize,
    writes: AtomicUsize,
    /// The first reads wait for each other here.
    together: Option<Barrier>,
    reads: AtomicUsize,
    /// Where PUT is forbidden.
    read_only: bool,
    /// What a watch shows, for the first one that asks.
    events: Mutex<Option<mpsc::Receiver<String>>>,
}

impl Store {
    fn put(&self, mut secret: Value) -> Value {
        let version = self.version.fetch_add(1, Ordering::SeqCst) + 1;
        secret["metadata"]["resourceVersion"] = version.to_string().into();
        *self.secret.lock().unwrap() = Some(secret.clone());
        secret
    }

    /// Puts in a Secret with these entries, each of so many bytes.
    fn hold(&self, entries: &[(&str, usize)]) {
        let data = entries
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), json!(ByteString(vec![7; *bytes]))));
        self.put(json!({"metadata": {"name": "keys", "namespace": "restraint"}, "data": data.collect::<serde_json::Map<_, _>>()}));
    }

    fn names(&self) -> Vec<String> {
        let secret = self.secret.lock().unwrap();
        let data = secret.as_ref().and_then(|secret| secret["data"].as_object());
        data.map(|data| data.keys().cloned().collect()).unwrap_or_default()
    }

    async fn answer(&self, request: Request) -> Response<Body> {
        let (method, path, query) = (
            request.method().clone(),
            request.uri().path().to_owned(),
            request.uri().query().unwrap_or_default().to_owned(),
        );
        let one = path == "/api/v1/namespaces/restraint/secrets/keys";
        assert!(one || path == "/api/v1/namespaces/restraint/secrets", "{path}");
        match (method, one) {
            (Method::GET, true) => {
                let answer = self.secret.lock().unwrap().clone();
                if let Some(barrier) =
                    self.together.as_ref().filter(|_| self.reads.fetch_add(1, Ordering::SeqCst) < 2)
                {
                    barrier.wait().await;
                }
                answer.map_or_else(|| failure(404, "NotFound"), |secret| reply(200, &secret))
            }
            (Method::POST, false) => {
                let secret = body(request).await;
                self.writes.fetch_add(1, Ordering::SeqCst);
                if self.secret.lock().unwrap().is_some() {
                    failure(409, "AlreadyExists")
                } else {
                    reply(201, &self.put(secret))
                }
            }
            (Method::PUT, true) if self.read_only => failure(403, "Forbidden"),
            (Method::PUT, true) => {
                let secret = body(request).await;
                self.writes.fetch_add(1, Ordering::SeqCst);
                let current = self
                    .secret
                    .lock()
                    .unwrap()
                    .as_ref()
                    .map(|secret| secret["metadata"]["resourceVersion"].clone());
                if current.as_ref() == Some(&secret["metadata"]["resourceVersion"]) {
                    reply(200, &self.put(secret))
                } else {
                    failure(409, "Conflict")
                }
            }
            (Method::GET, false) if query.contains("watch=true") => self.watch(),
            (Method::GET, false) => {
                assert!(query.contains("fieldSelector=metadata.name%3Dkeys"), "{query}");
                reply(
                    200,
                    &json!({"kind": "SecretList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}),
                )
            }
            (method, _) => panic!("{method} {path}"),
        }
    }

    fn watch(&self) -> Response<Body> {
        let Some(events) = self.events.lock().unwrap().take() else {
            return failure(500, "InternalError");
        };
        let lines = unfold(events, |mut events| async move {
            let line = events.recv().await?;
            Some((Ok::<_, std::convert::Infallible>(Bytes::from(line + "\n")), events))
        });
        Response::new(Body::from_stream(lines))
    }
}

fn failure(code: u16, reason: &str) -> Response<Body> {
    reply(
        code,
        &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": reason, "code": code}),
    )
}

async fn served(store: &Arc<Store>) -> Client {
    let store = Arc::clone(store);
    api_server(
        Router::new().fallback(any(move |request| async move { store.answer(request).await })),
    )
    .await
}

fn name() -> NamespacedName {
    "restraint/keys".parse().unwrap()
}

fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn key_names(secret: &SharedSecret) -> Vec<String> {
    secret.entries.keys(noon()).names().map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn whoever_comes_first_makes_it_and_the_next_reads_it() {
    let store = Arc::new(Store::default());
    let client = served(&store).await;
    let (mut one, mut two) =
        (SharedSecret::new(client.clone(), name()), SharedSecret::new(client, name()));
    one.settle(noon()).await.unwrap();
    two.settle(noon() + SignedDuration::from_mins(1)).await.unwrap();
    assert_eq!((store.names(), key_names(&one).len()), (vec!["20261121T120000Z".to_owned()], 1));
    assert_eq!((key_names(&two), store.writes.load(Ordering::SeqCst)), (key_names(&one), 1));
    assert_eq!(store.secret.lock().unwrap().as_ref().unwrap()["type"], "Opaque");
}

#[tokio::test]
async fn of_two_that_make_it_at_once_one_reads_again() {
    let store = Arc::new(Store { together: Some(Barrier::new(2)), ..Store::default() });
    let client = served(&store).await;
    let (mut one, mut two) =
        (SharedSecret::new(client.clone(), name()), SharedSecret::new(client, name()));
    let (first, second) =
        in_time(async { tokio::join!(one.settle(noon()), two.settle(noon())) }).await;
    first.and(second).unwrap();
    assert_eq!(store.writes.load(Ordering::SeqCst), 2, "one of them in vain");
    assert_eq!((key_names(&one), store.names().len()), (key_names(&two), 1));
}

#[tokio::test]
async fn of_two_that_rotate_at_once_one_reads_again() {
    let store = Arc::new(Store { together: Some(Barrier::new(2)), ..Store::default() });
    store.hold(&[("20260901T120000Z", 32), ("20261001T120000Z", 33)]);
    let client = served(&store).await;
    let (mut one, mut two) =
        (SharedSecret::new(client.clone(), name()), SharedSecret::new(client, name()));
    let (first, second) =
        in_time(async { tokio::join!(one.settle(noon()), two.settle(noon())) }).await;
    first.and(second).unwrap();
    assert_eq!(store.writes.load(Ordering::SeqCst), 2, "one of them in vain");
    assert_eq!(store.names(), ["20261001T120000Z", "20261121T120000Z"]);
    assert_eq!((key_names(&one), key_names(&one).len()), (key_names(&two), 2));
}

#[tokio::test]
async fn bad_entries_stay_and_a_secret_without_a_key_gets_one() {
    let store = Arc::new(Store::default());
    store.hold(&[("note", 40), ("20261121T120000Z", 31)]);
    let mut secret = SharedSecret::new(served(&store).await, name());
    secret.settle(noon()).await.unwrap();
    assert_eq!(store.names(), ["20261121T120000Z", "20261121T120000Z-2", "note"]);
    assert_eq!(key_names(&secret).len(), 1);
}

#[tokio::test]
async fn keys_that_cannot_be_rotated_stay_in_force() {
    let store = Arc::new(Store { read_only: true, ..Store::default() });
    store.hold(&[("20260901T120000Z", 32)]);
    let mut secret = SharedSecret::new(served(&store).await, name());
    assert!(secret.settle(noon()).await.unwrap_err().to_string().contains("Forbidden"));
    assert_eq!(key_names(&secret).len(), 1);
}

#[tokio::test]
async fn a_secret_that_is_deleted_comes_back_with_its_keys() {
    let (events, watched) = mpsc::channel(1);
    let store = Arc::new(Store { events: Mutex::new(Some(watched)), ..Store::default() });
    let (keys, health) =
        (Arc::new(Followed::new(SealKeys::default())), Arc::new(Health::default()));
    health.wait_for(Topic::SealKeys);
    assert_eq!(health.report().0, StatusCode::SERVICE_UNAVAILABLE);
    let mut secret = SharedSecret::new(served(&store).await, name());
    // no poll comes to its help: only the watch tells of the deletion
    secret.poll = Duration::from_secs(3600);
    let following = tokio::spawn(Arc::clone(&keys).follow(secret, Arc::clone(&health)));
    until(|| keys.load().sealing().is_some() && health.report().0 == StatusCode::OK).await;
    let (before, made) =
        (store.names(), keys.load().names().map(ToOwned::to_owned).collect::<Vec<_>>());
    let deleted = store.secret.lock().unwrap().take().unwrap();
    let event = json!({"type": "DELETED", "object": {"apiVersion": "v1", "kind": "Secret", "metadata": deleted["metadata"]}});
    events.send(event.to_string()).await.unwrap();
    until(|| store.secret.lock().unwrap().is_some()).await;
    assert_eq!(
        (store.names(), keys.load().names().map(ToOwned::to_owned).collect::<Vec<_>>()),
        (before, made)
    );
    following.abort();
}

#[tokio::test]
async fn a_poll_finds_what_the_watch_missed_and_nothing_is_sealed_before() {
    let store = Arc::new(Store { read_only: true, ..Store::default() });
    store.hold(&[("note", 40)]);
    let (keys, health) =
        (Arc::new(Followed::new(SealKeys::default())), Arc::new(Health::default()));
    health.wait_for(Topic::SealKeys);
    let mut secret = SharedSecret::new(served(&store).await, name());
    secret.poll = Duration::from_millis(5);
    let following = tokio::spawn(Arc::clone(&keys).follow(secret, Arc::clone(&health)));
    until(|| health.report().1.contains("Forbidden")).await;
    assert!(
        health.report().1.starts_with("waiting for seal keys\n") && keys.load().sealing().is_none()
    );
    store.hold(&[("20261121T120000Z", 32)]);
    until(|| keys.load().sealing().is_some() && health.report().0 == StatusCode::OK).await;
    following.abort();
}

async fn until(mut true_at_last: impl FnMut() -> bool) {
    in_time(async {
        while !true_at_last() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
