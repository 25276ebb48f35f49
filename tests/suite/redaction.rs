//! A review may carry secrets. What the server prints, answers and counts never repeats them.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::client::Client;
use crate::server::Server;
use crate::subjects::{approved, creation, resize, update};

/// Stands in every value that may be secret.
const MARKER: &str = "hunter2-marker";

#[tokio::test]
async fn secrets_stay_in_their_reviews() {
    // what libraries log as well, which may be less careful
    let mut server = Server::start_logging("debug", &[]);
    let mut client = server.client().await;
    for (name, body) in reviews() {
        assert!(contains(&body, MARKER), "{name} has no marker");
        for path in ["/validate", "/mutate"] {
            let (status, answer) = client.post(path, body.clone()).await;
            assert_eq!(status == StatusCode::OK, !name.starts_with("bad"), "{name}: {status}");
            assert!(!contains(&answer, MARKER), "{name}: {}", String::from_utf8_lossy(&answer));
        }
    }
    half_a_body(&server).await;
    secret_addresses(&server, &mut client).await;
    let (_, metrics) = server.admin("/metrics").await;
    let (_, ready) = server.admin("/readyz").await;
    assert!(!metrics.contains(MARKER) && !ready.contains(MARKER), "{metrics}{ready}");
    // labels tell kinds apart, never namespaces, objects or people
    for name in ["shop", "db-0", "developer", "app-container"] {
        assert!(!metrics.contains(name), "{name} in {metrics}");
    }

    server.terminate();
    assert!(server.wait().success());
    let lines = server.last_lines();
    let decisions = |level: &str| {
        lines.iter().filter(|line| line["message"] == "review" && line["level"] == level).count()
    };
    assert!(
        decisions("WARN") > 0 && decisions("INFO") > 0 && decisions("DEBUG") > 0,
        "one line each: {lines:#?}"
    );
    assert!(lines.iter().any(|line| line["message"] == "review failed"), "{lines:#?}");
    for line in &lines {
        assert!(!line.to_string().contains(MARKER), "{line}");
    }
}

/// Reviews whose values are marked. Those that cannot be judged are called bad.
fn reviews() -> Vec<(&'static str, Vec<u8>)> {
    let good = creation(&pod("256Mi"));
    let text = String::from_utf8(good.clone()).unwrap();
    let (begin, _) = text.split_at(text.find(MARKER).unwrap() + MARKER.len());
    let shaped = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1).into_bytes()
    };
    let other = shaped(r#""resource":"pods""#, r#""resource":"secrets""#);
    vec![
        ("a new pod", good.clone()),
        ("a decrease", resize(&pod("512Mi"), &pod("256Mi"))),
        ("an approved decrease", resize(&approved(pod("512Mi")), &approved(pod("256Mi")))),
        ("a grant that is none", update(&unapproved(pod("256Mi")), &pod("256Mi"))),
        ("an increase", resize(&pod("256Mi"), &pod("512Mi"))),
        ("an update", update(&pod("256Mi"), &pod("256Mi"))),
        ("a workload", creation(&deployment())),
        ("another kind", other),
        ("bad: cut off", begin.as_bytes().to_vec()),
        ("bad: no JSON", MARKER.as_bytes().to_vec()),
        ("bad: no UTF-8", [good.as_slice(), b"\xff"].concat()),
        ("bad: a list", json!([MARKER]).to_string().into_bytes()),
        (
            "bad: another kind",
            json!({"kind": MARKER, "apiVersion": MARKER}).to_string().into_bytes(),
        ),
        (
            "bad: a wrong type",
            shaped(r#""containers":["#, &format!(r#""initContainers":"{MARKER}","containers":["#)),
        ),
        ("bad: no quantity", shaped(r#""memory":"256Mi""#, &format!(r#""memory":"{MARKER}""#))),
        (
            "bad: a repeated field",
            shaped(r#""spec":{"#, &format!(r#""spec":{{"x":"{MARKER}"}},"spec":{{"#)),
        ),
        (
            "bad: a repeated operation",
            shaped(r#""operation":"CREATE""#, &format!(r#""operation":["{MARKER}"]"#)),
        ),
    ]
}

/// A pod with something for every rule to look at, and marked values.
fn pod(memory: &str) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "db-0", "namespace": "shop", "annotations": annotations(), "labels": {"team": MARKER}},
        "spec": spec(),
    });
    pod["spec"]["containers"][0]["resources"]["limits"]["memory"] = memory.into();
    pod
}

fn deployment() -> Value {
    let template = json!({"metadata": {"annotations": annotations()}, "spec": spec()});
    let metadata = json!({"name": "db", "namespace": "shop", "annotations": annotations()});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}})
}

/// Without the annotations of `pod`, so that whoever sends those adds them.
fn unapproved(mut pod: Value) -> Value {
    pod["metadata"].as_object_mut().unwrap().remove("annotations");
    pod
}

fn annotations() -> Value {
    json!({"note": MARKER, "approved-by-sre": MARKER, "restraint.dev/approve": MARKER, "restraint.dev/ignore": MARKER})
}

fn spec() -> Value {
    let script = format!(
        "export TOKEN={MARKER}; while inotifywait -e modify /etc/app/app.yaml; do kill -HUP $(pidof nginx-{MARKER}); done"
    );
    json!({
        "restartPolicy": "Always",
        "containers": [
            {
                "name": "app-container",
                "image": format!("registry.example/{MARKER}:1"),
                "command": ["sh", "-c", script],
                "args": [MARKER],
                "env": [{"name": "PASSWORD", "value": MARKER}, {"name": "LOGIN", "valueFrom": {"secretKeyRef": {"name": "login", "key": MARKER}}}],
                "resources": {"limits": {"memory": "256Mi"}},
                "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}, {"name": "config", "mountPath": "/etc/one", "subPath": MARKER}],
                "livenessProbe": {"exec": {"command": ["sh", "-c", format!("curl -u root:{MARKER} localhost")]}},
            },
            {"name": "other", "image": "nginx:1.25"},
        ],
        "volumes": [{"name": "config", "configMap": {"name": "app-config"}}],
    })
}

/// A body that breaks off after the secret.
async fn half_a_body(server: &Server) {
    let mut raw = server.begin("content-length: 1000").await;
    raw.write(format!(r#"{{"kind":"{MARKER}""#)).await;
    raw.finish().await;
    assert!(!raw.read_all().await.contains(MARKER));
}

/// Paths and headers are written by callers as well.
async fn secret_addresses(server: &Server, client: &mut Client) {
    let (status, text) = client.get(&format!("/{MARKER}?token={MARKER}")).await;
    assert!(status == StatusCode::NOT_FOUND && !text.contains(MARKER), "{text}");
    let (_, text) = server.admin(&format!("/{MARKER}")).await;
    assert!(!text.contains(MARKER), "{text}");
    let mut raw = server.raw().await;
    raw.write(format!("POST /validate HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {MARKER}\r\ncontent-length: 1\r\n\r\n{{")).await;
    assert!(!raw.answer().await.contains(MARKER));
}

fn contains(bytes: &[u8], marker: &str) -> bool {
    bytes.windows(marker.len()).any(|window| window == marker.as_bytes())
}
