//! The ConfigMap that the policies folder shows, read and watched at an API server: a change is in
//! force before the folder shows it.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, Uri};
use axum::routing::any;
use futures_util::stream::unfold;
use hyper::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::api_server::api_server;
use crate::following::{VolumeFolder, policy};
use crate::server::{PATIENCE, Server, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_in_force_before_the_folder_shows_it() {
    let place = Place::new("enforce", Some("enforce")).await;
    let first = place.server.digest().await;
    let mut digests = vec![first.clone()];
    // polls would take a minute each
    let changes = async {
        for mode in ["warn", "audit", "off"] {
            place.store(Some(mode));
            digests.push(place.changed(digests.last().unwrap()).await);
            // the kubelet shows one that is older by now
            place.folder.swap(&[policy("memory-limit-decrease", "warn")]);
        }
        place.store(Some("enforce"));
        digests.push(place.changed(digests.last().unwrap()).await);
    };
    timeout(PATIENCE, changes).await.unwrap();
    assert_eq!(digests.last().unwrap(), &first);
    let swapped = (1..digests.len()).map(|_| place.server.line("policies swapped"));
    let swapped: Vec<_> = swapped.map(|line| line["digest"].as_str().unwrap().to_owned()).collect();
    assert_eq!(swapped, digests[1..], "each once, and nothing in between");
    let metrics = place.server.metrics().await;
    assert_eq!(
        metrics.sum("restraint_policy_reloads_total", &[("result", "accepted")]),
        swapped.len() as f64
    );
    let readiness = place.server.admin("/readyz").await.1;
    assert!(readiness.contains("\nconfig map: restraint/policies\n"), "{readiness}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_read_it_the_folder_is_followed() {
    let place = Place::new("enforce", None).await;
    let first = place.server.digest().await;
    let told = async || {
        let readiness = place.server.admin("/readyz").await.1;
        readiness.contains("\nconfig map: cannot be read or written now:\n  ").then_some(readiness)
    };
    let readiness = eventually("what is missing", told).await;
    assert!(readiness.contains("not for you"), "{readiness}");
    let line = place.server.line("the config map of policies cannot be read");
    assert_eq!(
        (&line["level"], &line["config_map"]),
        (&"WARN".into(), &"restraint/policies".into())
    );
    place.folder.swap(&[policy("memory-limit-decrease", "warn")]);
    place.changed(&first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_config_map_is_enough_to_be_ready() {
    let place = Place::new("loud", Some("loud")).await;
    let readiness = place.server.admin("/readyz").await.1;
    assert!(readiness.starts_with("waiting for sound policies\n"), "{readiness}");
    place.store(Some("warn"));
    let ready = async || {
        let (status, readiness) = place.server.admin("/readyz").await;
        (status == StatusCode::OK).then_some(readiness)
    };
    let readiness = timeout(PATIENCE, eventually("readiness", ready)).await.unwrap();
    let digest = place.server.digest().await;
    let in_force = format!("\npolicies: 1 in force, cap enforce, digest {digest}\n");
    assert!(readiness.contains(&in_force), "{readiness}");
}

/// A server, and an API server with the ConfigMap that its folder shows.
struct Place {
    server: Server,
    folder: VolumeFolder,
    map: watch::Sender<Option<Value>>,
    _kept: TempDir,
}

impl Place {
    /// With these modes of the only policy. A ConfigMap without one may not be read.
    async fn new(in_folder: &str, in_map: Option<&str>) -> Self {
        let (map, _) = watch::channel(in_map.map(object));
        let answering = map.clone();
        let routes =
            Router::new().fallback(any(move |uri: Uri| async move { answer(&uri, &answering) }));
        let (kept, path) = api_server(routes).await;
        let folder = VolumeFolder::new(&[policy("memory-limit-decrease", in_folder)]);
        // as in a pod, where it may wait for sound policies
        let server = Server::start_in_pod(&[
            "--policies",
            folder.path(),
            "--policies-config-map",
            "restraint/policies",
            "--kubeconfig",
            path.to_str().unwrap(),
        ]);
        Self { server, folder, map, _kept: kept }
    }

    /// Changes the ConfigMap.
    fn store(&self, mode: Option<&str>) {
        self.map.send_replace(mode.map(object));
    }

    /// Another digest than `old`.
    async fn changed(&self, old: &str) -> String {
        eventually("another digest", async || {
            Some(self.server.digest().await).filter(|digest| digest != old)
        })
        .await
    }
}

/// The ConfigMap with the only policy in this mode.
fn object(mode: &str) -> Value {
    let (name, text) = policy("memory-limit-decrease", mode);
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "policies", "resourceVersion": "7"}, "data": {name: text}})
}

/// Of all there is only the ConfigMap may be read, if that.
fn answer(uri: &Uri, map: &watch::Sender<Option<Value>>) -> Response<Body> {
    let object = map.borrow().clone();
    let query = uri.query().unwrap_or_default();
    match (uri.path(), object) {
        ("/api/v1/namespaces/restraint/configmaps/policies", Some(object)) => reply(200, &object),
        ("/api/v1/namespaces/restraint/configmaps", Some(object)) => {
            assert!(query.contains("fieldSelector=metadata.name%3Dpolicies"), "{query}");
            if query.contains("watch=true") {
                return Response::new(Body::from_stream(events(map)));
            }
            let list = json!({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": [object]});
            reply(200, &list)
        }
        _ => {
            let message = "not for you";
            reply(
                403,
                &json!({"kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden", "message": message}),
            )
        }
    }
}

/// An event for what is there at first, and for each change.
fn events(
    map: &watch::Sender<Option<Value>>,
) -> impl futures_util::Stream<Item = Result<String, Infallible>> + Send + 'static {
    let mut changes = map.subscribe();
    changes.mark_changed();
    unfold(changes, |mut changes| async move {
        changes.changed().await.ok()?;
        let object = changes.borrow_and_update().clone()?;
        let event = json!({"type": "MODIFIED", "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": object["metadata"]}});
        Some((Ok(format!("{event}\n")), changes))
    })
}

fn reply(status: u16, body: &Value) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}
