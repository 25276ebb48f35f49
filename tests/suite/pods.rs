//! An API server that knows pods, their owners and merge patches, and plays the service's part on
//! grants.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode};
use axum::{Router, extract::State};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use restraint::approval::{
    Agreement, GRANT_ANNOTATION, Grant, STAMP_ANNOTATION, Stamp, StampTarget,
};

/// When every stamp is granted.
pub(crate) const GRANTED: &str = "2026-11-21T13:04:56Z";

/// What happens to grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Webhook {
    /// They are turned into stamps.
    Stamps,
    /// They are denied.
    Denies,
    /// They are denied on this pod, and turned into stamps on others.
    DeniesOn(&'static str),
    /// Nobody looks.
    Sleeps,
}

/// How many objects are in a page, whatever was asked for.
const PAGE: usize = 2;

/// What was asked: method, path with query, body.
pub(crate) type Asked = (String, String, Value);

/// The API server, stopped when dropped.
pub(crate) struct Pods {
    runtime: Option<Runtime>,
    world: Arc<Mutex<World>>,
    address: SocketAddr,
}

struct World {
    webhook: Webhook,
    objects: BTreeMap<String, Value>,
    asked: Vec<Asked>,
    forgets: usize,
    /// What nobody may read: the beginning of a path.
    forbidden: Option<&'static str>,
}

impl Pods {
    /// Starts with these objects, by path.
    pub(crate) fn start(
        webhook: Webhook,
        objects: impl IntoIterator<Item = (String, Value)>,
    ) -> Self {
        let world = World {
            webhook,
            objects: objects.into_iter().collect(),
            asked: Vec::new(),
            forgets: 0,
            forbidden: None,
        };
        let world = Arc::new(Mutex::new(world));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(world.clone());
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { runtime: Some(runtime), world, address }
    }

    /// Forgets so many times where a list goes on.
    pub(crate) fn forget(&self, times: usize) {
        self.world.lock().unwrap().forgets = times;
    }

    /// Forbids to read what is below this path.
    pub(crate) fn forbid(&self, path: &'static str) {
        self.world.lock().unwrap().forbidden = Some(path);
    }

    /// What was asked for so far: path with query.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.world.lock().unwrap().asked.iter().map(|asked| asked.1.clone()).collect()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A kubeconfig for it: the context `here` means the namespace `shop`.
    pub(crate) fn kubeconfig(&self) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": format!("http://{}", self.address)}}],
            "users": [{"name": "alice", "user": {}}],
            "contexts": [
                {"name": "here", "context": {"cluster": "here", "user": "alice", "namespace": "shop"}},
                {"name": "there", "context": {"cluster": "here", "user": "alice", "namespace": "dev"}},
            ],
        })
        .to_string()
    }

    /// An annotation of the pod in the namespace `shop`, as it is stored.
    pub(crate) fn annotation(&self, pod: &str, key: &str) -> Option<String> {
        let world = self.world.lock().unwrap();
        world.objects[&path("shop", pod)]["metadata"]["annotations"][key]
            .as_str()
            .map(str::to_owned)
    }

    /// The patches so far: path with query, and body.
    pub(crate) fn patches(&self) -> Vec<(String, Value)> {
        let world = self.world.lock().unwrap();
        world
            .asked
            .iter()
            .filter(|asked| asked.0 == "PATCH")
            .map(|asked| (asked.1.clone(), asked.2.clone()))
            .collect()
    }

    /// How often lists were asked for.
    pub(crate) fn lists(&self) -> usize {
        self.world
            .lock()
            .unwrap()
            .asked
            .iter()
            .filter(|asked| asked.1.contains("limit=500"))
            .count()
    }
}

impl Drop for Pods {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

/// A running pod of the namespace `shop` with container "app", limited to 512Mi, and sidecar
/// "side".
pub(crate) fn pod(name: &str, annotations: Value) -> (String, Value) {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "generation": 3, "annotations": annotations},
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "app", "resources": {"limits": {"memory": "512Mi"}}}],
            "initContainers": [{"name": "side", "restartPolicy": "Always", "resources": {"limits": {"memory": "64Mi"}}}],
        },
        "status": {"phase": "Running"},
    });
    (path("shop", name), pod)
}

/// The path of a pod.
pub(crate) fn path(namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods/{name}")
}

/// The stamp that alice's grant gets.
pub(crate) fn stamp(grant: &str, pod: &Value, granted: &str) -> String {
    let Grant { floors: memory, lifetime, force, reason } = Grant::parse(grant).unwrap();
    let text = |field: &str| pod["metadata"][field].as_str().unwrap().to_owned();
    let agreement = Agreement {
        approver: "alice@example.com".to_owned(),
        memory,
        granted: granted.parse().unwrap(),
        lifetime: lifetime.unwrap_or_else(|| "1h".parse().unwrap()),
        uid: text("uid"),
        generation: pod["metadata"]["generation"].as_i64().unwrap(),
        unscheduled: pod["spec"]["nodeName"].is_null(),
        force,
        reason,
    };
    let place = StampTarget { namespace: &text("namespace"), name: &text("name"), dry_run: false };
    Stamp::of(agreement).sealed(place, "k1", |_| "c2VhbA".to_owned()).text()
}

async fn answer(State(world): State<Arc<Mutex<World>>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut world = world.lock().unwrap();
    world.asked.push((parts.method.to_string(), parts.uri.to_string(), body.clone()));
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or(""));
    let answer = match parts.method {
        Method::PATCH if parts.headers["content-type"] == "application/merge-patch+json" => {
            world.patch(path, query, &body)
        }
        Method::GET if world.forbidden.is_some_and(|forbidden| path.starts_with(forbidden)) => {
            Err((StatusCode::FORBIDDEN, format!("alice may not read {path}")))
        }
        Method::GET if world.objects.contains_key(path) => Ok(world.objects[path].clone()),
        Method::GET if query.contains("continue=") && world.forgets > 0 => {
            world.forgets -= 1;
            Err((StatusCode::GONE, "too old".to_owned()))
        }
        Method::GET if query.contains("limit=") => Ok(world.list(path, query)),
        _ => Err((StatusCode::NOT_FOUND, format!("{path} not found"))),
    };
    let (code, answer) = answer.map_or_else(
        |(code, message)| (code, status(code, &message)),
        |object| (StatusCode::OK, object),
    );
    Response::builder()
        .status(code)
        .header("content-type", "application/json")
        .body(Body::from(answer.to_string()))
        .unwrap()
}

fn status(code: StatusCode, message: &str) -> Value {
    let reason = match code {
        StatusCode::FORBIDDEN => "Forbidden",
        StatusCode::GONE => "Expired",
        _ => "NotFound",
    };
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": code.as_u16()})
}

impl World {
    fn patch(
        &mut self,
        path: &str,
        query: &str,
        patch: &Value,
    ) -> Result<Value, (StatusCode, String)> {
        let old = self
            .objects
            .get(path)
            .cloned()
            .ok_or_else(|| (StatusCode::NOT_FOUND, "no such pod".to_owned()))?;
        let mut new = old.clone();
        json_patch::merge(&mut new, patch);
        let grant = &new["metadata"]["annotations"][GRANT_ANNOTATION];
        // unchanged words are no change, so that nobody is asked
        if grant.is_string() && *grant != old["metadata"]["annotations"][GRANT_ANNOTATION] {
            let denies = match self.webhook {
                Webhook::Denies => true,
                Webhook::DeniesOn(name) => path.ends_with(name),
                _ => false,
            };
            if denies {
                let message = "admission webhook \"approvals.restraint.dev\" denied the request: \"bob\" may not approve";
                return Err((StatusCode::FORBIDDEN, message.to_owned()));
            }
            if self.webhook != Webhook::Sleeps {
                let stamp = stamp(grant.as_str().unwrap(), &new, GRANTED);
                let annotations = new["metadata"]["annotations"].as_object_mut().unwrap();
                annotations.remove(GRANT_ANNOTATION);
                annotations.insert(STAMP_ANNOTATION.to_owned(), Value::String(stamp));
            }
        }
        if !query.contains("dryRun=All") {
            self.objects.insert(path.to_owned(), new.clone());
        }
        Ok(new)
    }

    fn list(&self, path: &str, query: &str) -> Value {
        let resource = path.rsplit('/').next().unwrap();
        let within = |key: &str| {
            key.rsplit('/').nth(1) == Some(resource)
                && (!path.contains("/namespaces/") || key.starts_with(&format!("{path}/")))
        };
        let found: Vec<&Value> =
            self.objects.iter().filter(|(key, _)| within(key)).map(|(_, object)| object).collect();
        let start = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("continue="))
            .map_or(0, |token| token.parse().unwrap());
        let end = found.len().min(start + PAGE);
        let token = if end < found.len() { end.to_string() } else { String::new() };
        json!({"kind": "List", "apiVersion": "v1", "metadata": {"continue": token}, "items": found[start..end]})
    }
}
