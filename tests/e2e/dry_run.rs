//! Asking the API server what it would say to a manifest, without kubectl: a process for each would
//! take minutes.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::{Method, Request};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use restraint::judge::subject::Resource;
use serde_json::Value;

use crate::audit::Event;
use crate::cluster::Cluster;
use crate::deadline::eventually;
use crate::kubectl::Person;

/// How many are asked at once.
const TOGETHER: usize = 8;

/// What came of asking.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) code: u16,
    /// The object as it would be stored, or the reason why it would not.
    pub(crate) body: Value,
    /// The warnings, those of the API server itself among them.
    pub(crate) warnings: Vec<String>,
    /// What the audit log has about it.
    pub(crate) event: Event,
}

/// Creates each of `objects`, in the namespace it names, in a dry run.
pub(crate) fn create(cluster: &Cluster, objects: &[Value]) -> Vec<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let replies: Vec<_> = runtime.block_on(async {
        let client = client(cluster).await;
        stream::iter(objects)
            .map(|object| ask(client.clone(), object))
            .buffered(TOGETHER)
            .collect()
            .await
    });
    let asked: BTreeSet<_> = replies.iter().map(|reply| &*reply.audit_id).collect();
    let mut events = BTreeMap::new();
    eventually("the audit log has every dry run", || {
        let is_asked = |line: &str| Event::id_in(line).is_some_and(|id| asked.contains(id));
        events = cluster
            .audit_log(is_asked)
            .into_iter()
            .map(|event| (event.id().to_owned(), event))
            .collect();
        (events.len() == replies.len()).then_some(())
    });
    let answer = |Reply { audit_id, code, body, warnings }| Answer {
        code,
        body,
        warnings,
        event: events.remove(&audit_id).unwrap(),
    };
    replies.into_iter().map(answer).collect()
}

struct Reply {
    audit_id: String,
    code: u16,
    body: Value,
    warnings: Vec<String>,
}

/// A client in the hands of an administrator.
pub(crate) async fn client(cluster: &Cluster) -> Client {
    let kubeconfig = Kubeconfig::read_from(cluster.file(Person::Admin.kubeconfig())).unwrap();
    let mut config =
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    // a proxy that serves the machine must not get between programs on it
    config.proxy_url = None;
    Client::try_from(config).unwrap()
}

async fn ask(client: Client, object: &Value) -> Reply {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path(object))
        .header(CONTENT_TYPE, "application/json");
    let response = client
        .send(request.body(Body::from(object.to_string().into_bytes())).unwrap())
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply {
        audit_id: text(&head.headers, "audit-id").next().unwrap(),
        code: head.status.as_u16(),
        body: serde_json::from_slice(&body).unwrap(),
        warnings: text(&head.headers, "warning").map(|value| warning(&value)).collect(),
    }
}

fn path(object: &Value) -> String {
    let version = object["apiVersion"].as_str().unwrap();
    let root = if version.contains('/') { "apis" } else { "api" };
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let resource = Resource::of_kind(group, object["kind"].as_str().unwrap());
    let namespace = object["metadata"]["namespace"].as_str().unwrap();
    format!("/{root}/{version}/namespaces/{namespace}/{}?dryRun=All", resource.plural())
}

fn text(headers: &HeaderMap, name: &str) -> impl Iterator<Item = String> {
    headers
        .get_all(name)
        .into_iter()
        .map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap())
}

/// The text of a header such as `299 - "text"`.
fn warning(value: &str) -> String {
    let quoted = value
        .strip_prefix("299 - \"")
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_else(|| panic!("{value}"));
    quoted.replace("\\\"", "\"").replace("\\\\", "\\")
}
