//! What is said of requests whose earlier state is known.

use super::*;

#[test]
fn a_resize_takes_nothing_but_resources() {
    let mut body = limit("512Mi");
    body["metadata"] = json!({"annotations": {"approved-by-sre": "true"}});
    let smuggled = || request("patch", "resize", "db").body(body.clone()).answer(pod("512Mi", 2));
    assert_eq!(full([create(pod(GIB, 1)), smuggled()]).0, Denied);
    assert_eq!(asked_only([create(pod(GIB, 1)), smuggled()]).0, Denied);
}

#[test]
fn a_grant_leaves_a_decrease_open() {
    let annotate = || {
        let mut granted = pod(GIB, 1);
        granted["metadata"]["annotations"] = json!({"approved-by-sre": "true"});
        request("patch", "", "db")
            .body(json!({"metadata": {"annotations": {"approved-by-sre": "true"}}}))
            .answer(granted)
    };
    let mut after = pod("512Mi", 2);
    after["metadata"]["annotations"] = json!({"approved-by-sre": "true"});
    let requests = || [create(pod(GIB, 1)), annotate(), resize("512Mi").answer(after.clone())];
    for level in ["RequestResponse", "Request"] {
        let entries = Log::of(level, requests()).entries();
        assert_eq!(entries[1].decision, Unknown, "{level}: {}", entries[1].reason);
        assert_eq!(entries[2].decision, Unknown, "{level}");
        assert!(entries[2].reason.contains("may approve"), "{}", entries[2].reason);
    }
    let mut grown = pod("2Gi", 2);
    grown["metadata"]["annotations"] = json!({"approved-by-sre": "true"});
    assert_eq!(full([create(pod(GIB, 1)), annotate(), resize("2Gi").answer(grown)]).0, Allowed);
}

#[test]
fn who_asks_is_who_is_impersonated_and_automation_is_put_back() {
    let updater = "system:serviceaccount:kube-system:vpa-updater";
    let requests = |made: Made| [create(pod(GIB, 1)), made.answer(pod("512Mi", 2))];
    assert_eq!(full(requests(resize("512Mi").by(updater))).0, Restored);
    let as_updater = resize("512Mi").with("impersonatedUser", json!({"username": updater}));
    assert_eq!(full(requests(as_updater.clone())).0, Restored);
    assert_eq!(asked_only(requests(as_updater)).0, Restored);
}

#[test]
fn creations_are_judged_by_what_is_sure() {
    let (decision, reason) = full([create(pod(GIB, 1))]);
    assert_eq!(decision, Amended, "{reason}");
    assert_eq!(asked_only([create(pod(GIB, 1))]).0, Amended);
    let bare = || create(pod_with(json!({}), 1));
    assert_eq!(full([bare()]).0, Allowed);
    assert_eq!(asked_only([bare()]).0, Unknown, "a LimitRange may add a limit");
    let mut named = create(pod(GIB, 1));
    named.0["objectRef"]["name"] = json!("");
    let entry = Log::of("RequestResponse", [named]).entries().pop().unwrap();
    assert_eq!(entry.name, "db", "the name is in the answer");
    let as_patch =
        request("patch", "", "db").code(201).body(asked(&pod(GIB, 1))).answer(pod(GIB, 1));
    assert_eq!(full([as_patch]).0, Amended, "a patch may create");
}

#[test]
fn updates_that_change_nothing_that_is_read_are_allowed() {
    let label = || {
        let mut labelled = pod(GIB, 1);
        labelled["metadata"]["labels"] = json!({"a": "b"});
        request("patch", "", "db")
            .body(json!({"metadata": {"labels": {"a": "b"}}}))
            .answer(labelled)
    };
    assert_eq!(full([label()]).0, Allowed);
    assert_eq!(asked_only([label()]).0, Allowed);
    assert_eq!(Log::of("Metadata", [label()]).last().0, Unknown);
    let patch = |path: &str| {
        request("patch", "", "db").body(json!([{"op": "add", "path": path, "value": "x"}]))
    };
    assert_eq!(asked_only([patch("/metadata/labels/a")]).0, Allowed);
    assert_eq!(asked_only([patch("/metadata/annotations/approved-by-sre")]).0, Unknown);
    assert_eq!(asked_only([patch("/statuses")]).0, Unknown);
}

#[test]
fn workloads_are_judged_by_what_changes() {
    let web = |path: Option<&str>, generation: i64| {
        let mounts = path.map(|path| json!([{"name": "c", "mountPath": path, "subPath": "x"}]));
        json!({
            "kind": "Deployment", "apiVersion": "apps/v1",
            "metadata": {"name": "web", "namespace": "shop", "uid": "w", "generation": generation},
            "spec": {"template": {"spec": {
                "containers": [{"name": "app", "volumeMounts": mounts}],
                "volumes": [{"name": "c", "configMap": {"name": "c"}}],
            }}},
        })
    };
    let made = |verb: &str, object: Value| {
        let mut made = request(verb, "", "web").body(object.clone()).answer(object);
        made.0["objectRef"] = json!({"resource": "deployments", "apiGroup": "apps", "apiVersion": "v1", "namespace": "shop", "name": "web"});
        made
    };
    let path = Some("/etc/x");
    assert_eq!(full([made("create", web(path, 1))]).0, Warned);
    assert_eq!(asked_only([made("create", web(path, 1))]).0, Warned);
    assert_eq!(full([made("create", web(None, 1)), made("update", web(path, 2))]).0, Warned);
    assert_eq!(full([made("create", web(path, 1)), made("update", web(path, 2))]).0, Allowed);
    let (decision, reason) = full([made("update", web(path, 2))]);
    assert_eq!((decision, &*reason), (Unknown, "no earlier state of the object in the log"));
    assert_eq!(full([made("update", web(None, 2))]).0, Allowed, "whatever it was before");
    let put = |web: Value| made("update", web);
    assert_eq!(asked_only([made("create", web(path, 1)), put(web(path, 2))]).0, Allowed);
    let gone = made("get", web(path, 1)).code(404);
    assert_eq!(asked_only([made("create", web(path, 1)), gone, put(web(path, 2))]).0, Unknown);
}

#[test]
fn restraints_own_words_are_taken_unless_others_are_asked() {
    let said = |words: Value| Log::of("Metadata", [resize("512Mi").with("annotations", words)]);
    let denied = said(
        json!({"resize.restraint.dev/would-deny": "memory-limit-decrease: container \"app\": x"}),
    );
    let entry = denied.entries().pop().unwrap();
    assert_eq!((entry.decision, entry.said), (Denied, true));
    let entry = denied.entries_by(&Policies::embedded(), false).pop().unwrap();
    assert_eq!((entry.decision, entry.said), (Unknown, false), "values are not in the log");
    assert_eq!(entry.against.unwrap().decision, Denied);
    let refused = resize("512Mi")
        .code(403)
        .with("annotations", json!({"resize.restraint.dev/denied": "memory-limit-decrease: x"}));
    let log = Log::of("RequestResponse", [create(pod(GIB, 1)), refused]);
    let entry = log.entries_by(&Policies::default(), false).pop().unwrap();
    assert_eq!(entry.decision, Allowed, "judged anew by no policy at all");
    assert!(entry.is_changed());
}

#[test]
fn what_restraint_put_back_is_asked_for_again() {
    let updater = "system:serviceaccount:kube-system:vpa-updater";
    let hook =
        json!({"configuration": "restraint", "webhook": "restore.restraint.dev", "mutated": true});
    let words = json!({
        "mutation.webhook.admission.k8s.io/round_0_index_0": hook.to_string(),
        "restore.restraint.dev/restored": "memory-limit-decrease: container \"app\": x",
    });
    let kept = resize("512Mi").by(updater).with("annotations", words).answer(pod(GIB, 1));
    let log = Log::of("RequestResponse", [create(pod(GIB, 1)), kept]);
    assert_eq!(log.last().0, Restored);
    assert_eq!(log.entries_by(&Policies::embedded(), false).pop().unwrap().decision, Restored);
}

#[test]
fn what_restraint_added_to_a_new_pod_is_added_again() {
    let hook =
        json!({"configuration": "restraint", "webhook": "fix.restraint.dev", "mutated": true});
    let words = json!({"mutation.webhook.admission.k8s.io/round_0_index_0": hook.to_string()});
    let policies = json!([
        {"resourceName": "cpu", "restartPolicy": "NotRequired"},
        {"resourceName": "memory", "restartPolicy": "RestartContainer"},
    ]);
    let mut sent = pod(GIB, 1);
    let mut side = sent["spec"]["containers"][0].clone();
    side["name"] = json!("side");
    sent["spec"]["containers"][0]["resizePolicy"] = policies.clone();
    sent["spec"]["containers"].as_array_mut().unwrap().push(side);
    let mut made = sent.clone();
    made["spec"]["containers"][1]["resizePolicy"] = policies;
    let created = create(made.clone()).body(asked(&sent)).with("annotations", words);
    let log = Log::of("RequestResponse", [created]);
    let entry = log.entries_by(&Policies::embedded(), false).pop().unwrap();
    assert_eq!(entry.decision, Amended);
    assert!(entry.findings.iter().all(|found| !found.message.contains("\"app\"")), "{entry:?}");
    assert_ne!(full([create(made)]).0, Amended, "it was sent so");
}

#[test]
fn labels_of_namespaces_count_where_the_log_shows_them() {
    let mut namespace = request("create", "", "shop")
        .body(json!({"metadata": {"name": "shop", "labels": {"restraint.dev/cap": "audit"}}}));
    namespace.0["objectRef"] =
        json!({"resource": "namespaces", "apiVersion": "v1", "name": "shop", "namespace": "shop"});
    let requests = [namespace, create(pod(GIB, 1)), resize("512Mi").answer(pod("512Mi", 2))];
    let entry = Log::of("RequestResponse", requests).entries().pop().unwrap();
    assert_eq!(entry.decision, Allowed);
    assert!(entry.findings.iter().any(|found| found.outcome == "would-deny"));
}

#[test]
fn namespaces_that_are_left_out_and_events_that_come_twice_have_no_line() {
    let log = Log::of("RequestResponse", [create(pod(GIB, 1))]);
    let policies = Policies::embedded();
    let excluded = ["shop".to_owned()];
    let mut replay = Replay::of(&policies, None, Cap::Enforce, 9);
    replay.excluded = &excluded;
    assert!(replay.event(log.lines[0].as_bytes()).unwrap().is_none());
    assert_eq!(replay.left_out, 1);
    assert!(replay.event(log.lines[0].as_bytes()).unwrap().is_none());
    assert_eq!(replay.repeated, 1);
    assert!(replay.event(b"{").is_err());
}

#[test]
fn statuses_and_bindings_have_a_line_where_they_bring_approvals() {
    let status = |annotations: Value| {
        let mut object = pod(GIB, 1);
        object["metadata"]["annotations"] = annotations.clone();
        request("patch", "status", "db")
            .body(json!({"metadata": {"annotations": annotations}}))
            .answer(object)
    };
    let plain = Log::of("RequestResponse", [create(pod(GIB, 1)), status(json!({"a": "b"}))]);
    assert_eq!(plain.entries().len(), 1);
    let grant = Log::of(
        "RequestResponse",
        [create(pod(GIB, 1)), status(json!({"approved-by-sre": "true"}))],
    );
    assert_eq!(grant.last().0, Denied);
}
