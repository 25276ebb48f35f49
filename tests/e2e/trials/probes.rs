//! `restraint resize --probe`: a service is asked while its pod is resized.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::kubectl::{Kubectl, Outcome, Person};
use crate::kubelet;
use crate::recorded::{Recorded, asked, runs};
use crate::space::Space;
use crate::world::enforcing;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("probes: a resize that nobody notices is measured before, during and after", calm),
        trial("probes: a pod that breaks a condition is put back", broken),
        trial("probes: nothing is begun while a probe has no answer", unanswered),
        trial("probes: the API server is asked for a Service, by whoever may", proxied),
    ]
}

/// A service that answers with 503 while that is wanted.
struct Service {
    port: u16,
    fails: Arc<AtomicBool>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let fails = Arc::new(AtomicBool::new(false));
        let wanted = Arc::clone(&fails);
        spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let head = BufReader::new(&stream).lines().map_while(Result::ok);
                head.take_while(|line| !line.is_empty()).for_each(drop);
                let status = if wanted.load(Ordering::Relaxed) { "503 Busy" } else { "200 OK" };
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                // whoever asked may be gone
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { port, fails }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/healthz", self.port)
    }
}

/// A space with a pod "db" that has these resources.
fn started<'i>(history: &Recorded, resources: &Value) -> Space<'i> {
    let space = enforcing().space();
    kubelet::join(&space);
    history.start(&space, "db", &history.resources(resources), &Value::Null);
    space
}

/// Resizes the pod beside the stand-in.
fn begin(kubectl: Kubectl, flags: &[&str]) -> JoinHandle<Outcome> {
    let quiet = ["--yes", "--settle", "0s", "--output", "json", "--rate", "50"];
    let margin = ["--probe-margin", "300ms"];
    let words = ["resize", "pod/db"].iter().chain(flags).chain(&quiet).chain(&margin);
    let line: Vec<String> = words.map(|&word| word.to_owned()).collect();
    spawn(move || kubectl.restraint(&line.iter().map(String::as_str).collect::<Vec<_>>()))
}

#[track_caller]
fn ended(run: JoinHandle<Outcome>, code: i32) -> Value {
    let outcome = run.join().unwrap();
    assert_eq!(outcome.code(), Some(code), "{outcome:#?}");
    outcome.object()
}

fn calm() {
    let (service, folder) = (Service::start(), tempfile::tempdir().unwrap());
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &json!({"limits": {"memory": "64Mi"}}));
    let page = folder.path().join("report.html");
    let flags = ["--memory", "96Mi", "--max-errors", "0", "--report", page.to_str().unwrap()];
    let url = service.url();
    let run =
        begin(space.by(Person::Developer), &[&["--probe", url.as_str()], &flags[..]].concat());
    asked(&space, "db", 2);
    history.play(&space, "db");
    let report = ended(run, 0);
    assert_eq!((&report["result"], &report["pods"][0]["breach"]), (&json!("done"), &Value::Null));
    let probes = &report["probes"];
    assert_eq!((&probes["probes"][0]["probe"], &probes["broken"]), (&json!(url), &json!([])));
    for (place, phase) in ["before", "during", "after"].into_iter().enumerate() {
        let numbers = &probes["probes"][0]["phases"][place];
        assert_eq!((&numbers["phase"], &numbers["errors"]), (&json!(phase), &json!(0)));
        assert!(numbers["ok"].as_u64().unwrap() > 0, "{numbers}");
    }
    let marks: Vec<_> =
        probes["marks"].as_array().unwrap().iter().map(|mark| &mark["label"]).collect();
    assert_eq!(marks, ["pod/db (1 of 1)", "pod/db: done in place, no restart"]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<title>resize of pod/db</title>") && page.contains("</svg>"), "{page}");
}

fn broken() {
    let service = Service::start();
    let history = Recorded::read("infeasible");
    let space = started(&history, &json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}));
    let url = service.url();
    let flags = ["--cpu", "app=500m", "--probe", &url, "--max-errors", "3"];
    let run = begin(space.by(Person::Developer), &flags);
    asked(&space, "db", 2);
    service.fails.store(true, Ordering::Relaxed);
    asked(&space, "db", 3);
    runs(&space, "db");
    let report = ended(run, 1);
    let pod = &report["pods"][0];
    assert_eq!((&pod["done"], &pod["putBack"]["done"]), (&json!(false), &json!(true)), "{pod}");
    assert_eq!(pod["breach"]["condition"], "--max-errors", "{pod}");
    assert_eq!(pod["timedOut"], false, "{pod}");
    let broken = &report["probes"]["broken"][0];
    assert_eq!((&broken["window"], &broken["limit"]), (&json!("change"), &json!("3")));
    let cpu = &space.pod("db")["spec"]["containers"][0]["resources"]["limits"]["cpu"];
    assert_eq!(cpu, "1");
}

fn unanswered() {
    let service = Service::start();
    service.fails.store(true, Ordering::Relaxed);
    let space =
        started(&Recorded::read("memory-resize-live"), &json!({"limits": {"memory": "64Mi"}}));
    let url = service.url();
    let run = begin(space.by(Person::Developer), &["--memory", "96Mi", "--probe", &url]);
    let report = ended(run, 2);
    let why = report["why"].as_str().unwrap();
    assert!(why.starts_with(&format!("probe {url:?} has no successful answer: ")), "{why}");
    assert!(why.ends_with(" status 503"), "{why}");
    assert_eq!(space.pod("db")["metadata"]["generation"], 1);
}

fn proxied() {
    let space =
        started(&Recorded::read("memory-resize-live"), &json!({"limits": {"memory": "64Mi"}}));
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": {"selector": {"app": "db"}, "ports": [{"port": 80}]}});
    space.create(&service).accepted();
    let flags = ["--memory", "96Mi", "--probe", "service:db:80/healthz"];
    // no controller runs here that tells who is behind it: the API server knows nobody
    let report = ended(begin(space.by(Person::Developer), &flags), 2);
    let why = report["why"].as_str().unwrap();
    assert!(why.ends_with(" status 404"), "{why}");
    let outcome = begin(space.by(Person::Sre), &flags).join().unwrap();
    assert_eq!(outcome.code(), Some(2));
    let said = outcome.refused();
    assert!(said.contains("get services/proxy"), "{said}");
    assert_eq!(space.pod("db")["metadata"]["generation"], 1);
}
