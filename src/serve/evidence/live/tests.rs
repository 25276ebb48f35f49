use std::sync::Arc;

use axum::Router;
use axum::body::Body as Answer;
use axum::http::{Response, Uri};
use axum::routing::any;
use serde_json::{Value, json};

use crate::cluster::asking_once;
use crate::kube::requests::Requests;
use crate::serve::metrics::Metrics;
use crate::serve::testing;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

/// What was found, and what was counted.
type Found = (Option<Usage>, Option<NodeCapacity>, [Vec<String>; 2]);

async fn live(routes: Router, deadline: Duration) -> Live {
    Live::new(
        Some(asking_once(testing::access(routes).await).unwrap()),
        deadline,
        Arc::new(Metrics::new()),
    )
}

fn pod(namespace: &str, name: &str) -> Option<Pod> {
    Some(Pod { namespace: namespace.to_owned(), name: name.to_owned() })
}

fn node(name: &str, uid: &str) -> Option<Node> {
    Some(Node { name: name.to_owned(), uid: uid.to_owned() })
}

async fn ask(live: &Live) -> Found {
    let (usage, node_capacity) =
        tokio::join!(live.usage(pod("shop", "db-0")), live.node_capacity(node("n1", "uid-1")));
    (usage, node_capacity, counted(live))
}

/// The outcomes counted so far: of usage, and of room.
fn counted(live: &Live) -> [Vec<String>; 2] {
    let text = live.metrics.render();
    ["usage", "node-capacity"].map(|evidence| {
        let prefix = format!("restraint_look_ups_total{{evidence=\"{evidence}\",outcome=\"");
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .filter(|line| !line.ends_with(" 0"));
        lines.map(|line| line.replace("\"}", "")).collect()
    })
}

async fn nothing(routes: Router, outcome: &str) {
    let (usage, node_capacity, counted) = ask(&live(routes, PATIENCE).await).await;
    assert_eq!(
        (usage, node_capacity, counted),
        (None, None, [vec![format!("{outcome} 1")], vec![format!("{outcome} 1")]])
    );
}

fn all(answer: impl Fn(&str) -> (u16, Value) + Clone + Send + Sync + 'static) -> Router {
    let answer = move |uri: Uri| {
        let (status, body) = answer(&uri.to_string());
        async move { testing::json(status, &body) }
    };
    Router::new().fallback(any(answer))
}

fn measured(path: &str) -> (u16, Value) {
    match path {
        "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/db-0" => (
            200,
            json!({"containers": [{"name": "app", "usage": {"cpu": "1m", "memory": "900Mi"}}]}),
        ),
        "/api/v1/nodes/n1?resourceVersion=0" => (
            200,
            json!({"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}}),
        ),
        "/api/v1/pods?resourceVersion=0&fieldSelector=spec.nodeName%3Dn1%2Cstatus.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed" =>
        {
            let pod = |uid: &str| json!({"metadata": {"uid": uid}, "spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}]}});
            (200, json!({"items": [pod("uid-1"), pod("uid-2")]}))
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_runs_is_found() {
    let (usage, node_capacity, counted) = ask(&live(all(measured), PATIENCE).await).await;
    assert_eq!(usage, Some(Usage::from_iter([("app".to_owned(), 900 << 20)])));
    assert_eq!(
        node_capacity,
        Some(NodeCapacity { node: "n1".to_owned(), most: Requests { cpu: 3000, memory: 7 << 30 } })
    );
    assert_eq!(
        counted,
        [["found 1"], ["found 1"]].map(|outcomes| outcomes.map(str::to_owned).to_vec())
    );
}

#[tokio::test]
async fn errors_and_garbage_are_nothing() {
    nothing(all(|_| (404, json!({"kind": "Status", "code": 404}))), "absent").await;
    for status in [301, 401, 403, 429, 500, 503] {
        nothing(all(move |_| (status, json!({"kind": "Status", "code": status}))), "failed").await;
    }
    for garbage in [json!(null), json!([]), json!({"items": 7, "containers": {}}), json!("<html>")]
    {
        nothing(all(move |_| (200, garbage.clone())), "failed").await;
    }
    let huge = || async { Response::new(Answer::from(vec![b' '; ANSWER_LIMIT + 1])) };
    nothing(Router::new().fallback(any(huge)), "failed").await;
}

#[tokio::test]
async fn a_node_whose_pods_may_not_be_listed_is_nothing() {
    let routes =
        all(
            |path| {
                if path.starts_with("/api/v1/pods") { (403, json!({})) } else { measured(path) }
            },
        );
    let (usage, node_capacity, counted) = ask(&live(routes, PATIENCE).await).await;
    assert!(usage.is_some() && node_capacity.is_none());
    assert_eq!(counted[1], ["failed 1"]);
}

#[tokio::test]
async fn nobody_waits_for_an_answer_that_does_not_come() {
    let mute = Router::new().fallback(any(std::future::pending::<()>));
    let (usage, node_capacity, counted) = ask(&live(mute, Duration::from_millis(1)).await).await;
    assert_eq!((usage, node_capacity), (None, None));
    assert_eq!(
        counted,
        [["too-slow 1"], ["too-slow 1"]].map(|outcomes| outcomes.map(str::to_owned).to_vec())
    );
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_too_slow() {
    let endless = || async {
        let first =
            futures_util::stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"{")) });
        Response::new(Answer::from_stream(futures_util::StreamExt::chain(
            first,
            futures_util::stream::pending(),
        )))
    };
    let (usage, node_capacity, counted) =
        ask(&live(Router::new().fallback(any(endless)), Duration::from_millis(1)).await).await;
    assert_eq!(
        (usage, node_capacity, counted[0].as_slice()),
        (None, None, ["too-slow 1".to_owned()].as_slice())
    );
}

#[tokio::test]
async fn nobody_waits_for_a_permit() {
    let live = live(all(measured), PATIENCE).await;
    let permits = live.permits.try_acquire_many(u32::try_from(AT_A_TIME).unwrap()).unwrap();
    let (usage, node_capacity, busy) = ask(&live).await;
    assert_eq!((usage, node_capacity), (None, None));
    assert_eq!(busy, [["busy 1"], ["busy 1"]].map(|outcomes| outcomes.map(str::to_owned).to_vec()));
    drop(permits);
    let (usage, node_capacity, _) = ask(&live).await;
    assert!(usage.is_some() && node_capacity.is_some(), "permits are given back");
}

#[tokio::test]
async fn without_an_api_server_nothing_is_known() {
    let live = Live::new(None, PATIENCE, Arc::new(Metrics::new()));
    let (usage, node_capacity, counted) = ask(&live).await;
    assert_eq!((usage, node_capacity), (None, None));
    assert_eq!(
        counted,
        [["absent 1"], ["absent 1"]].map(|outcomes| outcomes.map(str::to_owned).to_vec())
    );
}

#[tokio::test]
async fn no_name_leads_elsewhere() {
    let live = live(all(|path| panic!("{path}")), PATIENCE).await;
    for name in [
        "",
        ".",
        "..",
        "../../secrets",
        "db-0/log",
        "db-0?watch=true",
        "db%2f0",
        "DB",
        "a b",
        &"a".repeat(254),
    ] {
        assert_eq!(live.usage(pod("shop", name)).await, None, "{name}");
        assert_eq!(live.usage(pod(name, "db-0")).await, None, "{name}");
        assert_eq!(live.node_capacity(node(name, "uid-1")).await, None, "{name}");
    }
    assert_eq!(live.node_capacity(node("n1", "")).await, None);
    assert_eq!(
        counted(&live),
        [["absent 20"], ["absent 11"]].map(|outcomes| outcomes.map(str::to_owned).to_vec())
    );
    assert_eq!(live.usage(None).await, None);
    assert_eq!(live.node_capacity(None).await, None);
    assert_eq!(counted(&live)[0], ["absent 20"], "what is not asked for is not counted");
}
