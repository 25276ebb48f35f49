//! A stand-in for a kubelet that plays what a real one said: `tests/histories`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::kubectl::Person;
use crate::kubelet::bound;
use crate::pods::pod_with;
use crate::space::Space;

/// A recorded situation.
pub(crate) struct Recorded {
    pod: Value,
    events: Vec<Value>,
}

impl Recorded {
    pub(crate) fn read(history: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories");
        let value = |part: &str| -> Value {
            let path = folder.join(format!("{history}.{part}.json"));
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
        };
        let events = value("events")["items"].as_array().unwrap().clone();
        Self { pod: value("pod"), events }
    }

    /// The resources of `app` in the recorded pod, with other limits.
    pub(crate) fn resources(&self, changes: &Value) -> Value {
        let mut resources = self.pod["spec"]["containers"][0]["resources"].clone();
        for (list, amounts) in changes.as_object().unwrap() {
            for (resource, amount) in amounts.as_object().unwrap() {
                resources[list][resource] = amount.clone();
            }
        }
        resources
    }

    /// A pod with the containers of the recorded one, of which `app` has these resources, and which
    /// runs well on the node of the space.
    pub(crate) fn start(&self, space: &Space<'_>, name: &str, resources: &Value, owner: &Value) {
        let recorded = &self.pod["spec"]["containers"][0];
        let container = json!({
            "name": "app", "image": "registry.k8s.io/pause:3.10", "resources": resources,
            "resizePolicy": recorded["resizePolicy"],
        });
        let mut pod = bound(space, pod_with(name, json!({"containers": [container]})));
        if !owner.is_null() {
            pod["metadata"]["ownerReferences"] = json!([owner]);
            pod["metadata"]["labels"] = json!({"app": owner["name"]});
        }
        space.create(&pod).accepted();
        runs(space, name);
    }

    /// Says of the pod what was said of the recorded one.
    pub(crate) fn play(&self, space: &Space<'_>, name: &str) {
        let pod = space.pod(name);
        let (generation, uid) =
            (pod["metadata"]["generation"].as_i64().unwrap(), &pod["metadata"]["uid"]);
        let (recorded, recorded_uid) =
            (&self.pod["metadata"]["generation"], &self.pod["metadata"]["uid"]);
        let mine = |event: &&Value| {
            event["involvedObject"]["uid"] == *recorded_uid
                && event["reportingComponent"] == "kubelet"
        };
        for (number, event) in self.events.iter().filter(mine).enumerate() {
            let mut event = event.clone();
            let message = event["message"].as_str().unwrap();
            let message = message.replace(
                &format!("\"generation\":{recorded}"),
                &format!("\"generation\":{generation}"),
            );
            event["metadata"] = json!({"name": format!("{name}.{generation}.{number}")});
            event["message"] = json!(message);
            event["involvedObject"]["name"] = json!(name);
            event["involvedObject"]["namespace"] = json!(space.name());
            event["involvedObject"]["uid"] = uid.clone();
            event["involvedObject"].as_object_mut().unwrap().remove("resourceVersion");
            space.create(&event).accepted();
        }
        let mut status = json!({});
        for field in ["phase", "conditions", "containerStatuses"] {
            status[field] = self.pod["status"][field].clone();
        }
        say(space, name, generation, status);
    }
}

/// Says that the pod runs well with what its spec says.
pub(crate) fn runs(space: &Space<'_>, name: &str) {
    let pod = space.pod(name);
    let generation = pod["metadata"]["generation"].as_i64().unwrap();
    let resources = &pod["spec"]["containers"][0]["resources"];
    let count = pod["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap_or(0);
    let container = json!({
        "name": "app", "image": "registry.k8s.io/pause:3.10", "imageID": "", "ready": true, "started": true,
        "restartCount": count, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, "lastState": {},
        "resources": resources, "allocatedResources": resources["requests"],
    });
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(condition);
    let status =
        json!({"phase": "Running", "conditions": conditions, "containerStatuses": [container]});
    say(space, name, generation, status);
}

/// Says this of the pod in this generation.
pub(crate) fn say(space: &Space<'_>, name: &str, generation: i64, mut status: Value) {
    status["observedGeneration"] = json!(generation);
    for condition in status["conditions"].as_array_mut().unwrap() {
        condition["observedGeneration"] = json!(generation);
    }
    let patch = json!({"status": status}).to_string();
    let line =
        ["patch", "pod", name, "--subresource", "status", "--type", "merge", "--patch", &patch];
    space.by(Person::Agent).run(&line).accepted();
}

/// Waits until the spec of the pod has changed so often.
pub(crate) fn asked(space: &Space<'_>, name: &str, generation: i64) {
    eventually(&format!("generation {generation} of pod {name}"), || {
        (space.pod(name)["metadata"]["generation"] == generation).then_some(())
    });
}
