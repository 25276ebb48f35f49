use std::fs::{self, File, OpenOptions};
use std::io;

use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::judge::subject::Subject;
use crate::recording::Lines;
use crate::review::decode;
use crate::serve::metrics::Metrics;

use super::*;

const LIMIT: u64 = 1 << 20;

fn body(secret: &str) -> Bytes {
    let env = json!([{"name": "PASSWORD", "value": secret}]);
    let pod = json!({"spec": {"containers": [{"name": "app", "env": env}]}});
    let resource = json!({"group": "", "version": "v1", "resource": "pods"});
    let request = json!({"uid": "u", "operation": "CREATE", "resource": resource, "object": pod});
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
        .to_string()
        .into()
}

fn take(recorder: &Recorder, body: &Bytes) {
    let review = decode(body).unwrap();
    let subject: &Subject<'_> = &review.subject;
    let reply = br#"{"response":{"allowed":true}}"#;
    recorder.take(
        Path::Validate,
        &Policies::default(),
        subject,
        &Verdict::default(),
        (body, reply),
    );
}

fn started(
    make: fn(&std::path::Path) -> io::Result<File>,
) -> (RecorderThread, SharedMetrics, TempDir) {
    let (folder, metrics) = (tempdir().unwrap(), Arc::new(Metrics::new()));
    let segments = Segments::open_with(&folder.path().join("own"), LIMIT, make).unwrap();
    (RecorderThread::start(segments, Arc::clone(&metrics)).unwrap(), metrics, folder)
}

fn counted(metrics: &Metrics, outcome: &str) -> u64 {
    let line = format!("restraint_recordings_total{{outcome=\"{outcome}\"}} ");
    let text = metrics.render();
    text.lines().find_map(|text| text.strip_prefix(&line)?.parse().ok()).unwrap()
}

fn new_file(path: &std::path::Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).open(path)
}

#[test]
fn what_is_taken_is_written_without_its_secrets() {
    let (thread, metrics, folder) = started(new_file);
    for secret in ["hunter2 one", "hunter2 one", "hunter2 two"] {
        take(&thread.recorder(), &body(secret));
    }
    thread.stop();
    assert_eq!(counted(&metrics, "written"), 3);
    let text = fs::read_to_string(folder.path().join("own/recording-0000000000.jsonl")).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    let recordings: Vec<_> = Lines::of(text.as_bytes()).map(Result::unwrap).collect();
    let [one, same, other] = recordings.as_slice() else { panic!("{text}") };
    assert_eq!(one.review.get(), same.review.get(), "equal stays equal");
    assert_ne!(one.review.get(), other.review.get());
}

#[test]
fn a_full_disk_is_counted() {
    let (thread, metrics, _folder) = started(|_| OpenOptions::new().append(true).open("/dev/full"));
    let recorder = thread.recorder();
    take(&recorder, &body("x"));
    take(&recorder, &body("x"));
    thread.stop();
    assert_eq!((counted(&metrics, "failed"), counted(&metrics, "written")), (2, 0));
    assert_eq!(recorder.waiting.load(Ordering::Relaxed), 0, "its room is given back");
}

#[test]
fn what_cannot_wait_is_dropped_and_counted() {
    let (queue, messages) = sync_channel(WAITING);
    let metrics = Arc::new(Metrics::new());
    let recorder = Recorder { queue, waiting: Arc::default(), metrics: Arc::clone(&metrics) };
    let large = body(&"x".repeat(WAITING_BYTES / 2));
    (0..3).for_each(|_| take(&recorder, &large));
    assert_eq!(counted(&metrics, "dropped"), 2, "there is room for one");
    assert!(recorder.waiting.load(Ordering::Relaxed) < WAITING_BYTES);
    (0..WAITING).for_each(|_| take(&recorder, &body("x")));
    assert_eq!(counted(&metrics, "dropped"), 3, "so many wait and no more");
    drop(messages);
    take(&recorder, &body("x"));
    assert_eq!(counted(&metrics, "dropped"), 4);
}
