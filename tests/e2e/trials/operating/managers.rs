//! Who else manages the numbers.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::kubectl::Person;
use crate::recorded::Recorded;

use super::super::trial;
use super::{assert_limit, begin, ended, limits, started, workload};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("restraint resize: autoscalers of the workload stop it without --yes", autoscalers),
        trial("restraint resize: an operator that keeps the pod stops it without --yes", operator),
    ]
}

fn autoscalers() {
    let space = workload(&Recorded::read("memory-resize-live"), "RollingUpdate");
    let target = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db"});
    let metric = json!({"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}}});
    let horizontal = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": {"scaleTargetRef": target, "maxReplicas": 3, "metrics": [metric]}});
    space.create(&horizontal).accepted();
    let vertical = json!({"apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler", "metadata": {"name": "v"}, "spec": {"targetRef": target, "updatePolicy": {"updateMode": "InPlaceOrRecreate"}}});
    space.create(&vertical).accepted();
    let stopped = space.by(Person::Admin).restraint(&["resize", "sts/db", "--memory", "96Mi"]);
    assert_eq!(stopped.code(), Some(2), "{stopped:#?}");
    let said = format!("{stopped:?}");
    for part in [
        "also managed by: verticalpodautoscaler/v: updateMode InPlaceOrRecreate",
        "also managed by: horizontalpodautoscaler/h: it scales by memory",
        "why: verticalpodautoscaler/v manages these numbers too: --yes goes on",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let plan = begin(space.by(Person::Admin), "sts/db", &["--memory", "96Mi", "--dry-run"]);
    let report = ended(plan, 0);
    let names: Vec<&Value> = report["plan"]["managers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|manager| &manager["name"])
        .collect();
    assert_eq!(names, ["verticalpodautoscaler/v", "horizontalpodautoscaler/h"]);
    for pod in ["db-0", "db-1"] {
        assert_limit(&space, pod, "64Mi");
    }
}

fn operator() {
    let history = Recorded::read("memory-resize-live");
    let space = started(&history, &limits("64Mi"));
    let owner = json!({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "name": "pg", "uid": "6b0c6e8e-7c5f-4a0e-9b6f-2f0e6b7f8a11", "controller": true});
    history.start(&space, "pg-1", &history.resources(&limits("64Mi")), &owner);
    let stopped = space.by(Person::Admin).restraint(&["resize", "pod/pg-1", "--memory", "96Mi"]);
    assert_eq!(stopped.code(), Some(2), "{stopped:#?}");
    let said = format!("{stopped:?}");
    for part in [
        "also managed by: Cluster \\\"pg\\\": it controls pod/pg-1",
        "manages these numbers too: --yes goes on",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_limit(&space, "pg-1", "64Mi");
}
