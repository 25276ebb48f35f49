use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response};
use axum::routing::any;
use futures_util::future;
use jiff::SignedDuration;
use k8s_openapi::ByteString;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::certificate::self_made;
use crate::certificate::testing::{Client as Caller, in_time, meet};
use crate::serve::followed::Followed;
use crate::serve::metrics::Metrics;
use crate::serve::testing::{api_server, body, json as reply};
use crate::serve::tls::KeyMaterial;
use crate::service::health::{Health, Topic};

use super::source::SharedSource;
use super::*;

const SECRET: &str = "/api/v1/namespaces/ops/secrets/pair";
const VALIDATING: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/gate";
const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/gate";

/// One Secret and two webhook configurations, kept as the API server keeps them: a write that is
/// late is a conflict.
#[derive(Default)]
struct Store {
    objects: Mutex<BTreeMap<String, Value>>,
    version: AtomicUsize,
    /// The first reads of the Secret wait for each other here.
    together: Option<Barrier>,
    reads: AtomicUsize,
    /// Where writes of the Secret, or of the configurations, are forbidden.
    secret_forbidden: AtomicBool,
    configurations_forbidden: AtomicBool,
    writes: Mutex<Vec<String>>,
}

impl Store {
    /// With two configurations that have no bundle yet.
    fn new() -> Arc<Self> {
        Arc::new(Self::default().with_configurations())
    }

    fn with_configurations(self) -> Self {
        for path in [VALIDATING, MUTATING] {
            let webhook = |name: &str| json!({"name": name, "clientConfig": {"service": {"name": "gate", "namespace": "ops"}}});
            self.put(
                path,
                json!({"metadata": {"name": "gate"}, "webhooks": [webhook("a"), webhook("b")]}),
            );
        }
        self
    }

    fn put(&self, path: &str, mut object: Value) -> Value {
        object["metadata"]["resourceVersion"] =
            (self.version.fetch_add(1, Ordering::SeqCst) + 1).to_string().into();
        self.objects.lock().unwrap().insert(path.to_owned(), object.clone());
        object
    }

    fn at(&self, path: &str) -> Option<Value> {
        self.objects.lock().unwrap().get(path).cloned()
    }

    fn remove(&self, path: &str) {
        self.objects.lock().unwrap().remove(path).unwrap();
    }

    fn edit(&self, path: &str, edit: impl FnOnce(&mut Value)) {
        let mut object = self.at(path).unwrap();
        edit(&mut object);
        self.put(path, object);
    }

    /// The bundle that every webhook has.
    fn bundle(&self) -> Option<String> {
        let webhooks = [VALIDATING, MUTATING]
            .map(|path| self.at(path).unwrap()["webhooks"].as_array().unwrap().clone())
            .concat();
        let bundles: Vec<_> =
            webhooks.iter().map(|webhook| webhook["clientConfig"]["caBundle"].clone()).collect();
        assert!(bundles.iter().all(|bundle| *bundle == bundles[0]), "{bundles:?}");
        let ByteString(bytes) = serde_json::from_value(bundles[0].clone()).ok()?;
        Some(String::from_utf8(bytes).unwrap()).filter(|bundle| !bundle.is_empty())
    }

    fn data(&self) -> BTreeMap<String, ByteString> {
        serde_json::from_value(self.at(SECRET).unwrap()["data"].clone()).unwrap()
    }

    /// The writes since the last question.
    fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.writes.lock().unwrap())
    }

    async fn answer(&self, request: Request) -> Response<Body> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        if method != Method::GET {
            let short = path
                .rsplit('/')
                .find(|part| part.starts_with("secrets") || part.ends_with("configurations"))
                .unwrap();
            self.writes.lock().unwrap().push(format!("{method} {short}"));
        }
        match method {
            Method::GET if path == "/version" => reply(200, &json!({})),
            Method::GET if path.ends_with('s') => failure(500),
            Method::GET => {
                let answer = self.at(&path);
                if let Some(barrier) = self
                    .together
                    .as_ref()
                    .filter(|_| path == SECRET && self.reads.fetch_add(1, Ordering::SeqCst) < 2)
                {
                    barrier.wait().await;
                }
                answer.map_or_else(|| failure(404), |object| reply(200, &object))
            }
            Method::POST | Method::PUT if self.secret_forbidden.load(Ordering::SeqCst) => {
                failure(403)
            }
            Method::POST => {
                let object = body(request).await;
                assert_eq!(object["type"], "Opaque");
                if self.at(SECRET).is_some() {
                    failure(409)
                } else {
                    reply(201, &self.put(SECRET, object))
                }
            }
            Method::PUT => {
                let object = body(request).await;
                let current = self.at(&path);
                let Some(current) = current else { return failure(404) };
                let same =
                    current["metadata"]["resourceVersion"] == object["metadata"]["resourceVersion"];
                if same { reply(200, &self.put(&path, object)) } else { failure(409) }
            }
            Method::PATCH if self.configurations_forbidden.load(Ordering::SeqCst) => failure(403),
            Method::PATCH => {
                let patch: json_patch::Patch = serde_json::from_value(body(request).await).unwrap();
                let mut object = self.at(&path).unwrap();
                if json_patch::patch(&mut object, &patch).is_err() {
                    failure(422)
                } else {
                    reply(200, &self.put(&path, object))
                }
            }
            method => panic!("{method} {path}"),
        }
    }
}

fn failure(code: u16) -> Response<Body> {
    let (reason, message) = (if code == 404 { "NotFound" } else { "Other" }, code.to_string());
    reply(
        code,
        &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code}),
    )
}

async fn served(store: &Arc<Store>) -> Client {
    let store = Arc::clone(store);
    api_server(
        Router::new().fallback(any(move |request| async move { store.answer(request).await })),
    )
    .await
}

fn sharing() -> Sharing {
    Sharing {
        secret: "ops/pair".parse().unwrap(),
        names: vec!["gate.ops.svc".to_owned()],
        configurations: vec!["gate".to_owned()],
        lifetimes: Lifetimes {
            leaf: SignedDuration::from_hours(90 * 24),
            authority: SignedDuration::from_hours(1095 * 24),
        },
    }
}

fn pair(client: &Client) -> SharedPair {
    SharedPair::new(client.clone(), sharing(), Rotations::register(Metrics::new().registry()))
}

/// A look that finds nothing wrong.
async fn looks(pair: &mut SharedPair) {
    assert_eq!(in_time(pair.settle()).await.unwrap(), None);
}

/// Whether who trusts `bundle` may speak to this replica.
fn trusted(pair: &SharedPair, bundle: &str) -> bool {
    let key_material = KeyMaterial::load(pair.identity().unwrap(), None).unwrap();
    bundle.split_inclusive("-----END CERTIFICATE-----\n").any(|authority| {
        meet(key_material.config(), &Caller::of(authority), "gate.ops.svc").is_ok()
    })
}

#[tokio::test]
async fn whoever_comes_first_makes_it_and_the_next_serves_the_same() {
    let store = Store::new();
    let client = served(&store).await;
    let (mut one, mut two) = (pair(&client), pair(&client));
    looks(&mut one).await;
    assert_eq!(
        store.writes(),
        [
            "POST secrets",
            "PATCH validatingwebhookconfigurations",
            "PATCH mutatingwebhookconfigurations"
        ]
    );
    looks(&mut two).await;
    looks(&mut one).await;
    assert!(store.writes().is_empty());
    let bundle = store.bundle().unwrap();
    assert_eq!(bundle.into_bytes(), store.data()["ca.crt"].0);
    for pair in [&one, &two] {
        assert!(trusted(pair, &store.bundle().unwrap()));
    }
}

#[tokio::test]
async fn of_two_that_make_it_at_once_one_reads_again() {
    let store = Arc::new(
        Store { together: Some(Barrier::new(2)), ..Store::default() }.with_configurations(),
    );
    let client = served(&store).await;
    let (mut one, mut two) = (pair(&client), pair(&client));
    let (first, second) = in_time(future::join(one.settle(), two.settle())).await;
    assert_eq!((first.unwrap(), second.unwrap()), (None, None));
    assert_eq!(store.writes().iter().filter(|write| *write == "POST secrets").count(), 2);
    let bundle = store.bundle().unwrap();
    assert_eq!(bundle.matches("BEGIN").count(), 1);
    assert!(trusted(&one, &bundle) && trusted(&two, &bundle));
}

#[tokio::test]
async fn an_older_secret_never_overwrites_a_newer_bundle() {
    let store = Store::new();
    let client = served(&store).await;
    let mut one = pair(&client);
    looks(&mut one).await;
    let (found, _) = one.configurations.read().await.unwrap();
    for path in [VALIDATING, MUTATING] {
        store.edit(path, |object| {
            for webhook in object["webhooks"].as_array_mut().unwrap() {
                webhook["clientConfig"]["caBundle"] = json!(ByteString(b"newer".to_vec()));
            }
        });
    }
    assert!(matches!(
        one.configurations.publish(&found, "older", &one.rotations).await,
        Err(PairError::Conflict)
    ));
    assert_eq!(store.bundle().unwrap(), "newer");
}

#[tokio::test]
async fn a_deleted_secret_is_put_back_as_it_was() {
    let store = Store::new();
    let client = served(&store).await;
    let mut one = pair(&client);
    looks(&mut one).await;
    let before = store.data();
    store.remove(SECRET);
    store.writes();
    looks(&mut one).await;
    assert_eq!((store.data(), store.writes()), (before, vec!["POST secrets".to_owned()]));
}

#[tokio::test]
async fn a_bundle_that_somebody_took_away_is_written_again() {
    let store = Store::new();
    let client = served(&store).await;
    let mut one = pair(&client);
    looks(&mut one).await;
    let bundle = store.bundle();
    store.edit(VALIDATING, |object| {
        drop(object["webhooks"][1]["clientConfig"].as_object_mut().unwrap().remove("caBundle"))
    });
    store.edit(MUTATING, |object| object["webhooks"][0]["clientConfig"]["caBundle"] = "".into());
    looks(&mut one).await;
    assert_eq!(store.bundle(), bundle);
}

#[tokio::test]
async fn a_key_that_somebody_took_away_begins_a_rotation_that_waits_for_notice() {
    let store = Store::new();
    let client = served(&store).await;
    let (mut one, mut two) = (pair(&client), pair(&client));
    looks(&mut one).await;
    let before = store.bundle().unwrap();
    store.edit(SECRET, |object| drop(object["data"].as_object_mut().unwrap().remove("ca.key")));
    looks(&mut two).await;
    let both = store.bundle().unwrap();
    assert_eq!((both.matches("BEGIN").count(), both.ends_with(&before)), (2, true));
    for _ in 0..3 {
        looks(&mut one).await;
        assert!(trusted(&one, &before) && trusted(&two, &before));
    }
    let longer = two.published.take().map(|(bundle, since)| {
        (bundle, since.checked_sub(two.sharing.lifetimes.notice()).unwrap())
    });
    two.published = longer;
    looks(&mut two).await;
    assert!(trusted(&two, &both) && !trusted(&two, &before));
    looks(&mut one).await;
    assert!(trusted(&one, &both) && !trusted(&one, &before), "and the other follows");
    assert_eq!(store.bundle().unwrap(), both);
}

#[tokio::test]
async fn what_is_forbidden_is_told_and_what_serves_goes_on() {
    let store = Store::new();
    let client = served(&store).await;
    let mut one = pair(&client);
    store.secret_forbidden.store(true, Ordering::SeqCst);
    assert!(in_time(one.settle()).await.is_err());
    assert!(one.identity().is_none() && store.bundle().is_none());
    store.secret_forbidden.store(false, Ordering::SeqCst);
    store.configurations_forbidden.store(true, Ordering::SeqCst);
    let unpublished = in_time(one.settle()).await.unwrap().unwrap();
    assert!(unpublished.contains("\"gate\" cannot be patched"), "{unpublished}");
    let leaf = one.identity().unwrap().leaf().fingerprint.clone();
    store.secret_forbidden.store(true, Ordering::SeqCst);
    store.remove(SECRET);
    assert!(in_time(one.settle()).await.is_err());
    assert_eq!(one.identity().unwrap().leaf().fingerprint, leaf);
    store.secret_forbidden.store(false, Ordering::SeqCst);
    store.configurations_forbidden.store(false, Ordering::SeqCst);
    looks(&mut one).await;
    assert!(trusted(&one, &store.bundle().unwrap()));
    for path in [VALIDATING, MUTATING] {
        store.remove(path);
    }
    let missing = in_time(one.settle()).await.unwrap().unwrap();
    assert!(missing.contains("no webhook configuration is called \"gate\""), "{missing}");
}

#[tokio::test]
async fn readiness_waits_for_the_pair_and_connections_see_it() {
    let store = Store::new();
    store.secret_forbidden.store(true, Ordering::SeqCst);
    let client = served(&store).await;
    let health = Arc::new(Health::default());
    health.wait_for(Topic::Certificate);
    let (made, _) = self_made::make(&[]).unwrap();
    let key_material = Arc::new(Followed::new(KeyMaterial::load(made, None).unwrap()));
    let mut metrics = Metrics::new();
    let rotations = Rotations::register(metrics.registry());
    let mut sharing = sharing();
    sharing.lifetimes.leaf = SignedDuration::from_secs(15); // looks often
    let (health_too, metrics) = (Arc::clone(&health), Arc::new(metrics));
    let source = SharedSource::new(client, sharing, None, rotations, health_too, metrics);
    let task = tokio::spawn(Arc::clone(&key_material).follow(source, Arc::clone(&health)));
    let told = async |expected: &str| {
        in_time(async {
            while !health.report().1.contains(expected) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    told("403").await;
    assert_eq!(health.report().0, 503);
    assert!(health.report().1.starts_with("waiting for the shared certificate\n"));
    store.secret_forbidden.store(false, Ordering::SeqCst);
    told("ca bundle: published\n").await;
    assert_eq!(health.report().0, 200);
    meet(key_material.load().config(), &Caller::of(&store.bundle().unwrap()), "gate.ops.svc")
        .unwrap();
    task.abort();
}
