//! What is left of a node: what it can give, less what its pods ask for.

use std::fmt;

use k8s_openapi::api::core::v1::{Node, ResourceRequirements};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::json::LIST_LIMIT;
use crate::kube::container::Role;
use crate::kube::node_capacity::NodeCapacity;
use crate::kube::requests::Requests;

use super::amounts::{Amounts, written};

/// A node, and what each of its pods asks for.
///
/// A pod counts with the larger of its spec and what the kubelet has allocated to it, as with the
/// scheduler. Pods that have ended do not count; pods that are being deleted do, until they are
/// gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeRoom {
    node: String,
    allocatable: Requests,
    pods: Vec<Held>,
}

/// What a pod holds of its node.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    uid: String,
    overhead: Requests,
    /// `None` where an amount cannot be told.
    neighbour: Option<Neighbour>,
}

/// A pod of the node, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) requests: Requests,
}

impl NodeRoom {
    /// Reads a `Node` and a `PodList` of its pods; `None` where an amount that counts for every pod
    /// cannot be told.
    pub(crate) fn read(node: &[u8], pods: &[u8]) -> Option<Self> {
        let node: Node = serde_json::from_slice(node).ok()?;
        let pods: PodList = serde_json::from_slice(pods).ok()?;
        let allocatable = written(&node.status?.allocatable?)?;
        let allocatable = Requests { cpu: allocatable.cpu?, memory: allocatable.memory? };
        let pods = pods.items.into_iter().filter(|pod| !pod.has_ended());
        let pods: Option<Vec<Held>> = pods.map(Held::of).collect();
        Some(Self { node: node.metadata.name.unwrap_or_default(), allocatable, pods: pods? })
    }

    /// What is left for the pod with this `uid`; `None` where an amount of another cannot be told.
    pub(crate) fn capacity(&self, uid: &str) -> Option<NodeCapacity> {
        let mut most = self.allocatable;
        for pod in &self.pods {
            most = most.minus(pod.overhead);
            if pod.uid != uid {
                most = most.minus(pod.neighbour.as_ref()?.requests);
            }
        }
        Some(NodeCapacity { node: self.node.clone(), most })
    }

    /// Its pods without the one with this `uid`; those of which an amount cannot be told are left
    /// out.
    pub(crate) fn neighbours(&self, uid: &str) -> impl Iterator<Item = &Neighbour> {
        let others = self.pods.iter().filter(move |pod| pod.uid != uid);
        others.filter_map(|pod| pod.neighbour.as_ref())
    }
}

impl Held {
    fn of(pod: Pod) -> Option<Self> {
        let overhead = written(&pod.spec.overhead)?.or_none();
        let requests = pod.requests();
        let Metadata { namespace, name, uid } = pod.metadata;
        let neighbour = requests.map(|requests| Neighbour { namespace, name, requests });
        Some(Self { uid, overhead, neighbour })
    }
}

/// What counts of a `PodList`. Everything else is skipped instead of taken apart: whoever may
/// create pods writes it, and a volume of 30 bytes takes thousands once it is a `Volume`.
#[derive(Deserialize)]
struct PodList {
    #[serde(deserialize_with = "bounded")]
    items: Vec<Pod>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pod {
    metadata: Metadata,
    spec: PodSpec,
    status: PodStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    namespace: String,
    name: String,
    uid: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodSpec {
    containers: Vec<Container>,
    init_containers: Vec<Container>,
    resources: ResourceRequirements,
    overhead: Amounts,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    name: String,
    restart_policy: Option<String>,
    resources: ResourceRequirements,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodStatus {
    phase: String,
    allocated_resources: Amounts,
    container_statuses: Vec<ContainerStatus>,
    init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    allocated_resources: Amounts,
}

impl Pod {
    fn has_ended(&self) -> bool {
        matches!(&*self.status.phase, "Succeeded" | "Failed")
    }

    fn requests(&self) -> Option<Requests> {
        let role = |container: &Container| match container.restart_policy.as_deref() {
            Some("Always") => Role::Sidecar,
            _ => Role::Init,
        };
        let init = self.spec.init_containers.iter().map(|container| {
            let statuses = &self.status.init_container_statuses;
            Some((role(container), container.requests(statuses)?))
        });
        let regular = self.spec.containers.iter().map(|container| {
            Some((Role::Regular, container.requests(&self.status.container_statuses)?))
        });
        let own = written(&requests(&self.spec.resources))?;
        let requests = Requests::of_pod(init.chain(regular), own)?;
        // what is allocated at pod level is told of every pod: it counts where the pod asks for
        // something itself
        let allocated = written(&self.status.allocated_resources)?.or_none();
        let larger = requests.max(allocated);
        Some(Requests {
            cpu: if own.cpu.is_some() { larger.cpu } else { requests.cpu },
            memory: if own.memory.is_some() { larger.memory } else { requests.memory },
        })
    }
}

impl Container {
    /// The larger of what it asks for and what it has according to its status.
    fn requests(&self, statuses: &[ContainerStatus]) -> Option<Requests> {
        let asked = written(&requests(&self.resources))?.or_none();
        match statuses.iter().find(|status| status.name == self.name) {
            Some(status) => Some(asked.max(written(&status.allocated_resources)?.or_none())),
            None => Some(asked),
        }
    }
}

fn requests(resources: &ResourceRequirements) -> Amounts {
    resources.requests.clone().unwrap_or_default()
}

/// A list that is refused where it is longer than any that is true.
fn bounded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Pod>, D::Error> {
    struct Bounded;

    impl<'de> Visitor<'de> for Bounded {
        type Value = Vec<Pod>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "at most {LIST_LIMIT} pods")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut pods = Vec::new();
            while let Some(pod) = list.next_element()? {
                if pods.len() == LIST_LIMIT {
                    return Err(A::Error::invalid_length(LIST_LIMIT, &self));
                }
                pods.push(pod);
            }
            Ok(pods)
        }
    }

    deserializer.deserialize_seq(Bounded)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node_capacity(pods: Value) -> Option<(i128, i128)> {
        let node = json!({"metadata": {"name": "n1"}, "status": {
            "capacity": {"cpu": "9", "memory": "9Gi"}, "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}});
        let pods = json!({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": pods})
            .to_string();
        let room = NodeRoom::read(node.to_string().as_bytes(), pods.as_bytes())?;
        let node_capacity = room.capacity("own")?;
        assert_eq!(node_capacity.node, "n1");
        Some((node_capacity.most.cpu, node_capacity.most.memory >> 20))
    }

    fn pod(uid: &str, cpu: &str, memory: &str) -> Value {
        let resources = json!({"requests": {"cpu": cpu, "memory": memory, "ephemeral-storage": "1Gi"}, "limits": {"memory": "3Gi"}});
        json!({"metadata": {"name": uid, "uid": uid}, "spec": {"containers": [{"name": "app", "resources": resources}]}})
    }

    #[test]
    fn others_are_named_with_what_they_ask_for() {
        let node = br#"{"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}}"#;
        let list = json!({"items": [pod("own", "1", "1Gi"), pod("a", "500m", "2Gi"), pod("odd", "many", "1Gi")]}).to_string();
        let room = NodeRoom::read(node, list.as_bytes()).unwrap();
        let found: Vec<&Neighbour> = room.neighbours("own").collect();
        assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["a"]);
        assert_eq!(found[0].requests, Requests { cpu: 500, memory: 2 << 30 });
    }

    #[test]
    fn what_others_ask_for_is_gone() {
        assert_eq!(node_capacity(json!([])), Some((4000, 8192)));
        assert_eq!(
            node_capacity(json!([
                pod("own", "1", "1Gi"),
                pod("a", "500m", "1Gi"),
                pod("b", "1", "512Mi")
            ])),
            Some((2500, 6656))
        );
        assert_eq!(
            node_capacity(json!([pod("a", "5", "1Gi")])),
            Some((-1000, 7168)),
            "overcommitted"
        );
        assert_eq!(
            node_capacity(
                json!([{"metadata": {"uid": "bare"}, "spec": {"containers": [{"name": "app"}]}}])
            ),
            Some((4000, 8192))
        );
    }

    #[test]
    fn answers_of_any_length_are_not_kept() {
        let empty = |count: usize| json!(vec![json!({}); count]);
        assert_eq!(node_capacity(empty(LIST_LIMIT)), Some((4000, 8192)));
        assert_eq!(node_capacity(empty(LIST_LIMIT + 1)), None);
        assert_eq!(node_capacity(json!([])), Some((4000, 8192)), "each answer is read for itself");
    }

    #[test]
    fn pods_that_have_ended_do_not_count() {
        let ended = |phase: &str| {
            let mut pod = pod("a", "1", "1Gi");
            pod["status"] = json!({"phase": phase});
            node_capacity(json!([pod]))
        };
        assert_eq!([ended("Succeeded"), ended("Failed")], [Some((4000, 8192)); 2]);
        assert_eq!([ended("Running"), ended("Pending"), ended("Unknown")], [Some((3000, 7168)); 3]);
        let mut leaving = pod("a", "1", "1Gi");
        leaving["metadata"]["deletionTimestamp"] = "2026-11-21T12:00:00Z".into();
        assert_eq!(node_capacity(json!([leaving])), Some((3000, 7168)));
    }

    #[test]
    fn overhead_counts_and_that_of_the_pod_too() {
        for uid in ["own", "other"] {
            let mut pod = pod(uid, "0", "0");
            pod["spec"]["overhead"] = json!({"cpu": "250m", "memory": "120Mi"});
            assert_eq!(node_capacity(json!([pod])), Some((3750, 8072)), "{uid}");
        }
    }

    #[test]
    fn the_larger_of_spec_and_allocated_counts() {
        let allocated = |cpu: &str| {
            let mut pod = pod("a", "1", "1Gi");
            pod["status"] = json!({"phase": "Running", "allocatedResources": {"cpu": "3"}, "containerStatuses": [
                {"name": "other", "allocatedResources": {"cpu": "4"}},
                {"name": "app", "allocatedResources": {"cpu": cpu, "memory": "1Gi"}, "resources": {}}]});
            node_capacity(json!([pod]))
        };
        assert_eq!(
            allocated("2"),
            Some((2000, 7168)),
            "it shrinks, and the kubelet has not seen it"
        );
        assert_eq!(
            allocated("500m"),
            Some((3000, 7168)),
            "it grows, and the kubelet has not agreed"
        );
        let mut with_own = pod("a", "1", "1Gi");
        with_own["spec"]["resources"] = json!({"requests": {"cpu": "2"}});
        assert_eq!(node_capacity(json!([with_own])), Some((2000, 7168)));
        with_own["status"] = json!({"allocatedResources": {"cpu": "3", "memory": "2Gi"}});
        assert_eq!(node_capacity(json!([with_own])), Some((1000, 7168)));
    }

    #[test]
    fn sidecars_and_init_containers_count_as_they_run() {
        let mut pod = pod("a", "1", "1Gi");
        let container = |cpu: &str, policy: Value| json!({"name": cpu, "restartPolicy": policy, "resources": {"requests": {"cpu": cpu}}});
        pod["spec"]["initContainers"] =
            json!([container("500m", "Always".into()), container("2", Value::Null)]);
        assert_eq!(node_capacity(json!([pod])), Some((1500, 7168)));
    }

    #[test]
    fn nothing_is_made_of_anything_else() {
        let node = br#"{"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}}"#;
        let pods = br#"{"items": []}"#;
        assert!(NodeRoom::read(node, pods).is_some());
        for garbage in [
            "",
            "[",
            "null",
            "<html>",
            "{}",
            r#"{"items": null}"#,
            r#"{"items": [{"spec": {"containers": "x"}}]}"#,
        ] {
            assert_eq!(NodeRoom::read(node, garbage.as_bytes()), None, "{garbage}");
        }
        for garbage in [
            "",
            "{}",
            r#"{"status": {"allocatable": {"cpu": "4"}}}"#,
            r#"{"status": {"allocatable": {"cpu": "x", "memory": "1"}}}"#,
        ] {
            assert_eq!(NodeRoom::read(garbage.as_bytes(), pods), None, "{garbage}");
        }
        assert_eq!(
            node_capacity(json!([pod("a", "many", "1Gi")])),
            None,
            "an amount that cannot be told"
        );
        assert_eq!(
            node_capacity(json!([pod("own", "many", "1Gi")])),
            Some((4000, 8192)),
            "the pod's own do not matter here"
        );
    }
}
