//! Pods whose resize policy must not depend on who gives it.

use serde_json::{Value, json};

use crate::pods::pod;

/// Creations of pods besides the recorded ones, with what resizePolicy each container of each list
/// has in the end.
pub(super) fn creations() -> Vec<(&'static str, Value)> {
    let policies = |policies: Value| {
        let mut pod = pod("");
        pod["spec"]["containers"][0]["resizePolicy"] = policies;
        pod
    };
    let entry =
        |resource: &str, policy: &str| json!({"resourceName": resource, "restartPolicy": policy});
    let mut mixed = pod("");
    let app = mixed["spec"]["containers"][0].clone();
    let named = |name: &str, restart: Value| {
        let mut container = app.clone();
        container["name"] = json!(name);
        if !restart.is_null() {
            container["restartPolicy"] = restart;
        }
        container
    };
    mixed["spec"]["initContainers"] = json!([
        named("init", Value::Null),
        named("sidecar", json!("Always")),
        named("last", Value::Null)
    ]);
    mixed["spec"]["containers"] =
        json!([{"name": "bare", "image": "registry.k8s.io/pause:3.10"}, named("app", Value::Null)]);
    let mut never = mixed.clone();
    never["spec"]["restartPolicy"] = json!("Never");
    let mut whole = mixed.clone();
    whole["spec"]["resources"] =
        json!({"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}});
    let annotated = |key: &str, value: &str| {
        let mut pod = pod("");
        pod["metadata"]["annotations"] = json!({key: value});
        pod["spec"]["nodeName"] = json!("node");
        pod
    };
    let of_system = |field: &str, value: Value| {
        let mut pod = pod("");
        pod["spec"][field] = value;
        pod
    };
    vec![
        ("plain", pod("")),
        ("windows", of_system("os", json!({"name": "windows"}))),
        ("windows-nodes", of_system("nodeSelector", json!({"kubernetes.io/os": "windows"}))),
        ("linux", of_system("nodeSelector", json!({"kubernetes.io/os": "linux"}))),
        ("cpu-only", policies(json!([entry("cpu", "RestartContainer")]))),
        ("memory-only", policies(json!([entry("memory", "NotRequired")]))),
        (
            "complete",
            policies(json!([
                entry("memory", "RestartContainer"),
                entry("cpu", "RestartContainer")
            ])),
        ),
        ("empty", policies(json!([]))),
        ("mixed", mixed),
        ("never", never),
        ("whole", whole),
        ("mirror", annotated("kubernetes.io/config.mirror", "hash")),
        ("ignored", annotated("restraint.dev/ignore", "other, memory-resize-policy")),
        ("not-ignored", annotated("restraint.dev/ignore", "memory-resize-policies")),
    ]
}
