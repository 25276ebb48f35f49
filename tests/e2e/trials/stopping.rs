//! Restarts of Restraint while pods are being created.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::installation::Installation;
use crate::pods::pod;
use crate::space::Space;
use crate::world::cluster;

use super::trial;

/// As many kubectl at once: enough for reviews to overlap.
const CREATORS: usize = 4;

/// Pods in one call of kubectl.
const BATCH: usize = 10;

/// At least so many pods are created.
const PODS: usize = 200;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "stopping: no creation is lost while one replica takes over from another",
            taking_over,
        ),
        trial("stopping: every review that was begun is answered", begun_reviews),
    ]
}

/// As in a rolling update: the next replica is ready, the old one is told to end, and the Service
/// leads to the next while the old one still serves, for as long as it does by default.
fn taking_over() {
    let installation = Installation::new(cluster(), "taking-over", &[]);
    let space = installation.space();
    let next = installation.start_at("127.0.0.2");
    let created = create_while(&space, || {
        reviewed(&space, PODS / 4);
        let mut old = installation.replace(next);
        old.terminate();
        installation.lead_to("127.0.0.2");
        assert!(old.wait().success());
        reviewed(&space, PODS / 4);
    });
    assert!(created.len() >= PODS);
    let missed: Vec<_> =
        created.iter().filter(|pod| !is_amended(pod)).map(|pod| &pod["metadata"]["name"]).collect();
    assert!(
        missed.is_empty(),
        "{} of {} pods were created without being asked about: {missed:?}",
        missed.len(),
        created.len()
    );
    assert_eq!(unanswered(&space, created.len()), 0);
}

/// Nobody takes over: what comes after the end is refused at the door, and what came before is
/// answered.
fn begun_reviews() {
    let installation = Installation::new(cluster(), "stopping", &["--drain-delay", "0"]);
    let space = installation.space();
    let mut reviews = Vec::new();
    let created = create_while(&space, || {
        reviewed(&space, PODS / 4);
        let mut replica = installation.take().unwrap();
        replica.terminate();
        assert!(replica.wait().success());
        reviews = replica.reviews(|_| true);
    });
    let amended: BTreeSet<_> = created
        .iter()
        .filter(|pod| is_amended(pod))
        .map(|pod| pod["metadata"]["name"].as_str().unwrap())
        .collect();
    let begun: BTreeSet<_> = reviews
        .iter()
        .filter(|review| review["namespace"] == space.name() && review["path"] == "mutate")
        .map(|review| review["name"].as_str().unwrap())
        .collect();
    assert_eq!(begun, amended);
    assert!(amended.len() < created.len(), "some came after the end");
    assert!(unanswered(&space, created.len()) > 0, "and the API server says so");
}

/// Creates pods while `meanwhile` runs, some after it, and until there are enough; returns them as
/// they were stored.
pub(super) fn create_while(space: &Space<'_>, meanwhile: impl FnOnce()) -> Vec<Value> {
    let (done, next) = (AtomicBool::new(false), AtomicUsize::new(0));
    let create = || {
        loop {
            let last = done.load(Ordering::Relaxed);
            let first = next.fetch_add(BATCH, Ordering::Relaxed);
            let pods: Vec<_> =
                (first..first + BATCH).map(|number| pod(&format!("pod-{number}"))).collect();
            let list = json!({"apiVersion": "v1", "kind": "List", "items": pods}).to_string();
            space.kubectl().feed(&["create", "--filename", "-"], &list).accepted();
            if last && next.load(Ordering::Relaxed) >= PODS {
                break;
            }
        }
    };
    thread::scope(|scope| {
        let creators: Vec<_> = (0..CREATORS).map(|_| scope.spawn(create)).collect();
        // whoever waits for the end must not wait for ever when this panics
        let outcome = catch_unwind(AssertUnwindSafe(meanwhile));
        done.store(true, Ordering::Relaxed);
        for result in creators.into_iter().map(|creator| creator.join()).chain([outcome]) {
            result.unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    let mut stored = space.object(&["get", "pods"]);
    let Value::Array(pods) = stored["items"].take() else { panic!("no list: {stored}") };
    assert_eq!(pods.len(), next.into_inner());
    pods
}

/// Waits until so many creations in the space were judged by the replica that runs.
pub(super) fn reviewed(space: &Space<'_>, count: usize) {
    eventually("pods are judged", || (space.logged_reviews().len() >= count).then_some(()));
}

/// How many creations went on without an answer from a webhook that they should have had, of so
/// many.
fn unanswered(space: &Space<'_>, created: usize) -> usize {
    let events = eventually("the creations are in the audit log", || {
        let mut events = cluster().audit_log(|line| line.contains(space.name()));
        events.retain(|event| event.is_within(space.name()));
        (events.len() >= created).then_some(events)
    });
    let failed_open = |key: &str| key.starts_with("failed-open.");
    events.iter().filter(|event| event.annotation_keys().any(failed_open)).count()
}

pub(super) fn is_amended(pod: &Value) -> bool {
    pod["spec"]["containers"][0]["resizePolicy"].is_array()
}
