//! Decreases are judged by what the process has: growth that was never carried out belongs to
//! nobody. And automation that takes more than that gets back what the process has.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::installation::Installation;
use crate::kubectl::{Outcome, Person};
use crate::kubelet::{self, DEFERRED};
use crate::pods::{memory, memory_limit, pod, stored_limit};
use crate::policies;
use crate::space::Space;
use crate::world::{cluster, enforcing};

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("what it has: growth that was not carried out is taken back by anybody", taken_back),
        trial("what it has: a status that is absent or of another time counts for nothing", silent),
        trial(
            "what it has: a status in the resize itself counts for nothing",
            a_status_in_the_resize,
        ),
        trial(
            "what it has: automation gets it back, and that is told once, however often",
            restored_to_what_it_has,
        ),
        trial("what it has: updaters of every usual name get it back", other_names),
        trial(
            "what it has: automation is denied as anybody where a policy says so",
            denied_by_choice,
        ),
    ]
}

fn taken_back() {
    let space = enforcing().space();
    kubelet::join(&space);
    for (number, (condition, told)) in kubelet::CONDITIONS.into_iter().enumerate() {
        let name = format!("db-{number}");
        kubelet::grown(&space, &name, condition);
        if !told {
            denied(&space, &name, "512Mi", "4Gi");
            continue;
        }
        denied(&space, &name, "511Mi", "512Mi");
        // part of the way is growth of the process
        let outcome = space.resize_with(&name, &memory_limit("1Gi"), &["--dry-run=server"]);
        outcome.accepted().assert_warnings(&["resize-restarts-container: "]);
        // nothing changes for the process, so nothing restarts
        space.resize(&name, &memory_limit("512Mi")).accepted().assert_warnings(&[]);
        assert_eq!(stored_limit(&space.pod(&name)), "512Mi");
        denied(&space, &name, "511Mi", "512Mi");
    }
}

fn silent() {
    let space = enforcing().space();
    kubelet::join(&space);
    kubelet::grown(&space, "later", DEFERRED);
    space.resize("later", &memory_limit("5Gi")).accepted();
    denied(&space, "later", "512Mi", "5Gi");

    // the condition is there, and the containers are not
    let bound = kubelet::bound(&space, pod("unknown"));
    space.create(&bound).accepted();
    space.resize("unknown", &memory_limit("4Gi")).accepted();
    denied(&space, "unknown", "512Mi", "4Gi");
    kubelet::says(&space, "unknown", DEFERRED, &Value::Null);
    denied(&space, "unknown", "512Mi", "4Gi");

    // it says more than the spec does
    space.create(&kubelet::bound(&space, pod("more"))).accepted();
    kubelet::says(&space, "more", DEFERRED, &json!({"limits": {"memory": "8Gi"}}));
    denied(&space, "more", "511Mi", "512Mi");
    space.resize("more", &memory_limit("1Gi")).accepted();
}

fn a_status_in_the_resize() {
    let space = enforcing().space();
    kubelet::join(&space);
    space.create(&kubelet::bound(&space, pod("db"))).accepted();
    let generation = space.pod("db")["metadata"]["generation"].as_i64().unwrap();
    // the generation before the resize, and after it
    for observed in [generation, generation + 1] {
        let mut patch = memory_limit("128Mi");
        patch["spec"]["containers"][0]["resources"]["requests"] = json!({"memory": "64Mi"});
        patch["status"] = json!({
            "conditions": [{"type": "PodResizePending", "reason": "Deferred", "status": "True", "observedGeneration": observed}],
            "containerStatuses": [{"name": "app", "resources": {"limits": {"memory": "64Mi"}, "requests": {"memory": "64Mi"}}}],
        });
        let said = space.resize("db", &patch).refused();
        assert!(said.contains("memory limit 512Mi -> 128Mi is not approved"), "{said}");
    }
    let status = json!({"status": {"phase": "Running"}}).to_string();
    let line = ["patch", "pod", "db", "--subresource", "status", "--patch", &status];
    let said = space.by(Person::Developer).run(&line).refused();
    assert!(said.contains("resource \"pods/status\""), "{said}");
}

const RESTORED: &str = "memory-limit-decrease: container \"app\": memory limit restored to 512Mi, not 256Mi: no approval";

fn restored_to_what_it_has() {
    let installation = Installation::new(cluster(), "restored", &[]);
    let space = installation.space();
    kubelet::join(&space);
    let owner = workload(&space);
    let mut owned = kubelet::bound(&space, pod("db"));
    owned["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true, "name": "web", "uid": owner["metadata"]["uid"]}]);
    space.create(&owned).accepted();

    let updater = |request: &str, limit: &str| -> Outcome {
        let patch = memory(request, limit).to_string();
        let line = ["patch", "pod", "db", "--subresource", "resize", "--patch", &patch];
        space.by(Person::Autoscaler).run(&line).accepted()
    };
    updater("30Gi", "60Gi").assert_warnings(&[]);
    let has = &owned["spec"]["containers"][0]["resources"];
    kubelet::says(&space, "db", DEFERRED, has);
    // growth of the process, and all of it
    updater("1Gi", "2Gi").assert_warnings(&[]);
    kubelet::says(&space, "db", DEFERRED, has);
    for _ in 0..5 {
        updater("128Mi", "256Mi").assert_warnings(&[RESTORED]);
        assert_eq!(space.pod("db")["spec"]["containers"][0]["resources"], *has);
    }
    let requester = format!("requester=\"{}\"", Person::Autoscaler.username());
    assert_eq!(installation.counted("restraint_restored_total", &requester), 5);
    assert_eq!(installation.counted("restraint_restored_total", ""), 5, "of nobody else");

    let mut reviews = space.reviews();
    reviews.retain(|review| review["path"] == "mutate" && review["subresource"] == "resize");
    reviews.retain(|review| review["findings"].as_str().unwrap().contains("restored "));
    let levels: Vec<_> = reviews.iter().map(|review| review["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["INFO", "DEBUG", "DEBUG", "DEBUG", "DEBUG"]);
    told_once(&space, &owner);
}

/// That there is one event about the pod and one about its controller.
fn told_once(space: &Space<'_>, owner: &Value) {
    let events = eventually("pod and controller are told", || {
        let mut list = space.object(&["get", "events.events.k8s.io"]);
        let events = list["items"].take();
        (events.as_array().unwrap().len() >= 2).then_some(events)
    });
    let told = |kind: &str, uid: &Value| {
        let events: Vec<_> = events
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["regarding"]["kind"] == kind)
            .collect();
        let [event] = &events[..] else { panic!("{events:#?}") };
        assert_eq!(
            (&event["reason"], &event["type"]),
            (&json!("MemoryRestored"), &json!("Warning"))
        );
        assert_eq!(event["regarding"]["uid"], *uid);
        let note = event["note"].as_str().unwrap();
        let begin = format!("\"{}\": {RESTORED}; ", Person::Autoscaler.username());
        assert!(note.starts_with(&begin) && note.contains("minAllowed.memory"), "{note}");
    };
    told("Pod", &space.pod("db")["metadata"]["uid"]);
    told("ReplicaSet", &owner["metadata"]["uid"]);
}

/// A controller that makes no pods: none runs here.
fn workload(space: &Space<'_>) -> Value {
    let labels = json!({"app": "web"});
    let mut template = pod("");
    template["metadata"] = json!({"labels": labels});
    let object = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": template["metadata"], "spec": template["spec"]}},
    });
    space.create(&object).accepted().object()
}

/// Names that common installations give the updater.
const UPDATERS: [&str; 3] = [
    "system:serviceaccount:platform:goldilocks-vpa-updater",
    "system:serviceaccount:kube-system:vertical-pod-autoscaler-updater",
    "system:serviceaccount:openshift-vertical-pod-autoscaler:vpa-updater",
];

/// Names that are not theirs.
const OTHERS: [&str; 3] = [
    "system:serviceaccount:kube-system:vpa-recommender",
    "vpa-updater",
    "not-a-system:serviceaccount:kube-system:vpa-updater",
];

fn other_names() {
    let space = enforcing().space();
    space.create(&pod("db")).accepted();
    let tried = |user: &str| space.resize_as(user, "db", &memory("128Mi", "256Mi"), &[]);
    for user in UPDATERS {
        let outcome = tried(user).accepted();
        outcome.assert_warnings(&[RESTORED]);
        assert_eq!(stored_limit(&outcome.object()), "512Mi", "{user}");
    }
    for user in OTHERS {
        let said = tried(user).refused();
        assert!(said.contains("memory limit 512Mi -> 256Mi is not approved"), "{user}: {said}");
    }
}

fn denied_by_choice() {
    let folder = policies::folder(cluster(), "policies-that-deny-automation");
    let text = policies::in_mode("memory-limit-decrease", "enforce");
    let text = format!("{text}settings: {{unapproved: deny}}\n");
    policies::write(&folder, "memory-limit-decrease", &text);
    let flags = ["--policies", folder.to_str().unwrap()];
    let installation = Installation::new(cluster(), "not-restoring", &flags);
    let space = installation.space();
    kubelet::join(&space);
    kubelet::grown(&space, "db", DEFERRED);
    let tried = |limit: &str| {
        space.resize_as(Person::Autoscaler.username(), "db", &memory("128Mi", limit), &[])
    };
    let said = tried("256Mi").refused();
    assert!(said.contains("memory limit 512Mi -> 256Mi is not approved"), "{said}");
    assert_eq!(stored_limit(&space.pod("db")), "4Gi");
    tried("512Mi").accepted();
    assert_eq!(installation.counted("restraint_restored_total", ""), 0);
}

#[track_caller]
fn denied(space: &Space<'_>, name: &str, amount: &str, has: &str) {
    let said = space.resize(name, &memory_limit(amount)).refused();
    let change = format!("memory limit {has} -> {amount} is not approved");
    assert!(said.contains(&change), "{said}");
}
