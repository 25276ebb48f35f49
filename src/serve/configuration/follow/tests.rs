use std::collections::HashMap;
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::routing::any;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};

use super::*;
use crate::certificate::testing::in_time;
use crate::kube::config_user::ConfigUser;
use crate::kube::configuration::ConfigKind;
use crate::serve::testing;

/// What an API server answers, by the end of the path: lists in turn, the last one again and again,
/// and watches in turn, after which watches say nothing.
#[derive(Default)]
struct Script {
    lists: HashMap<&'static str, Vec<Value>>,
    watches: HashMap<&'static str, Vec<Vec<Value>>>,
    asked: Vec<String>,
}

type Shared = Arc<Mutex<Script>>;

fn web(name: &str, map: &str, version: &str) -> Value {
    let spec =
        json!({"containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": map}}]}]});
    let metadata = json!({"namespace": "shop", "name": name, "resourceVersion": version});
    json!({"metadata": metadata, "spec": {"template": {"spec": spec}}})
}

fn page(items: &[Value], token: &str) -> Value {
    json!({"metadata": {"resourceVersion": "10", "continue": token}, "items": items})
}

fn refusal(code: u16) -> Value {
    json!({"kind": "Status", "status": "Failure", "code": code, "reason": "No", "message": format!("no: {code}")})
}

async fn started(script: Script) -> (Arc<Index>, Arc<Health>, Shared) {
    let script = Arc::new(Mutex::new(script));
    let shared = Arc::clone(&script);
    let answer = move |request: Request| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared, request.uri()) }
    };
    let client = testing::api_server(Router::new().fallback(any(answer))).await;
    let (index, health) = (Arc::<Index>::default(), Arc::<Health>::default());
    follow(&index, &client, &health);
    (index, health, script)
}

fn answer(script: &Shared, uri: &axum::http::Uri) -> Response<Body> {
    let mut script = script.lock().unwrap();
    script.asked.push(uri.to_string());
    let plural = uri.path().rsplit('/').next().unwrap();
    if !uri.query().unwrap_or_default().contains("watch=true") {
        let lists = script.lists.iter_mut().find(|(kind, _)| **kind == plural);
        let list = match lists {
            None => page(&[], ""),
            Some((_, lists)) if lists.len() > 1 => lists.remove(0),
            Some((_, lists)) => lists[0].clone(),
        };
        let status = list["code"].as_u64().map_or(200, |code| u16::try_from(code).unwrap());
        return testing::json(status, &list);
    }
    let watches = script.watches.iter_mut().find(|(kind, _)| **kind == plural);
    let events = watches.and_then(|(_, watches)| (!watches.is_empty()).then(|| watches.remove(0)));
    let Some(events) = events else {
        let silent = stream::pending::<Result<String, std::io::Error>>();
        return Response::new(Body::from_stream(silent));
    };
    // in pieces, as events come over a network
    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
    let pieces: Vec<_> = text.as_bytes().chunks(7).map(<[u8]>::to_vec).collect();
    Response::new(Body::from_stream(stream::iter(pieces).map(Ok::<_, std::io::Error>)))
}

/// Waits until the ConfigMap `app` has these users.
async fn settles(index: &Index, expected: Option<&[&str]>) {
    let users = || {
        let users = index.users((ConfigKind::ConfigMap, "app"), "shop")?;
        Some(users.iter().map(ConfigUser::target).collect::<Vec<_>>())
    };
    in_time(async {
        while users().as_deref()
            != expected
                .map(|all| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
                .as_deref()
        {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

#[tokio::test]
async fn lists_are_read_page_by_page_and_then_watched_from_their_first_page() {
    let mut script = Script::default();
    script.lists.insert(
        "deployments",
        vec![page(&[web("api", "app", "3")], "more"), page(&[web("web", "app", "4")], "")],
    );
    let (index, health, script) = started(script).await;
    settles(&index, Some(&["deploy/api", "deploy/web"])).await;
    in_time(async {
        while !health.report().1.contains("configuration: 2 workloads and pods that use") {
            sleep(Duration::from_millis(5)).await;
        }
        while script.lock().unwrap().asked.len() < 13 {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let asked = script.lock().unwrap().asked.join("\n");
    assert!(asked.contains("/apis/apps/v1/deployments?&limit=500&continue=more"), "{asked}");
    assert!(asked.contains("/api/v1/pods?&labelSelector=%21pod-template-hash"), "{asked}");
    assert!(
        asked.contains(
            "/api/v1/pods?&watch=true&timeoutSeconds=290&labelSelector=%21pod-template-hash"
        ),
        "{asked}"
    );
    assert!(
        asked
            .lines()
            .filter(|line| line.contains("watch=true"))
            .all(|line| line.ends_with("resourceVersion=10")),
        "{asked}"
    );
    assert_eq!(health.report().0, 200, "readiness does not wait");
}

#[tokio::test]
async fn events_are_followed_from_one_watch_to_the_next() {
    let mut script = Script::default();
    script.lists.insert("deployments", vec![page(&[web("api", "app", "3")], "")]);
    let first = vec![
        event("ADDED", &web("web", "app", "11")),
        event("MODIFIED", &web("api", "other", "12")),
        event("BOOKMARK", &json!({"metadata": {"resourceVersion": "20"}})),
    ];
    let second = vec![event("DELETED", &web("web", "app", "21"))];
    script.watches.insert("deployments", vec![first, second]);
    let (index, _, script) = started(script).await;
    settles(&index, Some(&[])).await;
    let asked = || {
        let script = script.lock().unwrap();
        let watches = script
            .asked
            .iter()
            .filter(|line| line.contains("deployments") && line.contains("watch"));
        watches
            .filter_map(|line| Some(line.split_once("resourceVersion=")?.1.to_owned()))
            .collect::<Vec<_>>()
    };
    in_time(async {
        while asked().len() < 3 {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(asked(), ["10", "20", "21"]);
    settles(&index, Some(&[])).await;
}

#[tokio::test]
async fn a_watch_that_is_too_old_begins_with_a_new_list() {
    let mut script = Script::default();
    let lists = vec![
        page(&[web("api", "app", "3"), web("web", "app", "4")], ""),
        page(&[web("web", "app", "4")], ""),
    ];
    script.lists.insert("deployments", lists);
    script.watches.insert("deployments", vec![vec![event("ERROR", &refusal(410))]]);
    let (index, health, _) = started(script).await;
    settles(&index, Some(&["deploy/web"])).await;
    assert!(!health.report().1.contains("cannot"), "{}", health.report().1);
}

#[tokio::test]
async fn while_a_kind_may_not_be_listed_nothing_is_said_and_readiness_tells_why() {
    let mut script = Script::default();
    script.lists.insert("deployments", vec![page(&[web("api", "app", "3")], "")]);
    script.lists.insert("pods", vec![refusal(403), page(&[], "")]);
    let (index, health, _) = started(script).await;
    in_time(async {
        while !health.report().1.contains("not known yet: Pod\n")
            || !health.report().1.contains("  Pod: no: 403")
        {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert_eq!(index.users((ConfigKind::ConfigMap, "app"), "shop"), None);
    assert_eq!(health.report().0, 200, "readiness does not wait");
    settles(&index, Some(&["deploy/api"])).await;
}
