//! An API server with pods on nodes, resizes, Leases and watches, whose kubelet carries out at once
//! what is asked for.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use assert_cmd::Command;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, Response, StatusCode};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::api_server::api_server;
use crate::server::PATIENCE;

const PODS: &str = "/api/v1/namespaces/shop/pods";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/shop/leases";

type Kubelet = dyn Fn(&mut Value) + Send + Sync;

/// What is stored, what goes wrong, and what was asked.
pub(crate) struct World {
    objects: BTreeMap<String, Value>,
    kubelet: Box<Kubelet>,
    /// What resizes are answered, in order: a code instead of the pod.
    refusals: VecDeque<Option<u16>>,
    /// What somebody else makes of a pod right before it is read in this generation.
    meddler: Option<(i64, &'static str)>,
    changed: watch::Sender<u64>,
    asked: Vec<String>,
}

/// A pod "NAME" of a DaemonSet "agent" that has 64Mi, on this node, and runs well.
pub(crate) fn pod(name: &str, node: &str) -> Value {
    let owner = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "uid-agent", "controller": true});
    let resources = json!({"requests": {"memory": "32Mi"}, "limits": {"memory": "64Mi"}});
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "shop", "name": name, "uid": format!("uid-{name}"), "generation": 1, "resourceVersion": "1", "labels": {"app": "agent"}, "ownerReferences": [owner]},
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": "a:1", "resources": resources}]},
    });
    carry_out(&mut pod);
    pod
}

/// Says that the pod runs well with what its spec says.
pub(crate) fn carry_out(pod: &mut Value) {
    let generation = pod["metadata"]["generation"].clone();
    let resources = pod["spec"]["containers"][0]["resources"].clone();
    let ready = |kind: &str| json!({"type": kind, "status": "True", "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(ready);
    pod["status"] = json!({
        "phase": "Running", "qosClass": "Burstable", "observedGeneration": generation,
        "conditions": conditions,
        "containerStatuses": [{"name": "app", "image": "a:1", "imageID": "", "ready": true, "started": true, "restartCount": 0,
            "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, "lastState": {},
            "resources": resources, "allocatedResources": resources["requests"]}],
    });
}

/// Says that the kubelet will not do it, where the limit is above 64Mi, and else that it did.
pub(crate) fn will_not_grow(pod: &mut Value) {
    if pod["spec"]["containers"][0]["resources"]["limits"]["memory"] == "64Mi" {
        carry_out(pod);
        return;
    }
    let generation = pod["metadata"]["generation"].clone();
    pod["status"]["observedGeneration"] = generation.clone();
    let pending = json!({"type": "PodResizePending", "status": "True", "reason": "Infeasible", "message": "no", "observedGeneration": generation});
    pod["status"]["conditions"].as_array_mut().unwrap().push(pending);
}

impl World {
    /// With a DaemonSet "agent" of these pods, and their nodes.
    pub(crate) fn new(pods: impl IntoIterator<Item = Value>) -> Self {
        let mut objects = BTreeMap::new();
        let labels = json!({"app": "agent"});
        let set = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"namespace": "shop", "name": "agent", "uid": "uid-agent"},
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}});
        objects.insert("/apis/apps/v1/namespaces/shop/daemonsets/agent".to_owned(), set);
        for pod in pods {
            let node = pod["spec"]["nodeName"].as_str().unwrap();
            let object = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}});
            objects.insert(format!("/api/v1/nodes/{node}"), object);
            let name = pod["metadata"]["name"].as_str().unwrap();
            objects.insert(format!("{PODS}/{name}"), pod);
        }
        Self {
            objects,
            kubelet: Box::new(carry_out),
            refusals: VecDeque::new(),
            meddler: None,
            changed: watch::channel(1).0,
            asked: Vec::new(),
        }
    }

    pub(crate) fn kubelet(mut self, kubelet: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.kubelet = Box::new(kubelet);
        self
    }

    pub(crate) fn refusals(mut self, codes: impl IntoIterator<Item = Option<u16>>) -> Self {
        self.refusals.extend(codes);
        self
    }

    /// Somebody else sets this limit right before a pod is read in this generation.
    pub(crate) fn meddler(mut self, generation: i64, memory: &'static str) -> Self {
        self.meddler = Some((generation, memory));
        self
    }

    /// What a command prints, its exit code, and what it asked: method, and path with query.
    pub(crate) async fn run(self, words: &[&str]) -> (i32, Value, Vec<String>) {
        let world = Arc::new(Mutex::new(self));
        let routes = {
            let world = Arc::clone(&world);
            Router::new()
                .fallback(move |request: Request<Body>| answer(Arc::clone(&world), request))
        };
        let (_folder, kubeconfig) = api_server(routes).await;
        let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
        command.args(words).args(["-n", "shop", "-o", "json", "--kubeconfig"]).arg(kubeconfig);
        command.env("NO_PROXY", "*").timeout(PATIENCE);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let asked = world.lock().unwrap().asked.clone();
        (output.status.code().unwrap(), report, asked)
    }

    fn version(&self) -> u64 {
        *self.changed.borrow()
    }

    /// Keeps what became of a pod.
    fn keep(&mut self, path: &str, mut pod: Value) {
        let version = self.version() + 1;
        pod["metadata"]["resourceVersion"] = version.to_string().into();
        self.objects.insert(path.to_owned(), pod);
        self.changed.send_replace(version);
    }

    fn resize(&mut self, path: &str, patch: &[u8], is_dry: bool) -> (u16, Value) {
        if let Some(Some(code)) = if is_dry { None } else { self.refusals.pop_front() } {
            return (code, json!({"kind": "Status", "code": code, "message": "not now"}));
        }
        let mut pod = self.objects[path].clone();
        let patch: json_patch::Patch = serde_json::from_slice(patch).unwrap();
        if json_patch::patch(&mut pod, &patch).is_err() {
            return (422, json!({"kind": "Status", "code": 422, "message": "a test failed"}));
        }
        if !is_dry {
            let generation = pod["metadata"]["generation"].as_i64().unwrap() + 1;
            pod["metadata"]["generation"] = generation.into();
            (self.kubelet)(&mut pod);
            self.keep(path, pod.clone());
        }
        (200, pod)
    }

    fn meddle(&mut self, path: &str) {
        let Some((generation, memory)) = self.meddler else { return };
        let Some(mut pod) = self.objects.get(path).cloned() else { return };
        if pod["metadata"]["generation"] == generation {
            pod["spec"]["containers"][0]["resources"]["limits"]["memory"] = memory.into();
            pod["metadata"]["generation"] = (generation + 1).into();
            carry_out(&mut pod);
            self.keep(path, pod);
        }
    }

    fn pods(&self, query: &str) -> Value {
        let is_wanted = |pod: &&Value| {
            let word = |key: &str| pod["metadata"][key].as_str().unwrap().to_owned();
            let node = pod["spec"]["nodeName"].as_str().unwrap();
            let by_name = query.contains("metadata.name%3D");
            let by_node = query.contains("spec.nodeName%3D");
            (!by_name || query.contains(&format!("metadata.name%3D{}", word("name"))))
                && (!by_node || query.contains(&format!("spec.nodeName%3D{node}")))
        };
        let pods = self.objects.iter().filter(|(path, _)| path.starts_with(PODS));
        let items: Vec<&Value> = pods.map(|(_, pod)| pod).filter(is_wanted).collect();
        list("PodList", &json!(items), self.version())
    }
}

fn list(kind: &str, items: &Value, version: u64) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"resourceVersion": version.to_string()}, "items": items})
}

async fn answer(world: Arc<Mutex<World>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default());
    let mut locked = world.lock().unwrap();
    locked.asked.push(format!("{} {}", parts.method, parts.uri));
    if query.contains("watch=true") {
        let changes = locked.changed.subscribe();
        drop(locked);
        return watched(world, changes, path, query.to_owned());
    }
    let not_found = || {
        (404, json!({"kind": "Status", "code": 404, "reason": "NotFound", "message": "not found"}))
    };
    let (code, value) = match (&parts.method, path.as_str()) {
        (&Method::GET, PODS | "/api/v1/pods") => (200, locked.pods(query)),
        (&Method::GET, path) if path.ends_with("events") => (200, list("EventList", &json!([]), 1)),
        (&Method::GET, path) => {
            locked.meddle(path);
            locked.objects.get(path).map_or_else(not_found, |object| (200, object.clone()))
        }
        (&Method::PATCH, path) => {
            let path = path.strip_suffix("/resize").unwrap();
            locked.resize(path, &body, query.contains("dryRun=All"))
        }
        (&Method::DELETE, path) => {
            locked.objects.remove(path).map_or_else(not_found, |object| (200, object))
        }
        (_, path) => {
            let mut object: Value = serde_json::from_slice(&body).unwrap();
            object["status"] =
                json!({"allowed": true, "userInfo": {"username": "alice@example.com"}});
            if path.starts_with(LEASES) {
                object["metadata"]["resourceVersion"] = "1".into();
                let name = object["metadata"]["name"].as_str().unwrap();
                locked.objects.insert(format!("{LEASES}/{name}"), object.clone());
            }
            (201, object)
        }
    };
    drop(locked);
    let response = Response::builder().status(StatusCode::from_u16(code).unwrap());
    response.header(CONTENT_TYPE, "application/json").body(value.to_string().into()).unwrap()
}

/// Whoever watches pods, and what they have seen.
struct Watcher {
    world: Arc<Mutex<World>>,
    changes: watch::Receiver<u64>,
    seen: u64,
    path: String,
    query: String,
}

/// Every change of the pods that are meant, for as long as somebody listens.
fn watched(
    world: Arc<Mutex<World>>,
    changes: watch::Receiver<u64>,
    path: String,
    query: String,
) -> Response<Body> {
    let seen = query.split('&').find_map(|pair| pair.strip_prefix("resourceVersion="));
    let seen = seen.and_then(|version| version.parse().ok()).unwrap_or_default();
    let watcher = Watcher { world, changes, seen, path, query };
    Response::new(Body::from_stream(stream::unfold(watcher, Watcher::next)))
}

impl Watcher {
    async fn next(mut self) -> Option<(Result<String, Infallible>, Self)> {
        loop {
            let from = self.seen;
            self.seen = *self.changes.wait_for(|version| *version > from).await.ok()?;
            if self.path != PODS {
                continue;
            }
            let pods = self.world.lock().unwrap().pods(&self.query);
            let newer = pods["items"].as_array().unwrap().iter().filter(|pod| {
                let version = pod["metadata"]["resourceVersion"].as_str().unwrap();
                version.parse::<u64>().unwrap() > from
            });
            let line = |pod| format!("{}\n", json!({"type": "MODIFIED", "object": pod}));
            let lines: String = newer.map(line).collect();
            if !lines.is_empty() {
                return Some((Ok(lines), self));
            }
        }
    }
}
