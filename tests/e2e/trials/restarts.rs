//! Resizes that restart a container: people are told, automation is only recorded.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::kubectl::Person;
use crate::kubelet;
use crate::pods::{memory, memory_limit, pod, resources};
use crate::space::Space;
use crate::world::enforcing;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("restarts: a person who raises memory is warned, an autoscaler is not", growth),
        trial("restarts: cpu is asked about where it restarts, and only there", cpu_restarts),
        trial("restarts: what restarts nothing is no matter", nothing_restarts),
    ]
}

const MEMORY: &str = "resize-restarts-container: container \"app\": new memory restarts it";
const CPU: &str = "resize-restarts-container: container \"app\": new cpu restarts it";
const BOTH: &str = "resize-restarts-container: container \"app\": new memory and cpu restart it";

fn growth() {
    let space = with(&[("db", Value::Null)]);
    space.resize("db", &memory("512Mi", "1Gi")).accepted().assert_warnings(&[MEMORY]);
    // a request alone
    space.resize("db", &memory("600Mi", "1Gi")).accepted().assert_warnings(&[MEMORY]);
    let patch = memory("1Gi", "2Gi").to_string();
    let line = ["patch", "pod", "db", "--subresource", "resize", "--patch", &patch];
    space.by(Person::Autoscaler).run(&line).accepted().assert_warnings(&[]);
    let events = space.audited("pods", "resize", "db", 3);
    let annotation = |key: &str| -> Vec<bool> {
        let key = format!("resize-advice.restraint.dev/{key}");
        events.iter().map(|event| event.annotation(&key).contains(MEMORY)).collect()
    };
    assert_eq!(annotation("warned"), [true, true, false]);
    assert_eq!(annotation("noted"), [false, false, true]);
}

fn cpu_restarts() {
    let space = with(&[
        ("memory-restarts", policies("NotRequired", "RestartContainer")),
        ("cpu-restarts", policies("RestartContainer", "NotRequired")),
        ("both-restart", policies("RestartContainer", "RestartContainer")),
    ]);
    let cpu = resources(json!({"requests": {"cpu": "300m"}}));
    let warned = |pod: &str, patch: &Value, warnings: &[&str]| {
        space.resize(pod, patch).accepted().assert_warnings(warnings);
    };
    warned("memory-restarts", &cpu, &[]);
    warned("cpu-restarts", &cpu, &[CPU]);
    warned("cpu-restarts", &memory_limit("1Gi"), &[]);
    let all = resources(json!({"requests": {"cpu": "350m"}, "limits": {"memory": "1Gi"}}));
    warned("both-restart", &all, &[BOTH]);
    warned("both-restart", &resources(json!({"requests": {"cpu": "0.35"}})), &[]);
    let mut reviews = space.reviews();
    reviews.retain(|review| review["subresource"] == "resize");
    let asked: Vec<_> = reviews.iter().map(|review| review["name"].as_str().unwrap()).collect();
    assert_eq!(
        asked,
        ["cpu-restarts", "cpu-restarts", "both-restart"],
        "the same amount is the same to the API server"
    );
}

fn nothing_restarts() {
    let space = with(&[("live", policies("NotRequired", "NotRequired"))]);
    space.resize("live", &memory("300Mi", "1Gi")).accepted().assert_warnings(&[]);
    // on no node yet
    space.create(&pod("unbound")).accepted();
    space.resize("unbound", &memory("300Mi", "1Gi")).accepted().assert_warnings(&[]);
    let asked = space.reviews().iter().filter(|review| review["subresource"] == "resize").count();
    assert_eq!(asked, 2, "both were judged");
}

/// The `resizePolicy` of a container.
fn policies(cpu: &str, memory: &str) -> Value {
    json!([{"resourceName": "cpu", "restartPolicy": cpu}, {"resourceName": "memory", "restartPolicy": memory}])
}

/// A space with pods on a node, each with a name and the `resizePolicy` of its container; Restraint
/// writes it where there is none.
fn with(pods: &[(&str, Value)]) -> Space<'static> {
    let space = enforcing().space();
    kubelet::join(&space);
    for (name, policies) in pods {
        let mut pod = kubelet::bound(&space, pod(name));
        if !policies.is_null() {
            pod["spec"]["containers"][0]["resizePolicy"] = policies.clone();
        }
        space.create(&pod).accepted();
    }
    space
}
