//! `restraint restart` on a real node, which `RESTRAINT_NODE_KUBECONFIG` leads to.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;

use super::node::{Node, image, is_there};
use super::trial;

/// Every trial on a node; ignored where there is none, which those of resize say.
pub(super) fn trials() -> Vec<Trial> {
    let trials = vec![
        trial(
            "node: restraint restart in place has the new configuration in the same pod",
            new_environment,
        ),
        trial("node: restraint restart heeds the budget, and waits for the next pod", budget),
        trial(
            "node: restraint restart ends the row where a probe breaks its condition",
            broken_probe,
        ),
        trial("node: restraint restart rolls a Deployment out while its Service answers", rollout),
        trial(
            "node: a container that misses a key does not start again, as the rule says",
            missing_key,
        ),
    ];
    trials.into_iter().map(|trial| trial.with_ignored_flag(!is_there())).collect()
}

/// Serves files over HTTP and ends when it is told to.
const SERVER: &str = "mkdir -p /www; echo ok >/www/ok; httpd -p 8080 -h /www; trap 'exit 0' TERM; while true; do sleep 1 & wait $!; done";

/// Flags for a node that is slow.
const PATIENT: [&str; 4] = ["--timeout", "4m", "--ready-for", "2s"];

/// A pod template with the label `app: NAME`.
fn template(name: &str, policy: &str, env: &Value) -> Value {
    let container = json!({
        "name": "app", "image": image(), "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", SERVER], "env": env,
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
        "resizePolicy": [{"resourceName": "memory", "restartPolicy": policy}],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 2, "timeoutSeconds": 5},
    });
    let spec = json!({"terminationGracePeriodSeconds": 10, "automountServiceAccountToken": false, "containers": [container]});
    json!({"metadata": {"labels": {"app": name}}, "spec": spec})
}

fn create(node: &Node, object: &Value) {
    node.kubectl(&["create", "--filename", "-"], &object.to_string());
}

/// A StatefulSet whose pods are ready.
fn set(node: &Node, policy: &str, replicas: i64) {
    let spec = json!({"replicas": replicas, "serviceName": "db", "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": {"app": "db"}}, "template": template("db", policy, &json!([]))});
    create(
        node,
        &json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec}),
    );
    eventually("the pods on the node are ready", || {
        let set = read(node, &["get", "statefulset", "db"]);
        (set["status"]["readyReplicas"] == replicas).then_some(())
    });
}

/// What `missing-config-key` says of the change comes true at the next start of the container.
fn missing_key() {
    let node = Node::empty("missing");
    let config = |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app"}, "data": data});
    // what was applied goes with the manifest that lacks it
    let apply = |object: &Value| {
        node.kubectl(&["apply", "--filename", "-"], &object.to_string());
    };
    apply(&config(json!({"greeting": "hello", "other": "x"})));
    let key = json!({"configMapKeyRef": {"name": "app", "key": "greeting"}});
    let mut pod = template("app", "NotRequired", &json!([{"name": "GREETING", "valueFrom": key}]));
    (pod["apiVersion"], pod["kind"]) = (json!("v1"), json!("Pod"));
    pod["metadata"]["name"] = json!("app");
    create(&node, &pod);
    node.kubectl(&["wait", "pod/app", "--for", "condition=Ready", "--timeout", "240s"], "");
    let without = config(json!({"other": "x"}));
    let told = node.explain("live:configmap/app", &without);
    let found = told.as_array().unwrap().iter().find(|one| one["rule"] == "missing-config-key");
    let found = found.unwrap_or_else(|| panic!("{told:#}"));
    assert_eq!(
        (&found["workload"], &found["key"], &found["container"], &found["how"]),
        (&json!("Pod/app"), &json!("greeting"), &json!("app"), &json!("env"))
    );
    apply(&without);
    // its process ends, for whatever reason
    node.kubectl(&["exec", "app", "--container", "app", "--", "kill", "1"], "");
    eventually("the container does not start again", || {
        let status = read(&node, &["get", "pod", "app"])["status"]["containerStatuses"][0].clone();
        let waiting = &status["state"]["waiting"];
        (waiting["reason"] == "CreateContainerConfigError").then(|| {
            let why = waiting["message"].as_str().unwrap_or_default();
            assert!(why.contains("greeting"), "{why}");
        })
    });
    apply(&config(json!({"greeting": "hello again"})));
    node.kubectl(&["wait", "pod/app", "--for", "condition=Ready", "--timeout", "240s"], "");
}

fn read(node: &Node, line: &[&str]) -> Value {
    let text = node.kubectl(&[line, &["--output", "json"]].concat(), "");
    serde_json::from_str(&text).unwrap()
}

fn new_environment() {
    let node = Node::empty("anew");
    let config = |greeting: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app"}, "data": {"greeting": greeting}});
    create(&node, &config("old"));
    let key = json!({"configMapKeyRef": {"name": "app", "key": "greeting"}});
    let mut pod =
        template("app", "RestartContainer", &json!([{"name": "GREETING", "valueFrom": key}]));
    (pod["apiVersion"], pod["kind"]) = (json!("v1"), json!("Pod"));
    pod["metadata"]["name"] = json!("app");
    create(&node, &pod);
    node.kubectl(&["wait", "pod/app", "--for", "condition=Ready", "--timeout", "240s"], "");
    let before = read(&node, &["get", "pod", "app"]);
    node.kubectl(&["replace", "--filename", "-"], &config("new").to_string());
    let greeting = || node.kubectl(&["exec", "app", "--", "sh", "-c", "echo $GREETING"], "");
    assert_eq!(greeting().trim(), "old");

    let line = ["restart", "pod/app", "--in-place", "--skip", "ready-siblings"];
    let report = node.restraint(&[&line[..], &PATIENT].concat(), 0);
    assert_eq!(greeting().trim(), "new");
    let after = read(&node, &["get", "pod", "app"]);
    for same in ["/metadata/uid", "/status/podIP", "/spec/nodeName", "/status/qosClass"] {
        assert_eq!(before.pointer(same), after.pointer(same), "{same}");
    }
    assert_eq!(after["status"]["containerStatuses"][0]["restartCount"], 1);
    let result = &report["pods"][0];
    assert_eq!(
        (&result["fate"], &result["restarted"][0]["restarts"]),
        (&json!("restarted"), &json!([0, 1])),
        "{report}"
    );
    assert!(result["readySeconds"].is_u64(), "{report}");
    let anew = &result["configuration"][0];
    assert_eq!(
        (&anew["object"], &anew["isNewer"]),
        (&json!("configmap/app"), &json!(true)),
        "{report}"
    );
}

fn budget() {
    let node = Node::empty("evict");
    set(&node, "NotRequired", 1);
    let spec = json!({"minAvailable": 1, "selector": {"matchLabels": {"app": "db"}}});
    create(
        &node,
        &json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "db"}, "spec": spec}),
    );
    eventually("the budget is counted", || {
        let budget = read(&node, &["get", "poddisruptionbudget", "db"]);
        (budget["status"]["expectedPods"] == 1).then_some(())
    });
    let before = read(&node, &["get", "pod", "db-0"]);
    let line = ["restart", "sts/db", "--skip", "ready-siblings"];
    let at_once = [&line[..], &["--evict", "--wait", "0s"], &PATIENT].concat();
    let report = node.restraint(&at_once, 3);
    assert_eq!(report["pods"][0]["fate"], "refused-by-budget", "{report}");
    assert_eq!(report["notTouched"], json!(["db-0"]));
    let still = read(&node, &["get", "pod", "db-0"]);
    assert_eq!(still["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(still["metadata"]["deletionTimestamp"], Value::Null);

    node.kubectl(&["delete", "poddisruptionbudget", "db"], "");
    let report = node.restraint(&[&line[..], &PATIENT].concat(), 0);
    let result = &report["pods"][0];
    assert_eq!(
        (&result["fate"], &result["replacement"]),
        (&json!("replaced"), &json!("db-0")),
        "{report}"
    );
    let after = read(&node, &["get", "pod", "db-0"]);
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
}

fn broken_probe() {
    let node = Node::empty("row");
    set(&node, "RestartContainer", 2);
    // one process serves, and is away while it restarts
    let probe =
        ["--probe", "pod:8080/ok", "--rate", "4", "--probe-timeout", "5s", "--max-errors", "0"];
    let line = ["restart", "sts/db", "--in-place"];
    let report = node.restraint(&[&line[..], &probe, &PATIENT].concat(), 1);
    let result = &report["pods"][0];
    assert_eq!((&result["pod"], &result["done"]), (&json!("db-1"), &json!(false)), "{report}");
    assert_eq!(result["breach"]["condition"], "--max-errors", "{report}");
    assert_eq!(report["notTouched"], json!(["db-0"]), "{report}");
    let other = read(&node, &["get", "pod", "db-0"]);
    assert_eq!(other["metadata"]["generation"], 1);
    assert_eq!(other["status"]["containerStatuses"][0]["restartCount"], 0);
}

fn rollout() {
    let node = Node::empty("rollout");
    let spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template("web", "NotRequired", &json!([])),
        "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}});
    create(
        &node,
        &json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}),
    );
    let ports = json!([{"port": 8080, "targetPort": 8080}]);
    create(
        &node,
        &json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": ports}}),
    );
    let available = "condition=Available";
    node.kubectl(&["wait", "deploy/web", "--for", available, "--timeout", "240s"], "");
    let pods = || -> Vec<Value> {
        let pods = read(&node, &["get", "pods", "--selector", "app=web"])["items"].take();
        let pods = pods.as_array().unwrap().iter();
        let stays = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
        pods.filter(stays).map(|pod| pod["metadata"]["uid"].clone()).collect()
    };
    let before = pods();
    assert_eq!(before.len(), 2);
    // without a flag as well: no pod of it can be restarted in place, and it surges
    let probe = ["--probe", "service:web:8080/ok", "--rate", "4", "--probe-timeout", "10s"];
    let line = ["restart", "deploy/web"];
    let report = node.restraint(&[&line[..], &probe, &PATIENT].concat(), 0);
    let (plan, result) = (&report["plan"]["pods"][0], &report["pods"][0]);
    assert_eq!(
        (&plan["way"], &result["fate"], &result["pod"]),
        (&json!("rollout"), &json!("rolled-out"), &json!("deployment/web")),
        "{report}"
    );
    let after = pods();
    assert!(after.len() == 2 && after.iter().all(|uid| !before.contains(uid)), "{after:?}");
    let during = &report["probes"]["probes"][0]["phases"][1];
    assert!(during["ok"].as_u64().unwrap() > 0, "{during}");
}
