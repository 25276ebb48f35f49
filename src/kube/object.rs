//! A Kubernetes object, as far as any rule looks into it, borrowed from the bytes it came in.
//!
//! One type reads every kind: a pod keeps its spec in `spec`, a workload in `spec.template.spec`, a CronJob in
//! `spec.jobTemplate.spec.template.spec`. So an object is decoded in one pass, whatever comes first in the JSON: the
//! object or the words that say what it is. Fields that no rule reads are skipped unread.

use serde::Deserialize;

use super::autoscaler::{ResourcePolicy, UpdatePolicy};
use super::container::{Container, Role};
use super::json::Raw;
use super::list::{list, template};
use super::requests::Requests;
use super::resources::Resources;
use super::text::{Annotations, Labels, Text, nullable};
use super::volume::Volume;

/// An object of any kind.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Object<'a> {
    /// `metadata`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub metadata: Metadata<'a>,
    /// `spec`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub spec: Spec<'a>,
}

/// `metadata` of an object or of a pod template.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata<'a> {
    /// `name`; empty while only `generateName` is known.
    #[serde(borrow, default)]
    pub name: Text<'a>,
    /// `uid`; empty while the object is not stored.
    #[serde(borrow, default)]
    pub uid: Text<'a>,
    /// `generation`: it grows with every change of the spec. Pods have one since Kubernetes 1.33.
    #[serde(default)]
    pub generation: Option<i64>,
    /// `generateName`.
    #[serde(borrow, default)]
    pub generate_name: Text<'a>,
    /// `labels`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub labels: Labels<'a>,
    /// `annotations`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub annotations: Annotations<'a>,
    /// `ownerReferences`.
    #[serde(borrow, default, deserialize_with = "list")]
    pub owner_references: Vec<OwnerReference<'a>>,
}

/// An entry of `ownerReferences`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct OwnerReference<'a> {
    /// `kind`.
    #[serde(borrow, default)]
    pub kind: Text<'a>,
    /// `name`.
    #[serde(borrow, default)]
    pub name: Text<'a>,
    /// `controller`: whether this owner made the object and keeps it as it is.
    #[serde(default, deserialize_with = "nullable")]
    pub controller: bool,
}

/// `spec` of a pod, a workload or a template.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec<'a> {
    /// `containers` of a pod.
    #[serde(borrow, default, deserialize_with = "list")]
    pub containers: Vec<Container<'a>>,
    /// `initContainers` of a pod.
    #[serde(borrow, default, deserialize_with = "list")]
    pub init_containers: Vec<Container<'a>>,
    /// `volumes` of a pod.
    #[serde(borrow, default, deserialize_with = "list")]
    pub volumes: Vec<Volume<'a>>,
    /// `resources` of a pod (pod-level resources, KEP-2837).
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub resources: Resources<'a>,
    /// `nodeName` of a pod; empty while it runs nowhere.
    #[serde(borrow, default)]
    pub node_name: Text<'a>,
    /// `restartPolicy` of a pod; empty where nothing defaulted it to `Always` yet.
    #[serde(borrow, default)]
    pub restart_policy: Text<'a>,
    /// `terminationGracePeriodSeconds` of a pod, in seconds.
    #[serde(default)]
    pub termination_grace_period_seconds: Option<i64>,
    /// `shareProcessNamespace` of a pod.
    #[serde(default, deserialize_with = "nullable")]
    pub share_process_namespace: bool,
    /// `hostPID` of a pod.
    #[serde(default, rename = "hostPID", deserialize_with = "nullable")]
    pub host_pid: bool,
    /// `replicas` of a workload.
    #[serde(default)]
    pub replicas: Option<i64>,
    /// `strategy` of a Deployment.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub strategy: Strategy<'a>,
    /// `updateStrategy` of a StatefulSet or DaemonSet.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub update_strategy: Strategy<'a>,
    /// `updatePolicy` of a VerticalPodAutoscaler.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub update_policy: UpdatePolicy<'a>,
    /// `resourcePolicy` of a VerticalPodAutoscaler.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub resource_policy: ResourcePolicy<'a>,
    /// `template` of a workload.
    #[serde(borrow, default, deserialize_with = "template")]
    pub template: Option<Box<Template<'a>>>,
    /// `jobTemplate` of a CronJob.
    #[serde(borrow, default, deserialize_with = "template")]
    pub job_template: Option<Box<Template<'a>>>,
}

/// `strategy` of a Deployment, `updateStrategy` of a StatefulSet or DaemonSet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Strategy<'a> {
    /// `type`: `RollingUpdate`, which is the default, `Recreate` or `OnDelete`.
    #[serde(borrow, default, rename = "type")]
    pub kind: Text<'a>,
    /// `rollingUpdate`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub rolling_update: RollingUpdate<'a>,
}

/// `strategy.rollingUpdate` of a Deployment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RollingUpdate<'a> {
    /// `maxSurge`, as written: a number or a percentage; 25% where it is absent.
    #[serde(borrow, default)]
    max_surge: Option<Raw<'a>>,
    /// `maxUnavailable`, as written: a number or a percentage; 25% where it is absent.
    #[serde(borrow, default)]
    max_unavailable: Option<Raw<'a>>,
}

impl RollingUpdate<'_> {
    /// Whether a Deployment of one replica may be without a pod while it is updated: the one may become unavailable, or
    /// there may be no other beside it. Of shares of one replica the surge is rounded up, the other down.
    pub fn leaves_none_of_one(&self) -> bool {
        let written = |raw: Option<Raw<'_>>| raw.map_or("", Raw::get).trim_matches('"').to_owned();
        let share = |text: &str| text.strip_suffix('%').and_then(|percent| percent.parse::<u32>().ok());
        let (surge, unavailable) = (written(self.max_surge), written(self.max_unavailable));
        let no_other = surge == "0" || share(&surge) == Some(0);
        let no_one = unavailable.parse::<u32>().is_ok_and(|count| count > 0) || share(&unavailable).is_some_and(|percent| percent >= 100);
        no_other || no_one
    }
}

/// A pod template, or a CronJob's job template.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Template<'a> {
    /// `metadata`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub metadata: Metadata<'a>,
    /// `spec`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub spec: Spec<'a>,
}

/// A container with its role and its place in the spec.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'s, 'a> {
    /// The container.
    pub container: &'s Container<'a>,
    /// What it is in the pod.
    pub role: Role,
    /// Its index in the list it stands in.
    pub index: usize,
}

impl Placed<'_, '_> {
    /// The name of the list it stands in.
    pub fn list(&self) -> &'static str {
        if self.role == Role::Regular { "containers" } else { "initContainers" }
    }
}

impl<'a> Spec<'a> {
    /// Every container: init containers and sidecars first, in the order they start.
    pub fn all_containers(&self) -> impl Iterator<Item = Placed<'_, 'a>> {
        let init = self.init_containers.iter().enumerate().map(|(index, container)| {
            let role = if &*container.restart_policy == "Always" { Role::Sidecar } else { Role::Init };
            Placed { container, role, index }
        });
        let regular = self.containers.iter().enumerate().map(|(index, container)| Placed { container, role: Role::Regular, index });
        init.chain(regular)
    }

    /// The containers that run as long as the pod does: regular ones and sidecars.
    pub fn app_containers(&self) -> impl Iterator<Item = Placed<'_, 'a>> {
        self.all_containers().filter(|placed| placed.role.is_app())
    }

    /// What the pod asks its node for, its overhead aside; `None` where an amount cannot be told.
    pub fn requests(&self) -> Option<Requests> {
        let asked = |placed: Placed<'_, '_>| Some((placed.role, Requests::of(&placed.container.resources.requests)?));
        Requests::of_pod(self.all_containers().map(asked), &self.resources.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_replica_of_a_rolling_update() {
        let gap = |json: &str| serde_json::from_str::<RollingUpdate<'_>>(json).unwrap().leaves_none_of_one();
        for none in ["{}", r#"{"maxSurge": "25%", "maxUnavailable": "99%"}"#, r#"{"maxUnavailable": 0}"#, r#"{"maxSurge": null}"#] {
            assert!(!gap(none), "{none}");
        }
        for some in [r#"{"maxUnavailable": 1}"#, r#"{"maxUnavailable": "100%"}"#, r#"{"maxSurge": 0}"#, r#"{"maxSurge": "0%"}"#] {
            assert!(gap(some), "{some}");
        }
    }
}
