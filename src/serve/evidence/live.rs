//! What runs right now: the live memory of a pod, and what is left of a node.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{Request, StatusCode};
use kube::Client;
use kube::client::Body;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::judge::rule::LookUp;
use crate::judge::subject::Subject;
use crate::kube::name::{is_dns_label, is_dns_subdomain};
use crate::kube::node_capacity::NodeCapacity;
use crate::kube::usage::Usage;
use crate::serve::metrics::{LookUpOutcome, SharedMetrics};

/// The most look-ups at a time; the next is not made. Whoever floods the service does not flood the
/// API server.
const AT_A_TIME: usize = 16;

/// The largest answer that is read, in bytes: the pods of a node that is full.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// Asks for what runs right now.
pub(in crate::serve) struct Live {
    client: Option<Client>,
    deadline: Duration,
    places: Semaphore,
    metrics: SharedMetrics,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Live").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// A pod whose memory is asked for.
#[derive(Debug)]
pub(super) struct Pod {
    namespace: String,
    name: String,
}

impl Pod {
    pub(super) fn of(subject: &Subject<'_>) -> Self {
        Self { namespace: subject.namespace.to_string(), name: subject.name.to_string() }
    }
}

/// A node whose room is asked for, and the pod that it is for.
#[derive(Debug)]
pub(super) struct Node {
    name: String,
    uid: String,
}

impl Node {
    pub(super) fn of(subject: &Subject<'_>) -> Self {
        let old = subject.old_object.as_ref();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self {
            name: text(old.map(|old| &*old.spec.node_name)),
            uid: text(old.map(|old| &*old.metadata.uid)),
        }
    }
}

impl Live {
    /// Asks through `client`, which should not ask again of its own: the deadline ends sooner than
    /// its patience.
    pub(in crate::serve) fn new(
        client: Option<Client>,
        deadline: Duration,
        metrics: SharedMetrics,
    ) -> Self {
        Self { client, deadline, places: Semaphore::new(AT_A_TIME), metrics }
    }

    /// The live memory of `pod`.
    pub(super) async fn usage(&self, pod: Option<Pod>) -> Option<Usage> {
        let Pod { namespace, name } = pod?;
        let usage = async {
            // not everybody who sends a review is the API server: no name may lead elsewhere
            if !is_dns_label(&namespace) || !is_dns_subdomain(&name) {
                return Err(LookUpOutcome::Absent);
            }
            let answer = self
                .get(format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods/{name}"))
                .await?;
            Usage::read(&answer).ok_or_else(not_understood)
        };
        self.look_up(LookUp::Usage, usage).await
    }

    /// What is left of `node`.
    pub(super) async fn node_capacity(&self, node: Option<Node>) -> Option<NodeCapacity> {
        let Node { name, uid } = node?;
        let node_capacity = async {
            // without an identity the pod would count twice
            if !is_dns_subdomain(&name) || uid.is_empty() {
                return Err(LookUpOutcome::Absent);
            }
            // resourceVersion=0: from the API server's cache, which keeps pods by node
            let selector = format!(
                "spec.nodeName%3D{name}%2Cstatus.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed"
            );
            let node = self.get(format!("/api/v1/nodes/{name}?resourceVersion=0"));
            let pods = self.get(format!("/api/v1/pods?resourceVersion=0&fieldSelector={selector}"));
            let (node, pods) = tokio::try_join!(node, pods)?;
            // megabytes are read elsewhere, so that the deadline holds
            let node_capacity =
                spawn_blocking(move || NodeCapacity::read(&node, &pods, &uid)).await;
            node_capacity.ok().flatten().ok_or_else(not_understood)
        };
        self.look_up(LookUp::NodeCapacity, node_capacity).await
    }

    /// Waits for `answer`, but neither for a place nor beyond the deadline.
    async fn look_up<T>(
        &self,
        what: LookUp,
        answer: impl Future<Output = Result<T, LookUpOutcome>>,
    ) -> Option<T> {
        let answer = match self.places.try_acquire() {
            Ok(_place) => tokio::time::timeout(self.deadline, answer)
                .await
                .unwrap_or(Err(LookUpOutcome::TooSlow)),
            Err(_) => Err(LookUpOutcome::Busy),
        };
        self.metrics.look_up(what, answer.as_ref().err().copied().unwrap_or(LookUpOutcome::Found));
        answer.ok()
    }

    /// The body of a successful answer.
    async fn get(&self, path: String) -> Result<Bytes, LookUpOutcome> {
        let failed = |path: &str, error: String| {
            warn!(path, error, "the API server cannot be asked what runs");
            LookUpOutcome::Failed
        };
        let client = self.client.as_ref().ok_or(LookUpOutcome::Absent)?;
        let request = Request::get(&path)
            .body(Body::empty())
            .map_err(|error| failed(&path, error.to_string()))?;
        let answer =
            client.send(request).await.map_err(|error| failed(&path, error.to_string()))?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(LookUpOutcome::Absent),
            status => return Err(failed(&path, status.to_string())),
        }
        let body = Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await;
        body.map(|body| body.to_bytes()).map_err(|error| failed(&path, error.to_string()))
    }
}

fn not_understood() -> LookUpOutcome {
    warn!("the API server's answer about what runs is not understood");
    LookUpOutcome::Failed
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::body::Body as Answer;
    use axum::http::{Response, Uri};
    use axum::routing::any;
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::asking_once;
    use crate::kube::requests::Requests;
    use crate::serve::metrics::Metrics;
    use crate::serve::testing;

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
            Some(NodeCapacity {
                node: "n1".to_owned(),
                most: Requests { cpu: 3000, memory: 7 << 30 }
            })
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
            nothing(all(move |_| (status, json!({"kind": "Status", "code": status}))), "failed")
                .await;
        }
        for garbage in
            [json!(null), json!([]), json!({"items": 7, "containers": {}}), json!("<html>")]
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
        let (usage, node_capacity, counted) =
            ask(&live(mute, Duration::from_millis(1)).await).await;
        assert_eq!((usage, node_capacity), (None, None));
        assert_eq!(
            counted,
            [["too-slow 1"], ["too-slow 1"]].map(|outcomes| outcomes.map(str::to_owned).to_vec())
        );
    }

    #[tokio::test]
    async fn an_answer_that_does_not_end_is_too_slow() {
        let endless = || async {
            let first = futures_util::stream::once(async {
                Ok::<_, std::io::Error>(Bytes::from_static(b"{"))
            });
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
    async fn nobody_waits_for_a_place() {
        let live = live(all(measured), PATIENCE).await;
        let places = live.places.try_acquire_many(u32::try_from(AT_A_TIME).unwrap()).unwrap();
        let (usage, node_capacity, busy) = ask(&live).await;
        assert_eq!((usage, node_capacity), (None, None));
        assert_eq!(
            busy,
            [["busy 1"], ["busy 1"]].map(|outcomes| outcomes.map(str::to_owned).to_vec())
        );
        drop(places);
        let (usage, node_capacity, _) = ask(&live).await;
        assert!(usage.is_some() && node_capacity.is_some(), "places are given back");
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
}
