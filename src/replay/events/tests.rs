//! The traps of a log, each as small as it can be.

mod judged;
mod remembered;

use serde_json::{Value, json};

use super::*;

const GIB: &str = "1Gi";

/// A log that is made up, and what is told of it.
struct Log {
    lines: Vec<String>,
}

/// A request that is made up.
#[derive(Clone, Debug)]
struct Made(Value);

fn request(verb: &str, subresource: &str, name: &str) -> Made {
    Made(json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse",
        "stage": "ResponseComplete", "verb": verb, "requestURI": "/api",
        "user": {"username": "dev", "groups": ["developers"]},
        "objectRef": {"resource": "pods", "apiVersion": "v1", "namespace": "shop", "name": name, "subresource": subresource},
        "responseStatus": {"code": 200},
    }))
}

impl Made {
    fn with(mut self, field: &str, value: Value) -> Self {
        self.0[field] = value;
        self
    }

    /// With this body, and this answer where the level has it.
    fn body(self, body: Value) -> Self {
        self.with("requestObject", body)
    }

    fn answer(self, object: Value) -> Self {
        self.with("responseObject", object)
    }

    fn code(self, code: i64) -> Self {
        self.with("responseStatus", json!({"code": code, "reason": "Forbidden"}))
    }

    fn by(self, user: &str) -> Self {
        self.with("user", json!({"username": user}))
    }
}

/// A pod `db` with a memory limit and a request of 128Mi, as stored.
fn pod(limit: &str, generation: i64) -> Value {
    let (limits, requests) =
        (json!({"memory": limit, "cpu": "1"}), json!({"memory": "128Mi", "cpu": "100m"}));
    pod_with(json!({"limits": limits, "requests": requests}), generation)
}

fn pod_with(resources: Value, generation: i64) -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": "db", "namespace": "shop", "uid": "u1", "generation": generation,
            "resourceVersion": (100 + generation).to_string()},
        "spec": {"nodeName": "node", "containers": [{"name": "app", "resources": resources}]},
        "status": {"qosClass": "Burstable"},
    })
}

/// A strategic merge patch of the memory limit.
fn limit(limit: &str) -> Value {
    json!({"spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": limit}}}]}})
}

fn resize(to: &str) -> Made {
    request("patch", "resize", "db").body(limit(to))
}

fn create(pod: Value) -> Made {
    request("create", "", "db").code(201).body(asked(&pod)).answer(pod)
}

/// What a client sends: nothing that the API server adds.
fn asked(pod: &Value) -> Value {
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "db"}, "spec": {"containers": pod["spec"]["containers"]}})
}

impl Log {
    /// The events of these requests, one a second.
    fn of(level: &str, requests: impl IntoIterator<Item = Made>) -> Self {
        let lines = requests.into_iter().enumerate().map(|(number, Made(mut event))| {
            event["auditID"] = json!(format!("id-{number}"));
            let time = format!("2026-11-21T10:00:{number:02}Z");
            event["requestReceivedTimestamp"] = json!(time);
            event["stageTimestamp"] = json!(time);
            if event["level"] == "RequestResponse" {
                event["level"] = json!(level);
            }
            let fields = event.as_object_mut().unwrap();
            if level != "RequestResponse" {
                fields.remove("responseObject");
            }
            if level == "Metadata" {
                fields.remove("requestObject");
            }
            event.to_string()
        });
        Self { lines: lines.collect() }
    }

    fn entries_by(&self, policies: &Policies, takes_words: bool) -> Vec<Entry> {
        let mut replay = Replay::of(policies, None, policies.cap(), 100);
        replay.takes_words = takes_words;
        self.lines.iter().filter_map(|line| replay.event(line.as_bytes()).unwrap()).collect()
    }

    fn entries(&self) -> Vec<Entry> {
        self.entries_by(&Policies::embedded(), true)
    }

    /// The decision about the last request, and its reason.
    fn last(&self) -> (Decision, String) {
        let entry = self.entries().pop().unwrap();
        (entry.decision, entry.reason)
    }
}

fn full(requests: impl IntoIterator<Item = Made>) -> (Decision, String) {
    Log::of("RequestResponse", requests).last()
}

fn asked_only(requests: impl IntoIterator<Item = Made>) -> (Decision, String) {
    Log::of("Request", requests).last()
}

use Decision::{Allowed, Amended, Denied, Refused, Restored, Unknown, Warned};

#[test]
fn a_decrease_is_denied_where_the_pod_before_is_known() {
    let requests = || [create(pod(GIB, 1)), resize("512Mi").answer(pod("512Mi", 2))];
    let (decision, reason) = full(requests());
    assert_eq!(decision, Denied);
    assert!(reason.contains("memory limit 1Gi -> 512Mi is not approved"), "{reason}");
    assert_eq!(asked_only(requests()).0, Denied);
    let (decision, reason) = Log::of("Metadata", requests()).last();
    assert_eq!((decision, &*reason), (Unknown, "the log has no objects of this request"));
    let entry = Log::of("RequestResponse", requests()).entries().pop().unwrap();
    assert_eq!(entry.rules.into_iter().collect::<Vec<_>>(), ["memory-limit-decrease"]);
    assert_eq!(
        (&*entry.resource, entry.operation, &*entry.requester),
        ("pods/resize", "UPDATE", "dev")
    );
}

#[test]
fn growth_and_the_same_in_other_words_are_allowed() {
    for to in ["2Gi", "1024Mi", "1073741824"] {
        let (generation, old) = if to == "2Gi" { (2, GIB) } else { (1, to) };
        let answer = pod(if to == "2Gi" { to } else { old }, generation);
        let requests = || [create(pod(GIB, 1)), resize(to).answer(answer.clone())];
        assert_eq!(full(requests()).0, Allowed, "{to}");
        assert_eq!(asked_only(requests()).0, Allowed, "{to}");
    }
}

#[test]
fn nothing_is_guessed_without_an_earlier_state() {
    let (decision, reason) = full([resize("512Mi").answer(pod("512Mi", 2))]);
    assert_eq!((decision, &*reason), (Unknown, "no earlier state of the pod in the log"));
    assert_eq!(asked_only([resize("512Mi")]).0, Unknown);
    let nothing_changed = full([resize("512Mi").answer(pod("512Mi", 1))]);
    assert_eq!(nothing_changed.0, Allowed, "generation 1 never changed");
}

#[test]
fn reads_lists_and_statuses_tell_of_a_pod() {
    let after = || resize("512Mi").answer(pod("512Mi", 2));
    for seen in [
        request("get", "", "db").answer(pod(GIB, 1)),
        request("get", "resize", "db").answer(pod(GIB, 1)),
        request("patch", "status", "db").answer(pod(GIB, 1)),
        request("patch", "ephemeralcontainers", "db").answer(pod(GIB, 1)),
        request("list", "", "").answer(json!({"kind": "PodList", "items": [pod(GIB, 1)]})),
    ] {
        assert_eq!(full([seen, after()]).0, Denied);
    }
    let table = json!({"kind": "Table", "rows": [{"object": pod(GIB, 1)}]});
    let partial = json!({"kind": "PartialObjectMetadata", "metadata": pod(GIB, 1)["metadata"]});
    let mut nameless = pod(GIB, 1);
    nameless["metadata"]["uid"].take();
    for unseen in [table, partial, nameless] {
        assert_eq!(full([request("get", "", "db").answer(unseen), after()]).0, Unknown);
    }
}

#[test]
fn dry_runs_change_nothing() {
    let tried =
        || resize("512Mi").with("requestURI", json!("/api?dryRun=All")).answer(pod("512Mi", 2));
    let requests = || [create(pod(GIB, 1)), tried(), resize("768Mi").answer(pod("768Mi", 2))];
    for level in ["RequestResponse", "Request"] {
        let entries = Log::of(level, requests()).entries();
        let decisions: Vec<_> = entries.iter().map(|one| (one.dry_run, one.decision)).collect();
        assert_eq!(decisions[1..], [(true, Denied), (false, Denied)], "{level}");
    }
}

#[test]
fn refusals_change_nothing_and_are_counted() {
    for code in [403, 404, 409, 422, 500] {
        let refused = || resize("512Mi").code(code);
        let entries = Log::of("Request", [create(pod(GIB, 1)), refused(), resize("2Gi")]).entries();
        assert_eq!(entries[1].decision, Refused, "{code}");
        let expected = if code == 404 { Unknown } else { Allowed };
        assert_eq!(entries[2].decision, expected, "a pod that is not there has no state");
    }
    let failed =
        Log::of("Request", [create(pod(GIB, 1)), resize("512Mi").code(504), resize("768Mi")]);
    let decisions: Vec<_> = failed.entries().iter().map(|one| one.decision).collect();
    assert_eq!(decisions[1..], [Unknown, Unknown], "it may have been done");
}

#[test]
fn another_pod_of_the_name_is_another_pod() {
    let mut other = pod("512Mi", 2);
    other["metadata"]["uid"] = json!("u2");
    let (decision, reason) = full([create(pod(GIB, 1)), resize("512Mi").answer(other)]);
    assert_eq!(
        (decision, &*reason),
        (Unknown, "the earlier state in the log is of another pod of this name")
    );
    let gone = [create(pod(GIB, 1)), request("delete", "", "db"), resize("512Mi")];
    assert_eq!(asked_only(gone).0, Unknown);
    let again = [
        create(pod(GIB, 1)),
        request("delete", "", "db"),
        create(pod("256Mi", 1)),
        resize("512Mi"),
    ];
    assert_eq!(asked_only(again).0, Allowed);
    let all = [create(pod(GIB, 1)), request("deletecollection", "", ""), resize("512Mi")];
    assert_eq!(asked_only(all).0, Unknown);
    let tried = request("delete", "", "db").body(json!({"dryRun": ["All"]}));
    assert_eq!(asked_only([create(pod(GIB, 1)), tried, resize("512Mi")]).0, Denied);
}

#[test]
fn a_jump_of_the_generation_gives_a_missing_event_away() {
    let (decision, reason) = full([create(pod(GIB, 1)), resize("512Mi").answer(pod("512Mi", 3))]);
    assert_eq!(decision, Unknown);
    assert!(reason.contains("from generation 1 to 3"), "{reason}");
    // an apply in between that the log does not have, and a resize that changes nothing any more
    let mut applied = pod("2Gi", 2);
    applied["metadata"]["managedFields"] =
        json!([{"manager": "gitops", "subresource": "resize", "time": "2026-11-21T09:00:00Z"}]);
    assert_eq!(full([create(pod(GIB, 1)), resize("2Gi").answer(applied)]).0, Unknown);
    let more = pod_with(json!({"limits": {"memory": "512Mi"}, "requests": {"memory": "64Mi"}}), 2);
    assert_eq!(
        full([create(pod(GIB, 1)), resize("512Mi").answer(more)]).0,
        Unknown,
        "another part changed too"
    );
}

#[test]
fn a_write_without_an_end_leaves_the_state_open() {
    let begun = request("patch", "resize", "db").with("stage", json!("RequestReceived"));
    let (decision, reason) = asked_only([create(pod(GIB, 1)), begun, resize("512Mi")]);
    assert_eq!(decision, Unknown);
    assert!(reason.contains("outcome is not in the log"), "{reason}");
    // its own does not
    let mut log = Log::of("Request", [create(pod(GIB, 1)), resize("512Mi"), resize("512Mi")]);
    log.lines[1] =
        log.lines[1].replace("ResponseComplete", "RequestReceived").replace("id-1", "id-2");
    assert_eq!(log.last().0, Denied);
}

#[test]
fn stale_answers_are_no_news() {
    let stale = request("get", "", "db").answer(pod("2Gi", 1));
    let requests = [
        create(pod(GIB, 1)),
        resize("3Gi").answer(pod("3Gi", 2)),
        stale,
        resize("2Gi").answer(pod("2Gi", 3)),
    ];
    assert_eq!(full(requests).0, Denied, "from 3Gi, whatever a cache said later");
}

#[test]
fn a_first_limit_may_be_an_increase_where_a_limit_range_may_have_added_one() {
    let bare = pod_with(json!({"requests": {"memory": "128Mi"}}), 1);
    let requests = || [create(bare.clone()), resize("512Mi").answer(pod("512Mi", 2))];
    assert_eq!(full(requests()).0, Denied, "the answer has all that was added");
    let (decision, reason) = asked_only(requests());
    assert_eq!(
        (decision, &*reason),
        (Unknown, "what a LimitRange may have added is not in the log")
    );
}

#[test]
fn taking_growth_back_depends_on_what_was_carried_out() {
    let grown = || resize("2Gi").answer(pod("2Gi", 2));
    let mut waiting = pod(GIB, 3);
    waiting["status"] = json!({
        "conditions": [{"type": "PodResizePending", "status": "True", "reason": "Deferred", "observedGeneration": 2}],
        "containerStatuses": [{"name": "app", "resources": {"limits": {"memory": GIB}, "requests": {"memory": "128Mi"}}}],
    });
    let mut seen = pod("2Gi", 2);
    seen["status"] = waiting["status"].clone();
    let seen = request("get", "", "db").answer(seen);
    assert_eq!(full([create(pod(GIB, 1)), grown(), seen, resize(GIB)]).0, Allowed);
    let back = |answer: Value| resize(GIB).answer(answer);
    assert_eq!(full([create(pod(GIB, 1)), grown(), back(waiting)]).0, Allowed);
    assert_eq!(full([create(pod(GIB, 1)), grown(), back(pod(GIB, 3))]).0, Denied);
    let (decision, reason) = asked_only([create(pod(GIB, 1)), grown(), back(pod(GIB, 3))]);
    assert_eq!(
        (decision, &*reason),
        (Unknown, "what the pod has since its last resize is not in the log")
    );
}

#[test]
fn a_restart_depends_on_a_node() {
    let restarting = |node: Option<&str>, limit: &str, generation: i64| {
        let mut pod = pod(limit, generation);
        pod["spec"]["nodeName"] = json!(node);
        pod["spec"]["containers"][0]["resizePolicy"] =
            json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}]);
        pod
    };
    let of =
        |node| [create(restarting(node, GIB, 1)), resize("2Gi").answer(restarting(node, "2Gi", 2))];
    assert_eq!(full(of(None)).0, Allowed);
    assert_eq!(full(of(Some("node"))).0, Warned);
    let (decision, reason) = asked_only(of(None));
    assert_eq!((decision, &*reason), (Unknown, "whether the pod was on a node is not in the log"));
    let mut bound = request("create", "binding", "db").code(201);
    bound = bound.body(json!({"target": {"kind": "Node", "name": "node"}}));
    let [created, resized] = of(None);
    assert_eq!(asked_only([created, bound, resized]).0, Warned);
}

#[test]
fn the_type_of_a_patch_counts_only_where_it_matters() {
    let two = json!([
        {"name": "app", "resources": {"limits": {"memory": GIB}, "requests": {"memory": "128Mi"}}},
        {"name": "log", "resources": {"limits": {"memory": "64Mi"}, "requests": {"memory": "64Mi"}}},
    ]);
    let mut both = pod(GIB, 1);
    both["spec"]["containers"] = two;
    // a merge patch would take the second container away, which is refused
    assert_eq!(asked_only([create(both.clone()), resize("512Mi")]).0, Denied);
    let whole = json!({"spec": {"containers": [
        {"name": "app", "resources": {"limits": {"memory": "2Gi"}, "requests": {"memory": "128Mi"}}},
        {"name": "log", "resources": {"limits": {"memory": "32Mi"}, "requests": {"memory": "32Mi"}}},
    ]}});
    let merge = request("patch", "resize", "db").body(whole);
    assert_eq!(asked_only([create(both), merge]).0, Denied);
    let path = "/spec/containers/0/resources/limits/memory";
    let json_patch = request("patch", "resize", "db")
        .body(json!([{"op": "replace", "path": path, "value": "512Mi"}]));
    assert_eq!(asked_only([create(pod(GIB, 1)), json_patch]).0, Denied);
    let apply = request("patch", "resize", "db")
        .with("requestURI", json!("/api?fieldManager=gitops"))
        .body(json!({"apiVersion": "v1", "kind": "Pod", "spec": limit("512Mi")["spec"]}));
    assert_eq!(asked_only([create(pod(GIB, 1)), apply]).0, Denied);
    let put = request("update", "resize", "db").body(asked(&pod("512Mi", 1)));
    assert_eq!(asked_only([create(pod(GIB, 1)), put]).0, Denied);
}

#[test]
fn patches_are_applied_in_order() {
    let path = "/spec/containers/0/resources/limits/memory";
    let to = |value: &str| {
        request("patch", "resize", "db")
            .body(json!([{"op": "replace", "path": path, "value": value}]))
    };
    let entries =
        Log::of("Request", [create(pod(GIB, 1)), to("2Gi"), to("4Gi"), to("3Gi"), to("512Mi")])
            .entries();
    let decisions: Vec<_> = entries.iter().map(|entry| entry.decision).collect();
    assert_eq!(decisions[1..3], [Allowed, Allowed]);
    assert_eq!(decisions[3], Unknown, "growth may not have been carried out");
}
