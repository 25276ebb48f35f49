//! The commands, which read from the cluster themselves.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::kubectl::{Kubectl, Person};
use crate::pods::pod;

use super::case::set;
use super::objects::{IMAGE, workload};
use super::{space, trial};

pub(super) fn trials() -> [Trial; 2] {
    [
        trial("explaining: the command reads objects and who uses them from the cluster", live),
        trial(
            "explaining: the command tells the history of a pod, with events or without",
            history,
        ),
    ]
}

fn live() {
    let kubectl = space("explaining-live");
    let stored = |object: &Value| {
        drop(kubectl.feed(&["apply", "--filename", "-"], &object.to_string()).accepted())
    };
    let mut deployment = workload("Deployment");
    deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"] =
        json!([{"configMapRef": {"name": "cfg"}}]);
    stored(&deployment);
    let config = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cfg"}, "data": {"a": value}});
    stored(&config("b"));
    let explained = |kubectl: &Kubectl, from: &str, wanted: &Value| -> Value {
        let path = kubectl.folder.join(format!("wanted-{}.json", wanted["kind"].as_str().unwrap()));
        std::fs::write(&path, wanted.to_string()).unwrap();
        kubectl
            .restraint(&[
                "explain",
                "change",
                "--from",
                from,
                "--to",
                path.to_str().unwrap(),
                "--output",
                "json",
            ])
            .accepted()
            .object()
    };
    // what the API server filled in is no difference
    assert_eq!(explained(&kubectl, "live:deploy/a", &deployment), json!([]));
    set(&mut deployment, IMAGE, json!("b:2"));
    let told = explained(&kubectl, "live:deploy/a", &deployment);
    assert_eq!(
        (&told[0]["effect"], &told[0]["pointer"]),
        (&json!("pod-recreation"), &json!(IMAGE)),
        "{told}"
    );
    assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    // who uses it is found in the namespace
    let told = explained(&kubectl, "live:cm/cfg", &config("c"));
    assert_eq!(
        (&told[0]["effect"], &told[0]["container"]),
        (&json!("next-start"), &json!("app")),
        "{told}"
    );
}

fn history() {
    let kubectl = space("explaining-history");
    let stored = kubectl
        .feed(&["create", "--filename", "-", "--output", "json"], &pod("db").to_string())
        .accepted()
        .object();
    let ended = json!({"terminated": {"reason": "Error", "exitCode": 137, "finishedAt": "2026-01-01T12:00:00Z", "startedAt": null}});
    let state = json!({"running": {"startedAt": "2026-01-01T12:00:05Z"}});
    let status = json!({"status": {
        "phase": "Running",
        "conditions": [{"type": "PodResizePending", "status": "True", "reason": "Deferred", "message": "no room"}],
        "containerStatuses": [{
            "name": "app", "image": "a", "imageID": "", "ready": true, "restartCount": 1, "state": state, "lastState": ended,
            "resources": {"limits": {"memory": "256Mi"}},
        }],
    }});
    kubectl
        .run(&["patch", "pod", "db", "--subresource", "status", "--patch", &status.to_string()])
        .accepted();
    let uid = &stored["metadata"]["uid"];
    let about = json!({"kind": "Pod", "name": "db", "namespace": "explaining-history", "uid": uid, "fieldPath": "spec.containers{app}"});
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "db.1"}, "involvedObject": about, "type": "Normal",
        "reason": "Killing", "message": "Container app failed liveness probe, will be restarted",
        "firstTimestamp": "2026-01-01T11:59:30Z", "lastTimestamp": "2026-01-01T11:59:30Z", "source": {"component": "kubelet"},
    });
    kubectl.feed(&["create", "--filename", "-"], &event.to_string()).accepted();
    let explain = |kubectl: &Kubectl| {
        kubectl.restraint(&["explain", "pod", "db", "--output", "json"]).accepted().object()
    };
    let told = explain(&kubectl);
    assert_eq!(
        (&told["restarts"][0]["cause"], &told["restarts"][0]["certainty"]),
        (&json!("liveness-probe"), &json!("certain")),
        "{told}"
    );
    assert_eq!(
        (&told["resize"]["state"], &told["resize"]["message"]),
        (&json!("deferred"), &json!("no room")),
        "{told}"
    );
    assert_eq!(told["namespace"], "explaining-history");
    // the developer may read pods and no events
    let told = explain(&kubectl.by(Person::Developer));
    assert_eq!(
        (&told["restarts"][0]["cause"], &told["restarts"][0]["certainty"]),
        (&json!("killed"), &json!("unknown")),
        "{told}"
    );
    assert!(told["unknown"][0].as_str().unwrap().starts_with("events cannot be read"), "{told}");
}
