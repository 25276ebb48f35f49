//! What a node has left for one of its pods.

use crate::json::text::Text;
use crate::json::{self, fields};

use super::container::Role;
use super::requests::Requests;
use super::resources::Amounts;

/// What a node can give to one pod: what is allocatable less what all its other pods ask for, and
/// less the pod's own overhead. Less than the pod has where the node is overcommitted already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCapacity {
    /// The name of the node.
    pub node: String,
    /// How much the pod may ask for.
    pub most: Requests,
}

impl NodeCapacity {
    /// Reads a `Node` and a `PodList` of its pods, among them perhaps the one with this `uid`;
    /// `None` where an amount cannot be told.
    ///
    /// A pod counts with the larger of its spec and what the kubelet has allocated to it, as with
    /// the scheduler. Pods that have ended do not count; pods that are being deleted do, until they
    /// are gone.
    pub fn read(node: &[u8], pods: &[u8], uid: &str) -> Option<Self> {
        let node: Node<'_> = json::read(std::str::from_utf8(node).ok()?).ok()?;
        let pods: PodList<'_> = json::read(std::str::from_utf8(pods).ok()?).ok()?;
        let allocatable = node
            .status
            .allocatable
            .filter(|amounts| amounts.cpu.is_some() && amounts.memory.is_some())?;
        let mut most = Requests::of(&allocatable)?;
        for pod in
            pods.items?.iter().filter(|pod| !matches!(&*pod.status.phase, "Succeeded" | "Failed"))
        {
            let overhead = Requests::of(&pod.spec.overhead)?;
            most = most.minus(overhead);
            if *pod.metadata.uid != *uid {
                most = most.minus(pod.requests()?);
            }
        }
        Some(Self { node: node.metadata.name.to_string(), most })
    }
}

#[derive(Default)]
struct Node<'a> {
    metadata: Metadata<'a>,
    status: NodeStatus<'a>,
}

fields!(Node { "metadata" => metadata, "status" => status });

#[derive(Default)]
struct NodeStatus<'a> {
    allocatable: Option<Amounts<'a>>,
}

fields!(NodeStatus { "allocatable" => allocatable });

#[derive(Default)]
struct PodList<'a> {
    items: Option<Vec<Pod<'a>>>,
}

fields!(PodList { "items" => items });

#[derive(Default)]
struct Pod<'a> {
    metadata: Metadata<'a>,
    spec: PodSpec<'a>,
    status: PodStatus<'a>,
}

fields!(Pod { "metadata" => metadata, "spec" => spec, "status" => status });

#[derive(Default)]
struct Metadata<'a> {
    name: Text<'a>,
    uid: Text<'a>,
}

fields!(Metadata { "name" => name, "uid" => uid });

#[derive(Default)]
struct PodSpec<'a> {
    containers: Vec<Container<'a>>,
    init_containers: Vec<Container<'a>>,
    resources: Resources<'a>,
    overhead: Amounts<'a>,
}

fields!(PodSpec {
    "containers" => containers,
    "initContainers" => init_containers,
    "resources" => resources,
    "overhead" => overhead,
});

#[derive(Default)]
struct Container<'a> {
    name: Text<'a>,
    restart_policy: Text<'a>,
    resources: Resources<'a>,
}

fields!(Container { "name" => name, "restartPolicy" => restart_policy, "resources" => resources });

#[derive(Default)]
struct Resources<'a> {
    requests: Amounts<'a>,
}

fields!(Resources { "requests" => requests });

#[derive(Default)]
struct PodStatus<'a> {
    phase: Text<'a>,
    allocated_resources: Amounts<'a>,
    container_statuses: Vec<ContainerStatus<'a>>,
    init_container_statuses: Vec<ContainerStatus<'a>>,
}

fields!(PodStatus {
    "phase" => phase,
    "allocatedResources" => allocated_resources,
    "containerStatuses" => container_statuses,
    "initContainerStatuses" => init_container_statuses,
});

#[derive(Default)]
struct ContainerStatus<'a> {
    name: Text<'a>,
    allocated_resources: Amounts<'a>,
}

fields!(ContainerStatus { "name" => name, "allocatedResources" => allocated_resources });

impl Pod<'_> {
    fn requests(&self) -> Option<Requests> {
        let role = |container: &Container<'_>| {
            if &*container.restart_policy == "Always" { Role::Sidecar } else { Role::Init }
        };
        let init =
            self.spec.init_containers.iter().map(|container| {
                (role(container), container, &self.status.init_container_statuses)
            });
        let regular = self
            .spec
            .containers
            .iter()
            .map(|container| (Role::Regular, container, &self.status.container_statuses));
        let larger =
            |(role, container, statuses): (Role, &Container<'_>, &Vec<ContainerStatus<'_>>)| {
                let asked = Requests::of(&container.resources.requests)?;
                match statuses.iter().find(|status| status.name == container.name) {
                    Some(status) => {
                        Some((role, asked.max(Requests::of(&status.allocated_resources)?)))
                    }
                    None => Some((role, asked)),
                }
            };
        let own = &self.spec.resources.requests;
        let requests = Requests::of_pod(init.chain(regular).map(larger), own)?;
        // what is allocated at pod level is told of every pod: it counts where the pod asks for
        // something itself
        let allocated = Requests::of(&self.status.allocated_resources)?;
        Some(Requests {
            cpu: if own.cpu.is_some() { requests.cpu.max(allocated.cpu) } else { requests.cpu },
            memory: if own.memory.is_some() {
                requests.memory.max(allocated.memory)
            } else {
                requests.memory
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::LIST_LIMIT;

    fn node_capacity(pods: Value) -> Option<(i128, i128)> {
        let node = json!({"metadata": {"name": "n1"}, "status": {
            "capacity": {"cpu": "9", "memory": "9Gi"}, "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}});
        let pods = json!({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": pods})
            .to_string();
        let node_capacity =
            NodeCapacity::read(node.to_string().as_bytes(), pods.as_bytes(), "own")?;
        assert_eq!(node_capacity.node, "n1");
        Some((node_capacity.most.cpu, node_capacity.most.memory >> 20))
    }

    fn pod(uid: &str, cpu: &str, memory: &str) -> Value {
        let resources = json!({"requests": {"cpu": cpu, "memory": memory, "ephemeral-storage": "1Gi"}, "limits": {"memory": "3Gi"}});
        json!({"metadata": {"name": uid, "uid": uid}, "spec": {"containers": [{"name": "app", "resources": resources}]}})
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
        assert!(NodeCapacity::read(node, pods, "").is_some());
        for garbage in [
            "",
            "[",
            "null",
            "<html>",
            "{}",
            r#"{"items": null}"#,
            r#"{"items": [{"spec": {"containers": "x"}}]}"#,
        ] {
            assert_eq!(NodeCapacity::read(node, garbage.as_bytes(), ""), None, "{garbage}");
        }
        for garbage in [
            "",
            "{}",
            r#"{"status": {"allocatable": {"cpu": "4"}}}"#,
            r#"{"status": {"allocatable": {"cpu": "x", "memory": "1"}}}"#,
        ] {
            assert_eq!(NodeCapacity::read(garbage.as_bytes(), pods, ""), None, "{garbage}");
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
