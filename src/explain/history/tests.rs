use serde_json::{Value, json};

use super::*;

mod states;

fn pod(status: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "db-0", "namespace": "shop", "uid": "u2", "generation": 4, "creationTimestamp": "2026-11-21T10:00:00Z",
            "ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": true}],
        },
        "spec": {"containers": [{
            "name": "app",
            "resources": {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
            "resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}],
        }]},
        "status": status,
    })
}

fn ended(reason: &str, code: i32) -> Value {
    pod(json!({"phase": "Running", "containerStatuses": [{
        "name": "app", "restartCount": 3, "state": {"running": {}},
        "lastState": {"terminated": {"reason": reason, "exitCode": code, "finishedAt": "2026-11-21T12:00:00Z"}},
    }]}))
}

fn event(reason: &str, message: &str, time: &str) -> Value {
    let about = json!({"uid": "u2", "fieldPath": "spec.containers{app}"});
    json!({"reason": reason, "message": message, "lastTimestamp": time, "involvedObject": about})
}

fn read(pod: &Value) -> Unstructured {
    Unstructured::of(pod.clone(), "shop").unwrap()
}

fn history(pod: &Value, events: Option<Vec<Value>>) -> History {
    let context = HistoryContext { events, ..HistoryContext::default() };
    History::of(&read(pod), &context).unwrap()
}

/// Pods that take some of their fields from `more`.
fn with(mut pod: Value, more: &[(&str, Value)]) -> Value {
    for (pointer, value) in more {
        let (holder, key) = pointer.rsplit_once('/').unwrap();
        pod.pointer_mut(holder).unwrap()[key] = value.clone();
    }
    pod
}

fn told_by(pod: &Value, context: HistoryContext) -> History {
    History::of(&read(pod), &context).unwrap()
}

#[track_caller]
fn only(pod: &Value, events: Option<Vec<Value>>) -> (Cause, Certainty) {
    let history = history(pod, events);
    assert_eq!(history.restarts.len(), 1);
    (history.restarts[0].last.cause, history.restarts[0].last.certainty)
}

#[test]
fn ends_are_told_by_reason_and_code() {
    let cases = [
        ("OOMKilled", 137, Cause::OutOfMemory, Certainty::Certain),
        ("RestartingAllContainers", 137, Cause::RestartAllContainers, Certainty::Certain),
        ("ContainerStatusUnknown", 137, Cause::Lost, Certainty::Likely),
        ("StartError", 128, Cause::StartError, Certainty::Certain),
        ("Completed", 0, Cause::Completed, Certainty::Unknown),
        ("Error", 1, Cause::Crash, Certainty::Likely),
        ("Error", 139, Cause::Crash, Certainty::Likely),
        ("Error", 137, Cause::Killed, Certainty::Unknown),
        ("Error", 143, Cause::Killed, Certainty::Unknown),
    ];
    for (reason, code, cause, certainty) in cases {
        assert_eq!(
            only(&ended(reason, code), Some(Vec::new())),
            (cause, certainty),
            "{reason} {code}"
        );
    }
    let told = &history(&ended("Error", 139), None).restarts[0];
    assert_eq!((told.count, told.last.exit_code, told.last.signal), (3, Some(139), Some(11)));
    assert!(told.last.why.contains("segmentation fault"), "{}", told.last.why);
}

#[test]
fn events_say_who_ended_a_container() {
    let at = "2026-11-21T11:59:50Z";
    let cases = [
        ("Container app failed liveness probe, will be restarted", Cause::LivenessProbe),
        ("Container app failed startup probe, will be restarted", Cause::StartupProbe),
        ("Container app resize requires restart", Cause::Resize),
        ("Container app definition changed, will be restarted", Cause::DefinitionChanged),
    ];
    for (message, cause) in cases {
        assert_eq!(
            only(&ended("Error", 137), Some(vec![event("Killing", message, at)])),
            (cause, Certainty::Certain),
            "{message}"
        );
        // one of long ago is about another end
        let old = event("Killing", message, "2026-11-21T11:00:00Z");
        assert_eq!(
            only(&ended("Error", 137), Some(vec![old])),
            (Cause::Killed, Certainty::Unknown),
            "{message}"
        );
        let mut other = event("Killing", message, at);
        other["involvedObject"]["fieldPath"] = json!("spec.containers{proxy}");
        assert_eq!(
            only(&ended("Error", 137), Some(vec![other])),
            (Cause::Killed, Certainty::Unknown),
            "{message}"
        );
    }
    let resized = || event("ResizeCompleted", "{}", at);
    assert_eq!(
        only(&ended("Error", 143), Some(vec![resized()])),
        (Cause::Resize, Certainty::Likely)
    );
    // a process that failed by itself was not ended by a resize
    assert_eq!(only(&ended("Error", 1), Some(vec![resized()])), (Cause::Crash, Certainty::Likely));
    let mut pod = ended("Error", 143);
    pod["spec"]["containers"][0]["resizePolicy"] = Value::Null;
    assert_eq!(only(&pod, Some(vec![resized()])), (Cause::Killed, Certainty::Unknown));
}

#[test]
fn what_cannot_be_known_is_said() {
    let unknown = history(&ended("Error", 1), None).unknown;
    assert!(unknown.iter().any(|line| line.contains("events cannot be read")), "{unknown:?}");
    assert!(unknown.iter().any(|line| line.contains("2 earlier ends")), "{unknown:?}");
    let unknown = history(
        &pod(json!({"phase": "Running"})),
        Some(vec![event("Started", "", "2026-11-21T12:00:00Z")]),
    )
    .unknown;
    assert_eq!(unknown, Vec::<String>::new());
}

fn resize(conditions: &Value, actual: &str, allocated: &str) -> Resize {
    let status = json!({
        "phase": "Running", "observedGeneration": 4, "conditions": conditions,
        "containerStatuses": [{
            "name": "app", "restartCount": 0, "state": {"running": {}},
            "allocatedResources": {"cpu": "200m", "memory": allocated},
            "resources": {"requests": {"cpu": "0.2", "memory": allocated}, "limits": {"memory": actual}},
        }],
    });
    history(&pod(status), None).resize
}

#[test]
fn resizes_are_told_by_conditions() {
    use super::ResizeState as State;
    let condition = |kind: &str, reason: &str, generation: i64| {
        let mut condition =
            json!({"type": kind, "status": "True", "reason": reason, "message": "m"});
        condition["observedGeneration"] = json!(generation);
        json!([condition])
    };
    let state = |conditions: Value| resize(&conditions, "1Gi", "256Mi").state;
    assert_eq!(state(condition("PodResizePending", "Deferred", 4)), State::Deferred);
    assert_eq!(state(condition("PodResizePending", "Infeasible", 4)), State::Infeasible);
    assert_eq!(state(condition("PodResizeInProgress", "", 4)), State::InProgress);
    assert_eq!(state(condition("PodResizeInProgress", "Error", 4)), State::Error);
    assert_eq!(state(json!([])), State::Unseen);
    assert_eq!(resize(&json!([]), "512Mi", "256Mi").state, State::Settled);
    // false is not true
    let mut off = condition("PodResizePending", "Deferred", 4);
    off[0]["status"] = json!("False");
    assert_eq!(resize(&off, "512Mi", "256Mi").state, State::Settled);

    let behind = resize(&condition("PodResizeInProgress", "Error", 3), "1Gi", "128Mi");
    assert!(
        behind.why.ends_with("the spec has changed since (generation 3 of 4)"),
        "{}",
        behind.why
    );
    let rows: Vec<_> = behind
        .differing
        .iter()
        .map(|row| {
            (
                row.resource.as_str(),
                row.desired.as_deref(),
                row.allocated.as_deref(),
                row.actual.as_deref(),
            )
        })
        .collect();
    let expected = [
        ("requests.memory", Some("256Mi"), Some("128Mi"), Some("128Mi")),
        ("limits.memory", Some("512Mi"), None, Some("1Gi")),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn another_pod_in_its_place_is_told_by_uid_or_age() {
    let fresh = pod(json!({"phase": "Running"}));
    let mut earlier = event("Killing", "", "2026-11-21T09:59:00Z");
    earlier["involvedObject"]["uid"] = json!("u1");
    let told = history(&fresh, Some(vec![earlier])).recreation.unwrap();
    assert_eq!(told.certainty, Certainty::Certain);
    let aged = |created: &str| {
        let owner_created = Some(created.parse().unwrap());
        let context = HistoryContext { owner_created, ..HistoryContext::default() };
        History::of(&read(&fresh), &context).unwrap().recreation.map(|told| told.certainty)
    };
    assert_eq!(aged("2026-11-01T00:00:00Z"), Some(Certainty::Unknown));
    assert_eq!(aged("2026-11-21T09:59:58Z"), None);
}

#[test]
fn what_goes_on_with_the_whole_pod_is_told() {
    let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "reason": "R", "message": "m"});
    let status = |conditions: Value| {
        history(&pod(json!({"phase": "Running", "conditions": conditions})), None).now
    };
    assert_eq!(
        status(json!([condition("AllContainersRestarting", "False"), condition("Ready", "True")])),
        Vec::<String>::new()
    );
    let told = status(json!([
        condition("AllContainersRestarting", "True"),
        condition("DisruptionTarget", "True")
    ]));
    assert!(told[0].starts_with("all containers are being restarted in place (R)"), "{told:?}");
    let evicted = history(&pod(json!({"phase": "Failed", "reason": "Evicted"})), None);
    assert!(evicted.now[0].starts_with("the kubelet evicted the pod"), "{:?}", evicted.now);
    assert_eq!(evicted.whole.state, State::Evicted);
}

#[test]
fn odd_values_are_no_reason_to_panic() {
    for value in [json!({"kind": "Node"}), json!({"kind": "Pod", "status": 3})] {
        let mut value = value;
        value["apiVersion"] = json!("v1");
        assert!(History::of(&read(&value), &HistoryContext::default()).is_err(), "{value}");
    }
    let bare =
        history(&json!({"apiVersion": "v1", "kind": "Pod"}), Some(vec![json!({}), json!(null)]));
    assert_eq!((bare.restarts, bare.recreation), (Vec::new(), None));
}
