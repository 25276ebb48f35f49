//! `restraint replay`, of what a real API server wrote about one scenario at each level.
//!
//! The scenario has its truth written down beside each step. What replay says of a step must be
//! that: a claim that is not is a failure, and so is a request that is knowable and not told.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::trial;
use crate::deadline::eventually;
use crate::kubectl::{Kubectl, Outcome, Person};
use crate::world::cluster;

const SCENARIO: &str = include_str!("replaying/scenario.yaml");

pub(super) fn trials() -> Vec<Trial> {
    let of = |level: &'static str| {
        trial(format!("replay: every request of a log of level {level}"), move || played(level))
    };
    vec![of("metadata"), of("request"), of("response")]
}

/// A namespace of which the API server logs at one level, as `audit-policy.yaml` says.
struct Stage {
    kubectl: Kubectl,
    node: String,
}

fn played(level: &str) {
    let steps: Vec<Value> = serde_saphyr::from_str(SCENARIO).unwrap();
    let name = format!("replaying-{level}");
    let admin = cluster().kubectl();
    admin.run(&["create", "namespace", &name]).accepted();
    let node = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux"}},
        "status": {"allocatable": {"cpu": "64", "memory": "128Gi", "pods": "110"}, "nodeInfo": {"operatingSystem": "linux"}},
    });
    admin.feed(&["create", "--filename", "-"], &node.to_string()).accepted();
    let stage = Stage { kubectl: admin.within(&name), node: name.clone() };
    for step in &steps {
        let outcome = stage.play(step);
        if step["refused"] == true || step["resize"] == "missing" {
            outcome.refused();
        } else {
            outcome.accepted();
        }
    }
    let expected: Vec<_> = steps.iter().filter(|step| step["response"] != "none").collect();
    let entries = eventually("the log has every request", || {
        let entries = replayed(&name);
        (entries.len() >= expected.len()).then_some(entries)
    });
    assert_eq!(entries.len(), expected.len(), "{entries:#?}");
    let mut faults = Vec::new();
    for (step, entry) in expected.iter().zip(&entries) {
        let truth = truth(step, level);
        if entry["decision"] != truth {
            faults.push(format!("{step}: {entry}"));
        }
    }
    assert!(faults.is_empty(), "{} of {}: {faults:#?}", faults.len(), entries.len());
}

/// What a log of this level tells of a step.
fn truth<'s>(step: &'s Value, level: &str) -> &'s str {
    let written = |level: &str| step[level].as_str();
    match level {
        _ if step["refused"] == true => "refused",
        "metadata" => "unknown",
        level => written(level).or_else(|| written("response")).unwrap(),
    }
}

/// What replay tells of the requests in a namespace, in their order.
fn replayed(namespace: &str) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
    command.args(["replay", "--format", "json"]).arg(cluster().file("audit.log"));
    let output = command.output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let entries = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries.filter(|entry| entry["namespace"] == namespace).collect()
}

impl Stage {
    fn play(&self, step: &Value) -> Outcome {
        let text = |field: &str| step[field].as_str();
        if let Some(name) = text("resize") {
            let mut arguments = vec![
                "patch",
                "pod",
                name,
                "--subresource",
                "resize",
                "--type",
                text("type").unwrap_or("strategic"),
            ];
            let flags: Vec<_> =
                step["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            arguments.extend(&flags);
            let patch = resized(step).to_string();
            arguments.extend(["--patch", &patch]);
            let person = match text("by") {
                Some("updater") => Person::Autoscaler,
                // who asks for another may do so
                _ if flags.iter().any(|flag| flag.starts_with("--as")) => Person::Admin,
                _ => Person::Developer,
            };
            self.kubectl.by(person).run(&arguments)
        } else if let Some(name) = text("replace") {
            let mut limits = json!({"cpu": "500m"});
            limits["memory"] = step["limits"]["memory"].clone();
            let pod = self.pod(&json!({"name": name, "limits": limits}));
            self.feed(&["replace", "--subresource", "resize"], &pod)
        } else if let Some(name) = text("apply") {
            let mut pod = resized(step);
            pod["apiVersion"] = json!("v1");
            pod["kind"] = json!("Pod");
            pod["metadata"] = json!({"name": name});
            self.feed(
                &["apply", "--server-side", "--force-conflicts", "--subresource", "resize"],
                &pod,
            )
        } else if let Some(name) = text("deferred") {
            self.defer(name)
        } else if step["create"].is_object() {
            self.feed(&["create"], &self.pod(&step["create"]))
        } else if step["deployment"].is_object() {
            self.feed(&["create"], &deployment(&step["deployment"]))
        } else {
            let arguments: Vec<_> =
                step["run"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            self.kubectl.run(&arguments)
        }
    }

    fn feed(&self, arguments: &[&str], object: &Value) -> Outcome {
        self.kubectl.feed(&[arguments, &["--filename", "-"]].concat(), &object.to_string())
    }

    /// A pod with a container `app`, and another beside it where there are to be two.
    fn pod(&self, wanted: &Value) -> Value {
        let or = |field: &str, else_: Value| {
            if wanted[field].is_null() { else_ } else { wanted[field].clone() }
        };
        let mut app = json!({
            "name": "app", "image": "registry.k8s.io/pause:3.10",
            "resources": {
                "requests": or("requests", json!({"cpu": "200m", "memory": "256Mi"})),
                "limits": or("limits", json!({"cpu": "500m", "memory": "512Mi"})),
            },
        });
        if !wanted["args"].is_null() {
            app["command"] = wanted["args"].clone();
        }
        if !wanted["policy"].is_null() {
            app["resizePolicy"] = json!([
                {"resourceName": "cpu", "restartPolicy": "NotRequired"},
                {"resourceName": "memory", "restartPolicy": wanted["policy"]},
            ]);
        }
        let mut containers = vec![app];
        if wanted["containers"] == 2 {
            containers.push(
                json!({"name": "log", "image": "a", "resources": {"limits": {"memory": "64Mi"}}}),
            );
        }
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": containers}});
        for field in ["name", "generateName"] {
            if let Some(name) = wanted[field].as_str() {
                pod["metadata"][field] = json!(name);
            }
        }
        if wanted["node"] == true {
            pod["spec"]["nodeName"] = json!(self.node);
        }
        pod
    }

    /// Says that the resize of a pod to its second generation waits, and that it has 512Mi.
    fn defer(&self, pod: &str) -> Outcome {
        let resources = json!({"limits": {"memory": "512Mi", "cpu": "500m"}, "requests": {"memory": "256Mi", "cpu": "200m"}});
        let status = json!({"status": {
            "conditions": [{"type": "PodResizePending", "status": "True", "reason": "Deferred", "observedGeneration": 2}],
            "containerStatuses": [{"name": "app", "image": "a", "imageID": "a", "ready": true, "restartCount": 0, "resources": resources}],
        }});
        self.kubectl.run(&[
            "patch",
            "pod",
            pod,
            "--subresource",
            "status",
            "--type",
            "strategic",
            "--patch",
            &status.to_string(),
        ])
    }
}

/// The patch of a step, or one of the resources of the container `app`.
fn resized(step: &Value) -> Value {
    if !step["patch"].is_null() {
        return step["patch"].clone();
    }
    let mut resources = json!({});
    for list in ["limits", "requests"] {
        if !step[list].is_null() {
            resources[list] = step[list].clone();
        }
    }
    json!({"spec": {"containers": [{"name": "app", "resources": resources}]}})
}

/// A Deployment, with a ConfigMap by subPath where that is wanted.
fn deployment(wanted: &Value) -> Value {
    let mut app = json!({"name": "app", "image": "a", "resources": {"limits": {"memory": "64Mi"}}});
    if let Some(path) = wanted["subPath"].as_str() {
        app["volumeMounts"] =
            json!([{"name": "c", "mountPath": format!("/etc/{path}"), "subPath": path}]);
    }
    let template = json!({
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [app], "volumes": [{"name": "c", "configMap": {"name": "c"}}]},
    });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": wanted["name"]},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "template": template},
    })
}
