use std::collections::BTreeMap;

use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use serde_json::{Value, json};

use crate::kube::requests::Requests;
use crate::operate::restart::around::Budget;

use super::*;

fn pod(name: &str, ready: bool, spec: Value) -> Pod {
    let status =
        json!({"conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]});
    let spec = if spec.is_null() { json!({"containers": []}) } else { spec };
    let metadata = json!({"name": name, "labels": {"app": "web"}});
    serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap()
}

fn budget(app: &str, allowed: i32) -> Budget {
    let budget = json!({"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": app}}},
        "status": {"currentHealthy": 2, "desiredHealthy": 2, "disruptionsAllowed": allowed, "expectedPods": 3}});
    Budget::of(serde_json::from_value::<PodDisruptionBudget>(budget).unwrap())
}

/// "web-0" is the pod at hand.
fn around(others: &[bool]) -> Around {
    let other =
        |(number, ready): (usize, &bool)| pod(&format!("web-{}", number + 1), *ready, Value::Null);
    let mut pods: Vec<Pod> = others.iter().enumerate().map(other).collect();
    pods.push(pod("web-0", true, Value::Null));
    Around { pods, budgets: Some(Vec::new()), slices: Some(Vec::new()), usage: None }
}

fn demands() -> Demands {
    Demands { min_ready: 1, max_usage: 80, drain: 2, skip: Vec::new(), is_replaced_first: false }
}

fn line(check: Check, pod: &Pod, around: &Around) -> (Light, String) {
    let lines = runbook(pod, &["app".to_owned()], around, &demands());
    let line = lines.into_iter().find(|line| line.check == check).unwrap();
    (line.light, line.why)
}

#[track_caller]
fn assert_line(found: (Light, String), light: Light, part: &str) {
    assert_eq!(found.0, light, "{}", found.1);
    assert!(found.1.contains(part), "{part}: {}", found.1);
}

#[test]
fn siblings_are_held_against_what_is_asked_and_the_budgets() {
    let own = pod("web-0", true, Value::Null);
    let told = |pod: &Pod, around: &Around| line(Check::ReadySiblings, pod, around);
    assert_line(
        told(&own, &around(&[])),
        Light::Red,
        "0 of 0 other pods are ready, and --min-ready asks for 1",
    );
    assert_line(told(&own, &around(&[false, false])), Light::Red, "0 of 2");
    assert_line(
        told(&own, &around(&[true, false])),
        Light::Green,
        "1 of 2 other pods are ready; no disruption budget",
    );
    let with = |budgets: Vec<Budget>| Around { budgets: Some(budgets), ..around(&[true, true]) };
    assert_line(
        told(&own, &with(vec![budget("web", 0)])),
        Light::Red,
        "disruption budget \"web\" allows none to go",
    );
    assert_line(told(&own, &with(vec![budget("web", 1)])), Light::Green, "allows 1 to go");
    assert_line(told(&own, &with(vec![budget("other", 0)])), Light::Green, "no disruption budget");
    let broken = pod("web-0", false, Value::Null);
    assert_line(told(&broken, &with(vec![budget("web", 0)])), Light::Green, "not ready itself");
    let unlisted = Around { budgets: None, ..around(&[true]) };
    assert_line(told(&own, &unlisted), Light::Unknown, "may not be listed");
}

#[test]
fn a_sibling_that_goes_away_is_none() {
    let mut around = around(&[true]);
    around.pods[0].metadata.deletion_timestamp =
        serde_json::from_value(json!("2026-11-21T12:00:00Z")).unwrap();
    let told = line(Check::ReadySiblings, &pod("web-0", true, Value::Null), &around);
    assert_line(told, Light::Red, "0 of 0");
}

#[test]
fn spare_capacity_is_told_by_what_is_used_of_the_limits() {
    let own = pod("web-0", true, Value::Null);
    let spec = |resources: Value| {
        let one = |resources: &Value| json!({"name": "app", "resources": resources});
        json!({"containers": resources.as_array().unwrap().iter().map(one).collect::<Vec<_>>()})
    };
    let told = |resources: Value, cpu: i128, memory: i128| {
        let busy = pod("web-2", false, spec(json!([{"limits": {"cpu": "1"}}])));
        let pods = vec![pod("web-1", true, spec(resources)), busy];
        let usage = BTreeMap::from([
            ("web-1".to_owned(), Requests { cpu, memory: memory << 20 }),
            ("web-2".to_owned(), Requests { cpu: 1000, memory: 0 }),
        ]);
        let around = Around { pods, usage: Some(usage), ..around(&[]) };
        line(Check::SpareCapacity, &own, &around)
    };
    let both = json!([{"limits": {"cpu": "1", "memory": "100Mi"}}]);
    assert_line(
        told(both.clone(), 500, 81),
        Light::Red,
        "pod \"web-1\" uses 81 % of its memory, more than 80 %",
    );
    assert_line(told(both.clone(), 850, 50), Light::Red, "85 % of its cpu");
    assert_line(told(both.clone(), 500, 80), Light::Green, "80 % of its memory");
    assert_line(told(both, 800, 80), Light::Green, "80 % of its cpu");
    let requests = json!([{"requests": {"cpu": "100m"}, "limits": {"memory": "100Mi"}}]);
    assert_line(told(requests, 200, 10), Light::Red, "200 % of its cpu");
    assert_line(told(json!([{}]), 200, 10), Light::Unknown, "no limit and no request");
    let one_without_end = json!([{"limits": {"memory": "100Mi"}}, {"limits": {"memory": "0"}}]);
    assert_line(told(one_without_end, 0, 99), Light::Unknown, "no limit and no request");
    assert_line(
        line(Check::SpareCapacity, &own, &around(&[true])),
        Light::Unknown,
        "no metrics API",
    );
    let nobody = Around { usage: Some(BTreeMap::new()), ..around(&[true]) };
    assert_line(
        line(Check::SpareCapacity, &own, &nobody),
        Light::Unknown,
        "no other pod that is ready was measured",
    );
}

#[test]
fn a_service_needs_another_endpoint_that_is_ready() {
    let own = pod("web-0", true, Value::Null);
    let slice = |service: &str, endpoints: &[(&str, bool)]| -> Value {
        let endpoints: Vec<Value> = endpoints
            .iter()
            .map(|(name, ready)| json!({"addresses": ["10.0.0.1"], "conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": name}}))
            .collect();
        json!({"metadata": {"name": service, "labels": {"kubernetes.io/service-name": service}}, "addressType": "IPv4", "endpoints": endpoints})
    };
    let told = |slices: Value, pod: &Pod| {
        let slices = serde_json::from_value(slices).unwrap();
        line(Check::Endpoints, pod, &Around { slices, ..around(&[]) })
    };
    assert_line(told(json!([]), &own), Light::Green, "no Service sends to it");
    let alone = json!([slice("web", &[("web-0", true), ("web-1", false)])]);
    assert_line(
        told(alone.clone(), &own),
        Light::Red,
        "service \"web\" has no other endpoint that is ready",
    );
    assert_line(told(alone, &pod("web-0", false, Value::Null)), Light::Green, "gets no requests");
    let parted = json!([slice("web", &[("web-0", true)]), slice("web", &[("web-1", true)])]);
    assert_line(told(parted, &own), Light::Green, "service \"web\" has other endpoints");
    let mut unsaid = json!([slice("web", &[("web-0", true), ("web-1", true)])]);
    unsaid[0]["endpoints"][1]["conditions"].take();
    assert_line(told(unsaid, &own), Light::Green, "service \"web\" has other endpoints");
    let one_of_two = json!([
        slice("web", &[("web-0", true), ("web-1", true)]),
        slice("admin", &[("web-0", true)])
    ]);
    assert_line(told(one_of_two, &own), Light::Red, "service \"admin\"");
    assert_line(told(json!([slice("other", &[("db-0", true)])]), &own), Light::Green, "no Service");
    assert_line(told(Value::Null, &own), Light::Unknown, "may not be listed");
}

#[test]
fn a_readiness_probe_is_one_of_a_container_that_restarts() {
    let probed = |name: &str| json!({"name": name, "readinessProbe": {"httpGet": {"port": 80}}});
    let told = |containers: Value| {
        line(
            Check::ReadinessProbe,
            &pod("web-0", true, json!({"containers": containers})),
            &around(&[]),
        )
    };
    assert_line(told(json!([probed("app")])), Light::Green, "readiness probe of \"app\"");
    assert_line(
        told(json!([{"name": "app"}, probed("side")])),
        Light::Red,
        "no container that restarts",
    );
}

#[test]
fn time_to_drain_is_what_pre_stop_leaves_of_the_grace_period() {
    let told = |grace: Value, hook: Value| {
        let container = json!({"name": "app", "lifecycle": {"preStop": hook}});
        let spec = json!({"terminationGracePeriodSeconds": grace, "containers": [container]});
        line(Check::TimeToDrain, &pod("web-0", true, spec), &around(&[]))
    };
    let usual = (Light::Green, "30 s until it is killed".to_owned());
    assert_eq!(told(Value::Null, Value::Null), usual);
    assert_line(told(json!(2), Value::Null), Light::Green, "2 s until it is killed");
    assert_line(
        told(json!(1), Value::Null),
        Light::Red,
        "1 s are left to end, and --drain asks for 2 s",
    );
    assert_line(
        told(json!(10), json!({"sleep": {"seconds": 5}})),
        Light::Green,
        "10 s until it is killed, of which preStop takes 5 s",
    );
    assert_line(told(json!(10), json!({"sleep": {"seconds": 9}})), Light::Red, "1 s are left");
    let shell = json!({"exec": {"command": ["sh", "-c", "nginx -s quit; sleep 15s"]}});
    assert_line(told(json!(10), shell), Light::Red, "of which preStop takes 15 s: 0 s are left");
    let words = json!({"exec": {"command": ["/bin/sleep", "3"]}});
    assert_line(told(json!(10), words), Light::Green, "preStop takes 3 s");
    let open = json!({"exec": {"command": ["/drain"]}});
    assert_line(
        told(json!(10), open),
        Light::Green,
        "how long preStop of \"app\" takes is not known",
    );
}

#[test]
fn red_lines_stop_unless_they_are_skipped_and_what_is_not_known_stops_nobody() {
    let own = pod("web-0", true, json!({"containers": [{"name": "app"}]}));
    let lines = |demands: &Demands| runbook(&own, &["app".to_owned()], &around(&[]), demands);
    let found = lines(&demands());
    assert_eq!(skips(&found), "--skip ready-siblings --skip readiness-probe");
    let why = obstacle(&found).unwrap();
    assert!(
        why.starts_with("ready-siblings: 0 of 0") && why.contains("; readiness-probe: "),
        "{why}"
    );
    let skip = vec![Check::ReadySiblings, Check::ReadinessProbe];
    assert_eq!(obstacle(&lines(&Demands { skip, ..demands() })), None);
    let surging = lines(&Demands { is_replaced_first: true, ..demands() });
    assert_eq!(skips(&surging), "--skip readiness-probe", "a new pod is ready first");
    let replaced = surging.iter().filter(|line| line.why.starts_with("a new pod is ready before"));
    let checks: Vec<Check> = replaced.map(|line| line.check).collect();
    assert_eq!(checks, [Check::ReadySiblings, Check::SpareCapacity, Check::Endpoints]);
    assert_eq!(surging.len(), 5);
}
