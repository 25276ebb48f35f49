//! What is remembered of objects, by what is said of the next request.

use super::*;

fn namespace(verb: &str, labels: Value) -> Made {
    let body = json!({"metadata": {"name": "shop", "labels": labels}});
    let mut made = request(verb, "", "shop").body(body);
    made.0["objectRef"] =
        json!({"resource": "namespaces", "apiVersion": "v1", "name": "shop", "namespace": "shop"});
    made
}

fn read(pod: Value) -> Made {
    request("get", "", "db").answer(pod)
}

/// The same pod at a later time.
fn at_version(mut pod: Value, version: &str) -> Value {
    pod["metadata"]["resourceVersion"] = json!(version);
    pod
}

fn granted(mut pod: Value) -> Value {
    pod["metadata"]["annotations"] = json!({"approved-by-sre": "true"});
    pod
}

/// With a request alone, which a LimitRange may have given a limit.
fn bare() -> Value {
    pod_with(json!({"requests": {"memory": "128Mi"}}), 1)
}

fn ask(requests: Value) -> Made {
    let container = json!({"name": "app", "resources": {"requests": requests}});
    request("patch", "resize", "db").body(json!({"spec": {"containers": [container]}}))
}

#[test]
fn what_ended_halfway_may_have_been_done() {
    let halfway = resize("512Mi").with("stage", json!("Panic"));
    assert_eq!(asked_only([create(pod(GIB, 1)), halfway, resize("768Mi")]).0, Unknown);
}

#[test]
fn requests_that_tell_nothing_change_nothing() {
    for made in [request("get", "", "db"), request("patch", "status", "db").body(json!({}))] {
        assert_eq!(asked_only([create(pod(GIB, 1)), made, resize("512Mi")]).0, Denied);
    }
    let unseen = [request("patch", "resize", "db"), request("create", "", "db").code(201)];
    for made in unseen {
        let after = resize("512Mi").answer(pod("512Mi", 2));
        assert_eq!(full([create(pod(GIB, 1)), made, after]).0, Unknown, "it may have changed");
    }
}

#[test]
fn a_growth_is_settled_when_the_pod_is_seen_again() {
    let grown = || resize("2Gi").answer(pod("2Gi", 2));
    let back = || resize(GIB);
    assert_eq!(full([create(pod(GIB, 1)), grown(), back()]).0, Unknown);
    assert_eq!(full([create(pod(GIB, 1)), grown(), read(pod("2Gi", 2)), back()]).0, Denied);
    let same = resize(GIB).answer(pod(GIB, 1));
    assert_eq!(full([create(pod(GIB, 1)), same, resize("512Mi")]).0, Denied, "it was no growth");
    assert_eq!(asked_only([create(pod(GIB, 1)), resize("768Mi"), resize("512Mi")]).0, Denied);
    let (_, reason) = asked_only([create(pod(GIB, 1)), resize("2Gi"), resize("2Gi"), back()]);
    assert_eq!(reason, "what the pod has since its last resize is not in the log");
}

#[test]
fn a_doubtful_pod_counts_again_when_it_is_seen_again() {
    let failed = || resize("512Mi").code(504);
    let requests = || vec![create(pod(GIB, 1)), failed()];
    let then = |made: Made| [requests(), vec![made, resize("512Mi")]].concat();
    assert_eq!(full([requests(), vec![resize("512Mi")]].concat()).0, Unknown);
    assert_eq!(full(then(read(pod(GIB, 1)))).0, Denied);
}

#[test]
fn the_last_state_that_was_seen_counts() {
    let with_annotations = read(granted(at_version(pod(GIB, 1), "200")));
    let seen = [create(pod(GIB, 1)), with_annotations.clone(), resize("512Mi")];
    assert_eq!(full(seen).0, Unknown, "annotations change without a generation");
    let later = read(at_version(pod(GIB, 1), "300"));
    let stale = [create(pod(GIB, 1)), later, with_annotations, resize("512Mi")];
    assert_eq!(full(stale).0, Denied, "a read of before is no news");
    let mut other = at_version(pod("256Mi", 1), "200");
    other["metadata"]["uid"] = json!("u2");
    assert_eq!(full([create(pod(GIB, 1)), read(other), resize("512Mi")]).0, Allowed);
}

#[test]
fn what_came_in_is_closed_by_a_later_state_and_by_a_new_pod() {
    let begun = || request("patch", "resize", "db").with("stage", json!("RequestReceived"));
    let seen = [create(pod(GIB, 1)), begun(), read(pod("2Gi", 2)), resize(GIB)];
    assert_eq!(full(seen).0, Denied);
    let made_anew = || [create(pod(GIB, 1)), begun(), create(pod(GIB, 1)), resize("512Mi")];
    assert_eq!(asked_only(made_anew()).0, Denied);
}

#[test]
fn what_a_limit_range_may_have_added_is_open_until_an_answer_tells() {
    let less = || ask(json!({"memory": "64Mi"}));
    let (_, reason) = asked_only([create(bare()), less(), resize("512Mi")]);
    assert_eq!(reason, "what a LimitRange may have added is not in the log");
    assert_eq!(full([create(bare()), less(), resize("512Mi")]).0, Denied);
    let replace = |path: &str, value: &str| json!({"op": "replace", "path": format!("/spec/containers/0/resources/{path}"), "value": value});
    let both = json!([replace("limits/memory", "512Mi"), replace("requests/cpu", "200m")]);
    let without_cpu = pod_with(json!({"limits": {"memory": GIB}}), 1);
    let requests = [create(without_cpu), request("patch", "resize", "db").body(both)];
    assert_eq!(asked_only(requests).0, Denied, "what it replaces was added");
}

#[test]
fn a_limit_is_its_own_request() {
    let requests =
        [create(pod_with(json!({"limits": {"memory": GIB}}), 1)), ask(json!({"memory": "512Mi"}))];
    assert_eq!(asked_only(requests).0, Warned, "the request falls from 1Gi");
}

#[test]
fn a_body_is_taken_without_its_status() {
    let mut whole = pod(GIB, 1);
    whole["status"] = json!({
        "conditions": [{"type": "PodResizePending", "status": "True", "reason": "Deferred", "observedGeneration": 1}],
        "containerStatuses": [{"name": "app", "resources": {"limits": {"memory": "512Mi"}, "requests": {"memory": "128Mi"}}}],
    });
    assert_eq!(asked_only([create(pod(GIB, 1)).body(whole), resize("512Mi")]).0, Denied);
}

#[test]
fn a_put_is_the_pod_and_an_apply_may_be_more() {
    let made = || create(pod(GIB, 1)).body(granted(asked(&pod(GIB, 1))));
    assert_eq!(asked_only([made(), resize("512Mi")]).0, Unknown, "it bears a grant");
    let put = request("update", "", "db").body(asked(&pod(GIB, 1)));
    assert_eq!(asked_only([made(), put, resize("512Mi")]).0, Denied);
    let apply = request("patch", "", "db")
        .with("requestURI", json!("/api?fieldManager=gitops"))
        .body(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": "b"}}}));
    assert_eq!(asked_only([create(pod(GIB, 1)), apply, resize("512Mi")]).0, Unknown);
}

#[test]
fn a_binding_brings_a_node_and_annotations() {
    let bind = |resource: &str, subresource: &str, name: &str, annotations: Value| {
        let mut made = request("create", subresource, name).code(201);
        made.0["objectRef"]["resource"] = json!(resource);
        let metadata = json!({"name": "db", "annotations": annotations});
        made.body(json!({"metadata": metadata, "target": {"kind": "Node", "name": "node"}}))
    };
    let mut unbound = pod(GIB, 1);
    unbound["spec"]["containers"][0]["resizePolicy"] =
        json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}]);
    let then = |made: Made| asked_only([create(unbound.clone()), made, resize("2Gi")]).0;
    assert_eq!(then(bind("pods", "binding", "db", Value::Null)), Warned);
    assert_eq!(then(bind("bindings", "", "", Value::Null)), Warned);
    let grant = bind("pods", "binding", "db", json!({"approved-by-sre": "true"}));
    assert_eq!(asked_only([create(pod(GIB, 1)), grant, resize("512Mi")]).0, Unknown);
}

#[test]
fn labels_of_namespaces_count_until_they_may_be_others() {
    let audit = json!({"restraint.dev/cap": "audit"});
    let silent = |verb: &str| {
        let mut made = namespace(verb, Value::Null);
        made.0["requestObject"].take();
        made
    };
    for (made, decision) in [
        (vec![namespace("create", audit.clone())], Allowed),
        (vec![namespace("update", audit.clone())], Allowed),
        (vec![namespace("create", audit.clone()), silent("get")], Allowed),
        (vec![namespace("create", audit.clone()), silent("patch")], Denied),
        (vec![namespace("create", audit.clone()), silent("delete")], Denied),
        (vec![namespace("create", audit), namespace("update", json!({}))], Denied),
    ] {
        let requests = [made, vec![create(pod(GIB, 1)), resize("512Mi")]].concat();
        assert_eq!(asked_only(requests.clone()).0, decision, "{requests:?}");
    }
}
