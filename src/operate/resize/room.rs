//! The room on a pod's node, where it may be looked at.

use kube::api::{GetParams, ListParams, Request};
use serde::Serialize;

use crate::cluster::Cluster;
use crate::cluster::node_room::{self, Neighbour};
use crate::kube::requests::{cpu_text, memory_floor_text, memory_text};
use crate::manifest::unstructured::Unstructured;

/// How many neighbours are named.
const NAMED: usize = 5;

/// Whether a pod fits its node with what it is to ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Room {
    /// The node.
    pub(super) node: String,
    /// Whether it fits now.
    pub(super) fits: bool,
    /// What it comes to.
    pub(super) why: String,
    /// Who holds most of what is missing, the largest first.
    pub(super) neighbours: Vec<String>,
}

/// The room for `wanted` on its node; `None` where it runs nowhere or nobody may look.
pub(super) async fn of(cluster: &Cluster, wanted: &Unstructured) -> Option<Room> {
    let node = wanted.text("/spec/nodeName").filter(|name| !name.is_empty())?;
    let uid = wanted.text("/metadata/uid")?;
    let request = Request::new("/api/v1/nodes").get(node, &GetParams::default()).ok()?;
    let node_text = cluster.client.request_text(request).await.ok()?;
    let selector = format!("spec.nodeName={node},status.phase!=Succeeded,status.phase!=Failed");
    let request =
        Request::new("/api/v1/pods").list(&ListParams::default().fields(&selector)).ok()?;
    let pods = cluster.client.request_text(request).await.ok()?;
    let capacity = node_room::read(node_text.as_bytes(), pods.as_bytes(), uid)?;
    let asked = wanted.decode().ok()?.spec.requests()?;
    let missing = asked.minus(capacity.most);
    let mut lacking = Vec::new();
    if missing.memory > 0 {
        lacking.push(format!(
            "{} of memory: it is to ask for {}, and {} is left for it",
            memory_text(missing.memory),
            memory_text(asked.memory),
            memory_floor_text(capacity.most.memory)
        ));
    }
    if missing.cpu > 0 {
        lacking.push(format!(
            "{} of cpu: it is to ask for {}, and {} is left for it",
            cpu_text(missing.cpu),
            cpu_text(asked.cpu),
            cpu_text(capacity.most.cpu)
        ));
    }
    let fits = lacking.is_empty();
    let why = if fits {
        format!(
            "it asks for {} of memory and {} of cpu; {} and {} are left for it",
            memory_text(asked.memory),
            cpu_text(asked.cpu),
            memory_floor_text(capacity.most.memory),
            cpu_text(capacity.most.cpu)
        )
    } else {
        format!("missing are {}", lacking.join("; "))
    };
    let neighbours = if fits {
        Vec::new()
    } else {
        let by_memory = missing.memory > 0;
        named(node_room::neighbours(pods.as_bytes(), uid), by_memory)
    };
    Some(Room { node: capacity.node, fits, why, neighbours })
}

fn named(mut neighbours: Vec<Neighbour>, by_memory: bool) -> Vec<String> {
    let amount = |one: &Neighbour| if by_memory { one.requests.memory } else { one.requests.cpu };
    neighbours.sort_by_key(|one| std::cmp::Reverse(amount(one)));
    neighbours
        .iter()
        .filter(|one| amount(one) > 0)
        .take(NAMED)
        .map(|one| {
            let held = if by_memory {
                memory_text(one.requests.memory)
            } else {
                cpu_text(one.requests.cpu)
            };
            format!("{}/{} {held}", one.namespace, one.name)
        })
        .collect()
}
