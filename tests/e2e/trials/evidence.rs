//! What is looked up before a resize is judged: the room of a node, and the live memory that this
//! API server does not know, because nobody serves the metrics API.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::installation::Installation;
use crate::pods::{memory_limit, pod_with, resources, stored_limit};
use crate::world::{cluster, metrics_api};

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![trial(
        "evidence: a resize beyond the node is warned about, and an absent metrics API changes nothing",
        looked_up,
    )]
}

fn looked_up() {
    let _absent = metrics_api();
    let policies = cluster().file("policies-with-evidence");
    std::fs::create_dir(&policies).unwrap();
    for rule in ["memory-above-usage", "resize-beyond-node"] {
        std::fs::write(
            policies.join(format!("{rule}.yaml")),
            format!("name: {rule}\nrule: {rule}\nmode: warn\n"),
        )
        .unwrap();
    }
    let flags = ["--policies", policies.to_str().unwrap(), "--evidence-deadline", "30000"];
    let installation = Installation::new(cluster(), "evidence", &flags);
    let space = installation.space();
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "evidence", "labels": {"kubernetes.io/os": "linux"}},
        "status": {
            "capacity": {"cpu": "4", "memory": "4Gi", "pods": "110"},
            "allocatable": {"cpu": "2", "memory": "2Gi", "pods": "110"},
            "nodeInfo": {"operatingSystem": "linux"},
        },
    });
    space.create(&node).accepted();
    space.create(&bound("neighbour", "1", "1Gi")).accepted();
    space.create(&bound("db", "200m", "256Mi")).accepted();

    let grown = |memory: &str| {
        resources(json!({"requests": {"memory": memory}, "limits": {"memory": "1536Mi"}}))
    };
    let beyond =
        "resize-beyond-node: 1280Mi more memory, 768Mi left on node \"evidence\": will be deferred";
    // the API server's cache takes note of node and pods in its own time
    eventually("node and pods are known", || {
        let tried = space.resize_with("db", &grown("1536Mi"), &["--dry-run=server"]).accepted();
        tried.warns(beyond).then_some(())
    });
    space.resize("db", &grown("1Gi")).accepted().assert_warnings(&[]);
    space
        .resize("db", &grown("1536Mi"))
        .accepted()
        .assert_warnings(&["resize-beyond-node: 512Mi more memory, 0 left on node \"evidence\""]);
    assert_eq!(stored_limit(&space.pod("db")), "1536Mi");

    // the API server itself refuses what no pod could have there
    let said = space
        .resize(
            "db",
            &resources(json!({"requests": {"memory": "3Gi"}, "limits": {"memory": "3Gi"}})),
        )
        .refused();
    assert!(said.contains("node didn't have enough allocatable resources: memory"), "{said}");

    let lowered =
        resources(json!({"requests": {"memory": "256Mi"}, "limits": {"memory": "300Mi"}}));
    space.resize("db", &lowered).accepted().assert_warnings(&[]);
    space.resize("neighbour", &memory_limit("1100Mi")).accepted().assert_warnings(&[]);
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
}

/// A pod on the node, whose limits leave it burstable.
fn bound(name: &str, cpu: &str, memory: &str) -> Value {
    let resources =
        json!({"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": "1200Mi"}});
    pod_with(
        name,
        json!({"nodeName": "evidence", "containers": [{"name": "app", "image": "registry.k8s.io/pause:3.10", "resources": resources}]}),
    )
}
