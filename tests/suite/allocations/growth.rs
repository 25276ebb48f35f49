//! Whoever may create pods writes them as long as they like, within 3 MiB. Twice as long may cost
//! twice as much: work that grows with the square keeps a worker busy for longer than any webhook
//! waits.

use serde_json::{Value, json};

use super::{Validate, cost};
use crate::subjects::creation;

/// A name and a pod's spec of some length.
type Shape = (&'static str, fn(usize) -> Value);

const SHAPES: [Shape; 15] = [
    ("containers", |count| containers(count, json!({}))),
    ("variables", variables),
    ("mounts", mounts),
    ("both ways", |count| containers(count, both_ways())),
    ("heaps", |count| containers(count, heap())),
    ("subpaths", |count| {
        containers(count, mounted(json!({"command": ["inotifywait", "-m", "/a"]})))
    }),
    ("polls", |count| containers(count, mounted(shell(POLL)))),
    ("polls in one script", |count| containers(1, mounted(shell(&POLL.repeat(count))))),
    ("reloaders", |count| containers(count, mounted(reloader()))),
    ("hooks", |count| {
        let hook = json!({"postStart": {"exec": shell("while true; do sleep 5; done")}});
        containers(count, mounted(json!({"lifecycle": hook})))
    }),
    ("probes", |count| {
        let probe = json!({"exec": shell("cmp -s /etc/app/a /tmp/a")});
        containers(count, mounted(json!({"livenessProbe": probe})))
    }),
    ("tools", |count| {
        let tool = json!({"image": "alpine", "command": ["inotifywait", "-m", "/etc/app"]});
        containers(count, mounted(tool))
    }),
    ("signals", |count| containers(count, mounted(shell("kill -HUP $(pidof nginx)")))),
    ("watches", |count| containers(count, mounted(shell(WATCH)))),
    ("loops", |count| containers(1, mounted(shell(&WATCH.repeat(count))))),
];

const POLL: &str = "while sleep 5; do md5sum /etc/app/a; done\n";
const WATCH: &str = "while inotifywait -e modify /etc/app/app.yaml; do echo; done\n";

#[test]
fn work_grows_with_the_pod_and_not_with_its_square() {
    let mut faults = Vec::new();
    for (name, shape) in SHAPES {
        let allocations = |count: usize| {
            let mut spec = shape(count);
            spec["volumes"] = json!([{"name": "config", "configMap": {"name": "app-config"}}]);
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db"}, "spec": spec});
            let cost = cost(Validate, &creation(&pod));
            cost.decode.count_total + cost.judge.count_total + cost.answer.count_total
        };
        let (once, twice) = (allocations(100), allocations(200));
        if twice > once * 5 / 2 {
            faults.push(format!("{name}: {once} allocations for 100, {twice} for 200"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// A spec of so many containers with these fields.
fn containers(count: usize, more: Value) -> Value {
    let container = |index: usize| {
        let own =
            json!({"name": format!("app-{index}"), "resources": {"limits": {"memory": "1Gi"}}});
        merged(own, &more)
    };
    json!({"containers": (0..count).map(container).collect::<Vec<_>>()})
}

/// Fields of a container that mounts configuration, whole and in part.
fn mounted(more: Value) -> Value {
    let mounts = json!([
        {"name": "config", "mountPath": "/etc/app"},
        {"name": "config", "mountPath": "/a", "subPath": "a"},
    ]);
    merged(json!({"volumeMounts": mounts}), &more)
}

fn merged(mut object: Value, more: &Value) -> Value {
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn shell(text: &str) -> Value {
    json!({"command": ["sh", "-c", text]})
}

fn reloader() -> Value {
    json!({"image": "configmap-reload", "args": ["--volume-dir=/b", "--volume-dir=/a"]})
}

fn variables(count: usize) -> Value {
    let variable = |index: usize| {
        let key = json!({"secretKeyRef": {"name": format!("login-{index}"), "key": "k"}});
        json!({"name": format!("V{index}"), "valueFrom": key})
    };
    containers(1, json!({"env": (0..count).map(variable).collect::<Vec<_>>()}))
}

fn mounts(count: usize) -> Value {
    let mount = |index: usize| json!({"name": "config", "mountPath": format!("/etc/{index}"), "subPath": "a"});
    containers(1, json!({"volumeMounts": (0..count).map(mount).collect::<Vec<_>>()}))
}

/// One key as a variable and as a file.
fn both_ways() -> Value {
    let key = json!({"configMapKeyRef": {"name": "app-config", "key": "LEVEL"}});
    mounted(json!({"env": [{"name": "LEVEL", "valueFrom": key}]}))
}

fn heap() -> Value {
    let limit = json!({"resourceFieldRef": {"resource": "limits.memory"}});
    json!({
        "args": ["-Xmx512m", "-XX:MaxRAMFraction=2"],
        "env": [{"name": "LIMIT", "valueFrom": limit}],
        "resizePolicy": [{"resourceName": "memory", "restartPolicy": "NotRequired"}],
    })
}
