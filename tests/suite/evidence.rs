//! What is looked up before a resize is judged: live memory and the room of a node, from an API
//! server that answers, that does not know, and that never says a word.

use std::future::pending;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode, Uri};
use axum::routing::any;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use restraint::judge::look_up::LookUps;
use restraint::judge::policies::Policies;
use restraint::review::decode;

use crate::api_server::api_server;
use crate::following::{VolumeFolder, policy};
use crate::server::{PATIENCE, Server};
use crate::subjects::{creation, resize};

const DECREASE: &str = "memory-limit-decrease: container \"app\": memory limit 1Gi -> 512Mi is not approved; an approver grants it with `kubectl …";

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_never_answers_changes_nothing() {
    let place = Place::new(Router::new().fallback(any(pending::<()>)), &[]).await;
    assert_eq!(place.warnings("/validate", &change(false)).await, [DECREASE]);
    assert_eq!(place.counted().await, [("node-capacity", "too-slow", 1), ("usage", "too-slow", 1)]);
    assert_eq!(place.warnings("/validate", &change(true)).await, [DECREASE]);
    assert_eq!(
        place.counted().await,
        [("node-capacity", "too-slow", 2), ("usage", "too-slow", 2)],
        "a dry run asks as well"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_without_metrics_and_node_changes_nothing() {
    let unknown = || async { answer(404, &json!({"kind": "Status", "code": 404})) };
    let place = Place::new(Router::new().fallback(any(unknown)), &PATIENT).await;
    assert_eq!(place.warnings("/validate", &change(false)).await, [DECREASE]);
    assert_eq!(place.counted().await, [("node-capacity", "absent", 1), ("usage", "absent", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_warned_about() {
    let place = Place::new(Router::new().fallback(any(measured)), &PATIENT).await;
    let expected = [
        "memory-above-usage: container \"app\": 900Mi in use, above new memory limit 512Mi; wait until less is in use, or drain th…",
        DECREASE,
        "resize-beyond-node: 2 more cpu, 1 left on node \"n1\": will be deferred; move the pod to a node with room, or add capacity",
    ];
    assert_eq!(place.warnings("/validate", &change(false)).await, expected);
    assert_eq!(place.counted().await, [("node-capacity", "found", 1), ("usage", "found", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_without_need() {
    let place = Place::new(Router::new().fallback(any(measured)), &PATIENT).await;
    place.warnings("/mutate", &change(false)).await;
    place.warnings("/validate", &creation(&pod("1", "1Gi"))).await;
    // neither less memory nor more of anything
    place.warnings("/validate", &resize(&pod("3", "512Mi"), &pod("1", "1Gi"))).await;
    place.warnings("/validate", &resize(&pod("3", "1Gi"), &pod("1", "1Gi"))).await;
    assert_eq!(place.counted().await, []);
    place.warnings("/validate", &resize(&pod("1", "1Gi"), &pod("2", "1Gi"))).await;
    assert_eq!(place.counted().await, [("node-capacity", "found", 1)]);
    place.warnings("/validate", &resize(&pod("1", "1Gi"), &pod("1", "512Mi"))).await;
    assert_eq!(place.counted().await, [("node-capacity", "found", 1), ("usage", "found", 1)]);
}

/// What is asked for is worked out before anybody is asked: as little as the policies in force
/// need.
#[test]
fn only_policies_in_force_ask() {
    let on = |rule: &str, more: &str| format!("{rule}, mode: audit{more}");
    let both = [on(USAGE, ""), on(ROOM, "")];
    let both = both.each_ref().map(String::as_str);
    let (nothing, all) = (LookUps::default(), BOTH);
    assert!(nothing.is_empty() && !all.is_empty());
    assert_eq!(asked(&both, &change(false)), all);
    assert_eq!(asked(&both[..1], &change(false)), LookUps { node_capacity: false, ..all });
    assert_eq!(asked(&both[1..], &change(false)), LookUps { usage: false, ..all });
    assert_eq!(
        asked(&[&format!("{USAGE}, mode: off"), &format!("{ROOM}, mode: off")], &change(false)),
        nothing
    );
    let elsewhere = ", scope: {namespaces: {names: [elsewhere]}}";
    assert_eq!(asked(&[&on(USAGE, elsewhere), &on(ROOM, elsewhere)], &change(false)), nothing);
}

#[test]
fn only_changes_that_raise_the_question_ask() {
    let both = [USAGE, ROOM].map(|rule| format!("{rule}, mode: audit"));
    let both = both.each_ref().map(String::as_str);
    let requesting = |memory: &str| {
        let mut pod = pod("1", "1Gi");
        pod["spec"]["containers"][0]["resources"]["requests"]["memory"] = memory.into();
        pod
    };
    let room_alone = LookUps { usage: false, ..BOTH };
    assert_eq!(
        asked(&both, &resize(&requesting("256Mi"), &requesting("512Mi"))),
        room_alone,
        "memory alone may be too much"
    );
    assert_eq!(
        asked(&both, &resize(&requesting("512Mi"), &requesting("256Mi"))),
        LookUps::default(),
        "there is room for less"
    );

    let with = |field: &[&str], value: Value| {
        let change = |mut pod: Value| {
            let place = field.iter().fold(&mut pod, |place, field| &mut place[*field]);
            *place = value.clone();
            pod
        };
        resize(&change(pod("1", "1Gi")), &change(pod("3", "512Mi")))
    };
    assert_eq!(
        asked(&both, &with(&["spec", "nodeName"], Value::Null)),
        LookUps { node_capacity: false, ..BOTH },
        "it runs nowhere"
    );
    let ignore = json!({"restraint.dev/ignore": "memory-above-usage,resize-beyond-node"});
    assert_eq!(
        asked(&both, &with(&["metadata", "annotations"], ignore)),
        LookUps { node_capacity: false, ..BOTH },
        "the owner silenced it"
    );
}

const USAGE: &str = "name: memory-above-usage, rule: memory-above-usage";

const ROOM: &str = "name: resize-beyond-node, rule: resize-beyond-node";

/// What both of them ask.
const BOTH: LookUps = LookUps { authority: false, usage: true, node_capacity: true };

fn asked(policies: &[&str], body: &[u8]) -> LookUps {
    let files = policies.iter().map(|text| {
        (format!("{}.yaml", text.split([' ', ',']).nth(1).unwrap()), format!("{{{text}}}"))
    });
    let review = decode(body).unwrap();
    LookUps::for_judging(&Policies::read(files).unwrap(), &review.subject)
}

/// Time enough for every answer that comes.
const PATIENT: [&str; 2] = ["--evidence-deadline", "60000"];

/// A server that looks things up at an API server.
struct Place {
    server: Server,
    _kept: (VolumeFolder, TempDir),
}

impl Place {
    async fn new(routes: Router, flags: &[&str]) -> Self {
        let (folder, path) = api_server(routes).await;
        let rules = ["memory-above-usage", "memory-limit-decrease", "resize-beyond-node"];
        let policies = VolumeFolder::new(&rules.map(|rule| policy(rule, "warn")));
        let flags =
            [&["--policies", policies.path(), "--kubeconfig", path.to_str().unwrap()], flags]
                .concat();
        Self { server: Server::start(&flags), _kept: (policies, folder) }
    }

    /// What the server warns of.
    async fn warnings(&self, path: &str, body: &[u8]) -> Vec<String> {
        let mut client = self.server.client().await;
        let (status, answer) = timeout(PATIENCE, client.post(path, body.to_vec())).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        let response = serde_json::from_slice::<Value>(&answer).unwrap()["response"].take();
        assert_eq!(response["allowed"], true, "{response}");
        let warnings = response["warnings"].as_array().cloned().unwrap_or_default();
        warnings.iter().map(|warning| warning.as_str().unwrap().to_owned()).collect()
    }

    /// The look-ups so far: evidence, outcome, how many.
    async fn counted(&self) -> Vec<(&'static str, &'static str, u32)> {
        let metrics = self.server.metrics().await;
        let mut counted = Vec::new();
        for evidence in ["node-capacity", "usage"] {
            for outcome in ["found", "absent", "too-slow", "failed", "busy"] {
                let count = metrics.sum(
                    "restraint_look_ups_total",
                    &[("evidence", evidence), ("outcome", outcome)],
                );
                if count > 0.0 {
                    counted.push((evidence, outcome, count as u32));
                }
            }
        }
        counted
    }
}

/// Less memory and more cpu at once.
fn change(dry_run: bool) -> Vec<u8> {
    let mut review: Value =
        serde_json::from_slice(&resize(&pod("1", "1Gi"), &pod("3", "512Mi"))).unwrap();
    review["request"]["dryRun"] = dry_run.into();
    serde_json::to_vec(&review).unwrap()
}

fn pod(cpu: &str, memory: &str) -> Value {
    let resources =
        json!({"requests": {"cpu": cpu, "memory": "256Mi"}, "limits": {"memory": memory}});
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "namespace": "shop", "uid": "uid-1"},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "resources": resources}]},
    })
}

/// A node of 4 cores with another pod that asks for 2, and 900Mi in use. Nothing is known of
/// namespaces.
async fn measured(uri: Uri) -> Response<Body> {
    let other = json!({"metadata": {"uid": "uid-2"}, "spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "2"}}}]}});
    match uri.path() {
        "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/db-0" => answer(
            200,
            &json!({"containers": [{"name": "app", "usage": {"cpu": "10m", "memory": "921600Ki"}}]}),
        ),
        "/api/v1/nodes/n1" => answer(
            200,
            &json!({"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}}),
        ),
        "/api/v1/pods" => {
            assert!(uri.query().unwrap().contains("fieldSelector=spec.nodeName%3Dn1"), "{uri}");
            answer(200, &json!({"items": [pod("1", "1Gi"), other]}))
        }
        _ => answer(403, &json!({"kind": "Status", "code": 403})),
    }
}

fn answer(status: u16, body: &Value) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}
