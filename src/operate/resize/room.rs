//! The room on a pod's node, where it may be looked at.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream;
use kube::api::{GetParams, ListParams, Request};
use serde::Serialize;

use crate::cluster::Cluster;
use crate::cluster::node_room::{Neighbour, NodeRoom};
use crate::kube::requests::{cpu_text, memory_floor_text, memory_text};
use crate::manifest::unstructured::Unstructured;

/// How many neighbours are named.
const NAMED: usize = 5;

/// How many nodes are asked for at once.
const AT_ONCE: usize = 4;

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

/// The nodes that some pods run on, each looked at once. What may not be looked at is absent.
#[derive(Debug, Default)]
pub(super) struct Nodes(BTreeMap<String, Seen>);

#[derive(Debug)]
struct Seen {
    node: Unstructured,
    room: Option<NodeRoom>,
}

impl Nodes {
    /// The nodes of `pods`.
    pub(super) async fn of(cluster: &Cluster, pods: impl Iterator<Item = &Unstructured>) -> Self {
        let names: BTreeSet<&str> = pods.filter_map(name_of).collect();
        let seen = stream::iter(names)
            .map(|name| async move { Some((name.to_owned(), Seen::of(cluster, name).await?)) });
        Self(seen.buffer_unordered(AT_ONCE).filter_map(async |seen| seen).collect().await)
    }

    /// The node of `pod`.
    pub(super) fn node(&self, pod: &Unstructured) -> Option<&Unstructured> {
        self.0.get(name_of(pod)?).map(|seen| &seen.node)
    }

    /// The room for `wanted` on its node; `None` where it runs nowhere or nobody may look.
    pub(super) fn room(&self, wanted: &Unstructured) -> Option<Room> {
        let room = self.0.get(name_of(wanted)?)?.room.as_ref()?;
        judge(room, wanted)
    }
}

impl Seen {
    async fn of(cluster: &Cluster, name: &str) -> Option<Self> {
        let request = Request::new("/api/v1/nodes").get(name, &GetParams::default()).ok()?;
        let node = cluster.client.request_text(request).await.ok()?;
        let room = match pods_on(cluster, name).await {
            Some(pods) => NodeRoom::read(node.as_bytes(), pods.as_bytes()),
            None => None,
        };
        let node = serde_json::from_str(&node).ok()?;
        Some(Self { node: Unstructured::of(node, "")?, room })
    }
}

/// The node that a pod runs on.
fn name_of(pod: &Unstructured) -> Option<&str> {
    pod.text("/spec/nodeName").filter(|name| !name.is_empty())
}

/// The list of the pods of a node.
async fn pods_on(cluster: &Cluster, node: &str) -> Option<String> {
    let selector = format!("spec.nodeName={node},status.phase!=Succeeded,status.phase!=Failed");
    let parameters = ListParams::default().fields(&selector);
    let request = Request::new("/api/v1/pods").list(&parameters).ok()?;
    cluster.client.request_text(request).await.ok()
}

fn judge(room: &NodeRoom, wanted: &Unstructured) -> Option<Room> {
    let uid = wanted.text("/metadata/uid")?;
    let capacity = room.capacity(uid)?;
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
        named(room.neighbours(uid).collect(), by_memory)
    };
    Some(Room { node: capacity.node, fits, why, neighbours })
}

fn named(mut neighbours: Vec<&Neighbour>, by_memory: bool) -> Vec<String> {
    let amount = |one: &&Neighbour| if by_memory { one.requests.memory } else { one.requests.cpu };
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
