//! An API server with lists in pages, each question answered by a fault where there is one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use assert_cmd::Command;
use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::api_server::api_server;
use crate::server::PATIENCE;

/// How many objects are in a page at most.
const PAGE: usize = 2;

type Fault = dyn Fn(&Asked) -> Option<Response<Body>> + Send + Sync;

/// A question.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Path with query.
    pub(crate) path: String,
    /// How often the same was asked before.
    pub(crate) before: usize,
    /// Where the list goes on; 0 at its beginning.
    pub(crate) from: usize,
    /// Whether it is about metadata alone.
    pub(crate) metadata_alone: bool,
}

/// What is stored, and what goes wrong.
pub(crate) struct World {
    lists: BTreeMap<&'static str, Vec<Value>>,
    fault: Box<Fault>,
}

/// An object with nothing but names.
pub(crate) fn named(namespace: &str, name: &str) -> Value {
    json!({"metadata": {"namespace": namespace, "name": name, "uid": format!("uid-{name}")}})
}

pub(crate) fn forbidden() -> Response<Body> {
    refused(403, "Forbidden", "not for you", json!({}))
}

pub(crate) fn refused(code: u16, reason: &str, message: &str, metadata: Value) -> Response<Body> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
        "reason": reason, "message": message, "metadata": metadata});
    answer(StatusCode::from_u16(code).unwrap(), &status)
}

fn answer(status: StatusCode, value: &Value) -> Response<Body> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    response.body(value.to_string().into()).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Self { lists: BTreeMap::new(), fault: Box::new(|_| None) }
    }

    /// With these objects in the list at `path`.
    pub(crate) fn with(
        mut self,
        path: &'static str,
        objects: impl IntoIterator<Item = Value>,
    ) -> Self {
        self.lists.entry(path).or_default().extend(objects);
        self
    }

    /// With the answers of `fault`, where it has one.
    pub(crate) fn faulty(
        mut self,
        fault: impl Fn(&Asked) -> Option<Response<Body>> + Send + Sync + 'static,
    ) -> Self {
        self.fault = Box::new(fault);
        self
    }

    /// The report on everything, and what was asked.
    pub(crate) async fn audit(self) -> (Value, Vec<String>) {
        self.audit_with(&[]).await
    }

    pub(crate) async fn audit_with(self, flags: &[&str]) -> (Value, Vec<String>) {
        let (text, asked) = self.run(&[&["audit", "-A", "-o", "json"], flags].concat()).await;
        (serde_json::from_str(&text).unwrap(), asked)
    }

    /// What a command that succeeds prints, and what it asked.
    pub(crate) async fn run(self, words: &[&str]) -> (String, Vec<String>) {
        let world = Arc::new(self);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let routes = Router::new().fallback(move |request: Request<Body>| {
            let (world, seen) = (Arc::clone(&world), Arc::clone(&seen));
            async move { world.answer(&request, &mut seen.lock().unwrap()) }
        });
        let (_folder, kubeconfig) = api_server(routes).await;
        let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
        command.args(words).arg("--kubeconfig").arg(kubeconfig);
        command.env_remove("RESTRAINT_POLICIES").env("NO_PROXY", "*").timeout(PATIENCE);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{output:?}");
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        (String::from_utf8(output.stdout).unwrap(), asked)
    }

    fn answer(&self, request: &Request<Body>, seen: &mut Vec<String>) -> Response<Body> {
        let path = request.uri().path();
        let whole = request.uri().to_string();
        let query = request.uri().query().unwrap_or_default();
        let number = |key: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(name, _)| *name == key).and_then(|(_, value)| value.parse().ok())
        };
        let before = seen.iter().filter(|path| **path == whole).count();
        let (from, limit) = (number("continue").unwrap_or(0), number("limit").unwrap_or(PAGE));
        let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
        let metadata_alone =
            accept.is_some_and(|accept| accept.contains("PartialObjectMetadataList"));
        let asked = Asked { path: whole.clone(), before, from, metadata_alone };
        seen.push(whole);
        if let Some(fault) = (self.fault)(&asked) {
            return fault;
        }
        if path == "/version" {
            let version = json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3", "gitCommit": "",
                "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": ""});
            return answer(StatusCode::OK, &version);
        }
        let (list, namespace, name) = parts(path);
        let objects = self.lists.get(&*list).map(Vec::as_slice).unwrap_or_default();
        let metadata =
            |object: &'_ Value, field: &str| object["metadata"][field].as_str().map(str::to_owned);
        let mut objects: Vec<_> = objects
            .iter()
            .filter(|object| namespace.is_none() || metadata(object, "namespace") == namespace)
            .cloned()
            .collect();
        if let Some(name) = name {
            let object =
                objects.iter().find(|object| metadata(object, "name").as_ref() == Some(&name));
            return object.map_or_else(
                || refused(404, "NotFound", "there is none", json!({})),
                |object| answer(StatusCode::OK, object),
            );
        }
        if metadata_alone {
            for object in &mut objects {
                let name = &object["metadata"];
                *object =
                    json!({"metadata": {"namespace": name["namespace"], "name": name["name"]}});
            }
        }
        let count = objects.len();
        let page: Vec<_> = objects.into_iter().skip(from).take(limit.min(PAGE)).collect();
        let end = from + page.len();
        let mut metadata = json!({"resourceVersion": "1"});
        if end < count {
            metadata["continue"] = json!(end.to_string());
            metadata["remainingItemCount"] = json!(count - end);
        }
        answer(StatusCode::OK, &json!({"metadata": metadata, "items": page}))
    }
}

/// The path of the list in all namespaces, the namespace, the name.
fn parts(path: &str) -> (String, Option<String>, Option<String>) {
    let Some((root, rest)) = path.split_once("/namespaces/") else {
        return (path.to_owned(), None, None);
    };
    let mut words = rest.split('/').map(str::to_owned);
    let (namespace, kind, name) = (words.next(), words.next(), words.next());
    (format!("{root}/{}", kind.unwrap_or_default()), namespace, name)
}
