//! The manifests that Restraint was thought up with, on a real node that
//! `RESTRAINT_NODE_KUBECONFIG` leads to, with a release `restraint` of the chart in the path,
//! `cap: enforce`.

use std::collections::BTreeSet;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;

use super::node::{Node, image, is_there};
use super::trial;

/// Every trial on a node with the release; ignored, with a line that says so, where there is none.
pub(super) fn trials() -> Vec<Trial> {
    let trials = vec![
        trial("node: labs: workloads run as they came, and findings are recorded", workloads),
        trial("node: labs: a decrease is denied until it is approved", resizes),
        trial("node: labs: a pod restarts as a whole", restart_all),
    ];
    let is_installed = is_there() && Node::has(&["validatingwebhookconfiguration", "restraint"]);
    if is_there() && !is_installed {
        println!("e2e: no labs on the node, because no release `restraint` of the chart is there");
    }
    trials.into_iter().map(|trial| trial.with_ignored_flag(!is_installed)).collect()
}

/// Serves nothing, for an image that is not there.
const SERVER: [&str; 4] = ["httpd", "-f", "-p", "8080"];

fn workloads() {
    let frozen: &[&str] = &["frozen-env-config", "memory-resize-policy"];
    let polling: &[&str] = &["config-polling", "memory-resize-policy"];
    let policy: &[&str] = &["memory-resize-policy"];
    let wrong: &[&str] = &["frozen-env-config", "memory-resize-policy", "reloader-annotation"];
    let reloader = manifest("reloader-on-the-deployment");
    let mut removed = reloader.clone();
    let annotations = removed["metadata"]["annotations"].take();
    let mut moved = removed.clone();
    moved["spec"]["template"]["metadata"]["annotations"] = annotations;
    let mut yes = reloader.clone();
    yes["metadata"]["annotations"]["reloader.stakater.com/auto"] = "yes".into();
    let cases = [
        ("env-map", manifest("env-from-config-map"), frozen),
        ("env-secret", manifest("env-from-secret"), frozen),
        ("volume-map", manifest("config-map-volume"), polling),
        ("volume-secret", manifest("secret-volume"), polling),
        ("nginx", manifest("nginx"), policy),
        ("crash-loop", manifest("nginx-crash-loop"), policy),
        ("echo-v1", manifest("http-echo-v1"), policy),
        ("echo-v2", manifest("http-echo-v2"), policy),
        ("reloader", reloader, policy),
        ("reloader-removed", removed, frozen),
        ("reloader-moved", moved, policy),
        ("reloader-yes", yes, wrong),
    ];
    for (name, mut deployment, rules) in cases {
        let node = Node::empty(&format!("lab-{name}"));
        configuration(&node);
        runnable(&mut deployment["spec"]["template"]["spec"]["containers"][0]);
        create(&node, &deployment);
        let pod = eventually(&format!("{name} runs"), || {
            let pods: Value =
                serde_json::from_str(&node.kubectl(&["get", "pods", "--output", "json"], ""))
                    .unwrap();
            let pod = pods["items"].get(0)?.clone();
            let status = &pod["status"]["containerStatuses"][0];
            let has_run = status["restartCount"].as_i64()? > 0;
            (has_run || status["state"]["running"].is_object()).then_some(pod)
        });
        let policies = &pod["spec"]["containers"][0]["resizePolicy"];
        let restarts = json!({"resourceName": "memory", "restartPolicy": "RestartContainer"});
        assert!(policies.as_array().unwrap().contains(&restarts), "{name}: {policies}");
        let expected = rules.iter().map(|rule| (*rule).to_owned()).collect();
        eventually(&format!("findings on {name} are recorded: {rules:?}"), || {
            (recorded(&node) == expected).then_some(())
        });
    }
}

fn resizes() {
    let node = Node::empty("lab-resizes");
    let mut pod = manifest("resize-policy-spelled-out");
    runnable(&mut pod["spec"]["containers"][0]);
    create(&node, &pod);
    eventually("the pod runs", || status(&node)["state"]["running"].is_object().then_some(()));
    let resize = |resources: Value| {
        json!({"spec": {"containers": [{"name": "app", "resources": resources}]}}).to_string()
    };
    let patch = ["patch", "pod", "resizable", "--subresource=resize"];
    let memory =
        |memory: &str| json!({"requests": {"memory": memory}, "limits": {"memory": memory}});
    let has = |limits: Value, restarts: i64| {
        eventually(&format!("the kubelet has carried out {limits}"), || {
            let status = status(&node);
            let is_done = status["resources"]["limits"] == limits && status["ready"] == true;
            is_done.then_some(())
        });
        assert_eq!(status(&node)["restartCount"], restarts, "{limits}");
    };

    let faster = json!({"requests": {"cpu": "200m"}, "limits": {"cpu": "1"}});
    let faster = resize(faster);
    node.kubectl(&[&patch[..], &["--patch", &faster, "--warnings-as-errors"]].concat(), "");
    has(json!({"cpu": "1", "memory": "256Mi"}), 0);
    // which warns of the restart
    node.kubectl(&[&patch[..], &["--patch", &resize(memory("512Mi"))]].concat(), "");
    has(json!({"cpu": "1", "memory": "512Mi"}), 1);
    let less = resize(memory("256Mi"));
    let less = [&patch[..], &["--patch", &less]].concat();
    let said = node.refused(&less);
    assert!(said.contains("denied the request"), "{said}");
    assert!(said.contains("memory limit 512Mi -> 256Mi"), "{said}");
    let grant = ["annotate", "pod", "resizable", "restraint.dev/approve=app=256Mi"];
    node.kubectl(&grant, "");
    node.kubectl(&less, "");
    has(json!({"cpu": "1", "memory": "256Mi"}), 2);
}

fn restart_all() {
    let node = Node::empty("lab-restart-all");
    let mut pod = manifest("restart-all-containers");
    for containers in ["initContainers", "containers"] {
        pod["spec"][containers][0]["image"] = image().into();
    }
    pod["spec"]["initContainers"][0]["command"] = json!(["sh", "-c", "sleep 10; exit 88"]);
    create(&node, &pod);
    eventually("all containers started again", || {
        let pod: Value =
            serde_json::from_str(&node.kubectl(&["get", "pod", "trainer", "--output", "json"], ""))
                .unwrap();
        (pod["status"]["containerStatuses"][0]["restartCount"].as_i64()? > 0).then_some(())
    });
}

/// As it is in the folder `tests/acceptance`.
fn manifest(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/acceptance/{name}.yaml"));
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The image that the node has, which does what those of the labs would.
fn runnable(container: &mut Value) {
    container["image"] = image().into();
    container["imagePullPolicy"] = "IfNotPresent".into();
    if container["command"].is_null() {
        container["command"] = json!(SERVER);
        container.as_object_mut().unwrap().remove("args");
    }
}

/// What the labs refer to.
fn configuration(node: &Node) {
    node.kubectl(&["create", "configmap", "greeting", "--from-literal=text=hello"], "");
    node.kubectl(&["create", "secret", "generic", "login", "--from-literal=password=secret"], "");
}

/// Nobody has to read a warning of it.
fn create(node: &Node, object: &Value) {
    let line = ["create", "--warnings-as-errors", "--filename", "-"];
    node.kubectl(&line, &object.to_string());
}

fn status(node: &Node) -> Value {
    let pod = node.kubectl(&["get", "pod", "resizable", "--output", "json"], "");
    serde_json::from_str::<Value>(&pod).unwrap()["status"]["containerStatuses"][0].take()
}

/// The rules that the replicas' logs name for Deployments of the namespace.
fn recorded(node: &Node) -> BTreeSet<String> {
    let logs = [
        "logs",
        "--namespace=restraint",
        "--selector=app.kubernetes.io/name=restraint",
        "--tail=-1",
    ];
    let logs = node.kubectl(&logs, "");
    let reviews = logs.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut rules = BTreeSet::new();
    for review in reviews {
        if review["namespace"] == *node.namespace && review["resource"] == "deployments" {
            let findings = review["findings"].as_str().unwrap_or_default();
            // "audit frozen-env-config: ..."
            let rule =
                |finding: &str| Some(finding.split(": ").next()?.split(' ').nth(1)?.to_owned());
            rules.extend(findings.split("; ").filter_map(rule));
        }
    }
    rules
}
