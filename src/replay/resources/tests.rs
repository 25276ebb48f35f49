use super::*;

fn pod(containers: Value, own: Value) -> Value {
    json!({"metadata": {"name": "db"}, "spec": {"containers": containers, "resources": own}})
}

fn one(resources: Value) -> Value {
    pod(json!([{"name": "app", "resources": resources}]), json!({}))
}

/// As much asked for as allowed, or less where `request` says so.
fn container(name: &str, request: &str) -> Value {
    let (limits, requests) =
        (json!({"memory": "1Gi", "cpu": "1"}), json!({"memory": request, "cpu": "1"}));
    json!({"name": name, "resources": {"limits": limits, "requests": requests}})
}

fn put(old: &Value, body: &Value, is_asked: bool) -> Vec<Value> {
    resized(old, body, Way::Put, is_asked)
}

#[test]
fn nothing_is_taken_away() {
    let side = |resources: Value| json!({"name": "side", "resources": resources});
    let two = |resources| pod(json!([container("app", "1Gi"), side(resources)]), json!({}));
    let old = two(json!({"requests": {"memory": "64Mi"}}));
    assert_eq!(put(&old, &old, false), std::slice::from_ref(&old));
    assert!(put(&old, &two(json!({})), false).is_empty());
    let own = |own| pod(json!([container("app", "1Gi")]), own);
    let old = own(json!({"limits": {"memory": "2Gi"}}));
    let more = own(json!({"limits": {"memory": "3Gi"}}));
    assert_eq!(put(&old, &more, false), std::slice::from_ref(&more));
    assert!(put(&old, &own(json!({})), false).is_empty());
}

#[test]
fn the_class_is_kept() {
    let two = |app: &str, side: &str| json!([container("app", app), container("side", side)]);
    let without = |containers: Value| json!({"metadata": {}, "spec": {"containers": containers}});
    let old = without(two("1Gi", "1Gi"));
    for other in [without(two("512Mi", "512Mi")), without(two("1Gi", "512Mi"))] {
        assert!(put(&old, &other, false).is_empty(), "{other}");
        assert!(put(&other, &old, false).is_empty(), "{other}");
        assert_eq!(put(&old, &other, true).len(), 1, "what was there is not known");
    }
    let own = |containers| pod(containers, json!({"requests": {"memory": "2Gi"}}));
    assert_eq!(put(&own(two("1Gi", "1Gi")), &own(two("1Gi", "512Mi")), false).len(), 1);
}

#[test]
fn a_limit_without_a_request_gets_one() {
    let answers = put(&one(json!({})), &one(json!({"limits": {"memory": "1Gi"}})), true);
    let both = json!({"limits": {"memory": "1Gi"}, "requests": {"memory": "1Gi"}});
    assert_eq!(answers, [one(both)]);
}

#[test]
fn operations_are_meant_leniently_where_what_they_name_may_have_been_added() {
    let operation = |op: &str, path: &str, value: &str| {
        let path = format!("/spec/containers/0/resources/{path}");
        json!({"op": op, "path": path, "value": value})
    };
    let of = |old: &Value, operations: &[Value], is_asked: bool| {
        resized(old, &json!(operations), Way::Patch, is_asked)
    };
    let bare = pod(json!([{"name": "app"}]), json!({}));
    let both =
        [operation("replace", "limits/memory", "1Gi"), operation("replace", "limits/cpu", "1")];
    let expected = container("app", "1Gi");
    assert_eq!(of(&bare, &both, true), [pod(json!([expected]), json!({}))]);
    assert!(of(&bare, &both, false).is_empty(), "an answer tells what was added");
    let old = one(json!({"limits": {"memory": "1Gi"}, "requests": {"memory": "1Gi"}}));
    let more = operation("replace", "limits/memory", "2Gi");
    for absent in ["test", "remove"] {
        let operations = [operation(absent, "limits/cpu", "1"), more.clone()];
        assert_eq!(of(&old, &operations, true).len(), 1, "{absent}");
    }
    assert!(of(&old, &[operation("test", "limits/memory", "4Gi"), more], true).is_empty());
}

#[test]
fn growth_is_an_amount_that_rises_or_appears() {
    let limited = |memory: &str| one(json!({"limits": {"memory": memory}}));
    for (old, new, expected) in [
        (limited("1Gi"), limited("2Gi"), true),
        (limited("1Gi"), limited("1024Mi"), false),
        (limited("1Gi"), limited("512Mi"), false),
        (one(json!({})), limited("512Mi"), true),
        (limited("1Gi"), one(json!({})), true),
    ] {
        assert_eq!(may_grow(&old, &new), expected, "{old} {new}");
    }
}

#[test]
fn the_pods_own_amounts_count_as_those_of_its_containers() {
    let own = |own: Value| pod(json!([container("app", "1Gi")]), own);
    let limited = |memory: &str| own(json!({"limits": {"memory": memory}}));
    assert!(!same_resources(&limited("2Gi"), &limited("3Gi")));
    assert!(is_as_asked(&own(json!({})), &limited("2Gi"), &own(json!({}))), "it was added");
    assert!(!is_as_asked(&limited("1Gi"), &limited("2Gi"), &limited("3Gi")));
}

#[test]
fn a_limit_range_adds_what_containers_do_not_name() {
    let side = json!({"name": "side", "resources": {"requests": {"memory": "32Mi"}}});
    let new = pod(json!([{"name": "app"}, side, container("full", "1Gi")]), json!({}));
    let filled = with_limit_range(&new);
    let limits = |pod: &Value| {
        let memory = |list| {
            containers(pod)
                .map(|(_, _, one)| {
                    amount(one, list, "memory").unwrap().as_str().unwrap().to_owned()
                })
                .collect::<Vec<_>>()
        };
        [memory("limits"), memory("requests")].concat()
    };
    assert_eq!(filled.len(), 2);
    assert_eq!(limits(&filled[0]), ["1Pi", "1Pi", "1Gi", "1", "32Mi", "1Gi"]);
    assert_eq!(limits(&filled[1]), ["1", "1", "1Gi", "1", "32Mi", "1Gi"]);
    assert!(with_limit_range(&pod(json!([container("full", "1Gi")]), json!({}))).is_empty());
}

#[test]
fn a_pod_that_has_less_is_on_a_node() {
    let less = with_less(&one(json!({})), &one(json!({})));
    assert_eq!(less.pointer("/spec/nodeName"), Some(&json!("node")));
}
