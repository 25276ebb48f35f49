//! An API server that is away: what was known of it stays, and what is said of it is short.

use std::process::Command;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, Uri};
use axum::routing::any;
use futures_util::stream::once;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::api_server::api_server;
use crate::server::{Server, eventually};

/// The beginning of what is said of [`page`].
const SAID: &str = "the API server answered 500: [+]check-0 ok [+]check-1 ok ";

/// The most characters of a line that anybody reads.
const READABLE: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn labels_from_before_are_kept_and_said_to_be() {
    let place = Place::new().await;
    let mut server = Server::start_logging(
        "info",
        &["--seal-secret", "restraint/seal", "--kubeconfig", &place.kubeconfig],
    );
    let told = async |what: &str| {
        let report = async || {
            let report = server.admin("/readyz").await.1;
            report.contains(what).then_some(report)
        };
        eventually(what, report).await
    };
    told("\nnamespaces: labels of 2 known\n").await;
    place.away.send_replace(true);
    let report = told("\nnamespaces: labels of 2 kept from before\n").await;
    for topic in ["namespaces", "seal keys"] {
        let trouble = format!("\n{topic}: cannot be read or written now:\n  {SAID}");
        assert!(report.contains(&trouble), "{report}");
    }
    assert!(report.lines().all(|line| line.chars().count() <= READABLE), "{report}");
    // no namespace changes meanwhile, and all is well again
    place.away.send_replace(false);
    told("\nnamespaces: labels of 2 known\n").await;

    server.terminate();
    server.wait();
    let lines = server.last_lines();
    let beginning = |line: &Value, text: &str| line["message"].as_str().unwrap().starts_with(text);
    let of_labels: Vec<_> =
        lines.iter().filter(|line| beginning(line, "namespaces cannot be watched")).collect();
    let [line] = of_labels[..] else { panic!("once, not {of_labels:?}") };
    assert!(line["error"].as_str().unwrap().starts_with(SAID), "{line}");
    assert_eq!((&line["namespaces"], &line["level"]), (&json!(2), &json!("WARN")));
    assert!(line["message"].as_str().unwrap().contains("their labels from before are kept"));
    for line in &lines {
        assert!(!line["target"].as_str().unwrap().starts_with("kube"), "{line}");
        assert!(!line.to_string().contains("\\n"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_it_in_a_line_as_well() {
    let place = Place::new().await;
    place.away.send_replace(true);
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_restraint"));
    doctor.args(["doctor", "--kubeconfig", &place.kubeconfig]).env("NO_PROXY", "*");
    let output = tokio::task::spawn_blocking(move || doctor.output().unwrap()).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let examined = text.lines().filter(|line| line.contains(&format!("not examined: {SAID}")));
    assert!(examined.count() > 5, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= READABLE), "{text}");
}

/// An API server with two namespaces, which answers with a page of sixty lines while it is away.
struct Place {
    away: watch::Sender<bool>,
    kubeconfig: String,
    _folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        let (away, _) = watch::channel(false);
        let answering = away.clone();
        let routes =
            Router::new().fallback(any(move |uri: Uri| async move { answer(&uri, &answering) }));
        let (folder, path) = api_server(routes).await;
        Self { away, kubeconfig: path.display().to_string(), _folder: folder }
    }
}

fn answer(uri: &Uri, away: &watch::Sender<bool>) -> Response<Body> {
    if *away.borrow() || uri.path() != "/api/v1/namespaces" {
        return Response::builder().status(500).body(Body::from(page())).unwrap();
    }
    if uri.query().unwrap_or_default().contains("watch=true") {
        // nothing happens until it goes away
        let mut away = away.subscribe();
        let end = async move {
            let _ = away.wait_for(|away| *away).await;
            Ok::<_, std::convert::Infallible>(String::new())
        };
        return Response::new(Body::from_stream(once(end)));
    }
    let items = ["shop", "pay"].map(|name| json!({"metadata": {"name": name}}));
    let list = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "7"}, "items": items});
    Response::builder()
        .header("content-type", "application/json")
        .body(Body::from(list.to_string()))
        .unwrap()
}

/// What the parts of an API server say of themselves.
fn page() -> String {
    (0..60).map(|number| format!("[+]check-{number} ok\n")).collect()
}
