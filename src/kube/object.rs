//! A Kubernetes object, as far as any rule looks into it, borrowed from the bytes it came in.
//!
//! One type reads every kind: a pod keeps its spec in `spec`, a workload in `spec.template.spec`, a
//! CronJob in `spec.jobTemplate.spec.template.spec`. So an object is decoded in one pass, whatever
//! comes first in the JSON: the object or the words that say what it is. Fields that no rule reads
//! are skipped unread.

use crate::json::text::{Annotations, Labels, Text};
use crate::json::{self, Raw, Skipped, fields};

use super::autoscaler::{ResourcePolicy, UpdatePolicy};
use super::container::{Container, Role};
use super::requests::{Requests, WrittenRequests};
use super::resources::Resources;
use super::template::TemplatePlace;
use super::volume::Volume;

/// An object of any kind.
#[derive(Clone, Debug, Default)]
pub struct Object<'a> {
    /// `metadata`.
    pub metadata: Metadata<'a>,
    /// `spec`.
    pub spec: Spec<'a>,
    /// `status`, undecoded: only a resize asks what the pod has.
    pub status: Option<Raw<'a>>,
    /// `data` of a ConfigMap or Secret, undecoded: most of its keys do not change.
    pub data: Option<Raw<'a>>,
    /// `binaryData` of a ConfigMap, undecoded.
    pub binary_data: Option<Raw<'a>>,
}

fields!(Object {
    "metadata" => metadata,
    "spec" => spec,
    "status" => status,
    "data" => data,
    "binaryData" => binary_data,
});

impl<'a> Object<'a> {
    /// The metadata and spec of its pods, which its kind keeps in `place`; `None` where nothing is
    /// there.
    pub fn pod(&self, place: TemplatePlace) -> Option<(&Metadata<'a>, &Spec<'a>)> {
        let template = match place {
            TemplatePlace::Itself => return Some((&self.metadata, &self.spec)),
            TemplatePlace::Template => self.spec.template.as_ref()?,
            TemplatePlace::JobTemplate => {
                self.spec.job_template.as_ref()?.spec.template.as_ref()?
            }
        };
        Some((&template.metadata, &template.spec))
    }
}

/// `metadata` of an object or of a pod template.
#[derive(Clone, Debug, Default)]
pub struct Metadata<'a> {
    /// `name`; empty while only `generateName` is known.
    pub name: Text<'a>,
    /// `namespace`; empty where the request alone says it.
    pub namespace: Text<'a>,
    /// `uid`; empty while the object is not stored.
    pub uid: Text<'a>,
    /// `generation`: it grows with every change of the spec. Pods have one since Kubernetes 1.33.
    pub generation: Option<i64>,
    /// `generateName`.
    pub generate_name: Text<'a>,
    /// `labels`.
    pub labels: Labels<'a>,
    /// `annotations`.
    pub annotations: Annotations<'a>,
    /// `ownerReferences`.
    pub owner_references: Vec<OwnerReference<'a>>,
    /// `shareProcessNamespace`, which is a field of the pod's spec: somebody put it here.
    pub share_process_namespace: Option<Skipped>,
}

fields!(Metadata {
    "name" => name,
    "namespace" => namespace,
    "uid" => uid,
    "generation" => generation,
    "generateName" => generate_name,
    "labels" => labels,
    "annotations" => annotations,
    "ownerReferences" => owner_references,
    "shareProcessNamespace" => share_process_namespace,
});

impl<'a> Metadata<'a> {
    /// The controller that made the object and keeps it as it is.
    pub(crate) fn controller(&self) -> Option<&OwnerReference<'a>> {
        self.owner_references.iter().find(|owner| owner.controller)
    }
}

/// An entry of `ownerReferences`.
#[derive(Clone, Debug, Default)]
pub struct OwnerReference<'a> {
    /// `apiVersion`.
    pub api_version: Text<'a>,
    /// `kind`.
    pub kind: Text<'a>,
    /// `name`.
    pub name: Text<'a>,
    /// `uid`.
    pub uid: Text<'a>,
    /// `controller`: whether this owner made the object and keeps it as it is.
    pub controller: bool,
}

fields!(OwnerReference {
    "apiVersion" => api_version,
    "kind" => kind,
    "name" => name,
    "uid" => uid,
    "controller" => controller,
});

/// `spec` of a pod, a workload or a template.
#[derive(Clone, Debug, Default)]
pub struct Spec<'a> {
    /// `containers` of a pod.
    pub containers: Vec<Container<'a>>,
    /// `initContainers` of a pod.
    pub init_containers: Vec<Container<'a>>,
    /// `volumes` of a pod.
    pub volumes: Vec<Volume<'a>>,
    /// `resources` of a pod (pod-level resources, KEP-2837).
    pub resources: Resources<'a>,
    /// `os` of a pod, undecoded: hardly any has one.
    os: Option<Raw<'a>>,
    /// `nodeSelector` of a pod, undecoded: rules hardly ask.
    node_selector: Option<Raw<'a>>,
    /// `nodeName` of a pod; empty while it runs nowhere.
    pub node_name: Text<'a>,
    /// `restartPolicy` of a pod; empty where nothing defaulted it to `Always` yet.
    pub restart_policy: Text<'a>,
    /// `terminationGracePeriodSeconds` of a pod, in seconds.
    pub termination_grace_period_seconds: Option<i64>,
    /// `shareProcessNamespace` of a pod.
    pub share_process_namespace: bool,
    /// `hostPID` of a pod.
    pub host_pid: bool,
    /// `replicas` of a workload.
    pub replicas: Option<i64>,
    /// `strategy` of a Deployment.
    pub strategy: Strategy<'a>,
    /// `updateStrategy` of a StatefulSet or DaemonSet.
    pub update_strategy: Strategy<'a>,
    /// `updatePolicy` of a VerticalPodAutoscaler.
    pub update_policy: UpdatePolicy<'a>,
    /// `resourcePolicy` of a VerticalPodAutoscaler.
    pub resource_policy: ResourcePolicy<'a>,
    /// `template` of a workload.
    pub template: Option<Box<Template<'a>>>,
    /// `jobTemplate` of a CronJob.
    pub job_template: Option<Box<Template<'a>>>,
    /// `annotations`, which no spec has: somebody put them here.
    pub annotations: Option<Box<Annotations<'a>>>,
}

fields!(Spec {
    "containers" => containers,
    "initContainers" => init_containers,
    "volumes" => volumes,
    "resources" => resources,
    "os" => os,
    "nodeSelector" => node_selector,
    "nodeName" => node_name,
    "restartPolicy" => restart_policy,
    "terminationGracePeriodSeconds" => termination_grace_period_seconds,
    "shareProcessNamespace" => share_process_namespace,
    "hostPID" => host_pid,
    "replicas" => replicas,
    "strategy" => strategy,
    "updateStrategy" => update_strategy,
    "updatePolicy" => update_policy,
    "resourcePolicy" => resource_policy,
    "template" => template,
    "jobTemplate" => job_template,
    "annotations" => annotations,
});

/// `strategy` of a Deployment, `updateStrategy` of a StatefulSet or DaemonSet.
#[derive(Clone, Debug, Default)]
pub struct Strategy<'a> {
    /// `type`: `RollingUpdate`, which is the default, `Recreate` or `OnDelete`.
    pub kind: Text<'a>,
    /// `rollingUpdate`.
    pub rolling_update: RollingUpdate<'a>,
}

fields!(Strategy { "type" => kind, "rollingUpdate" => rolling_update });

/// `strategy.rollingUpdate` of a Deployment.
#[derive(Clone, Debug, Default)]
pub struct RollingUpdate<'a> {
    /// `maxSurge`, as written: a number or a percentage; 25% where it is absent.
    max_surge: Option<Raw<'a>>,
    /// `maxUnavailable`, as written: a number or a percentage; 25% where it is absent.
    max_unavailable: Option<Raw<'a>>,
}

fields!(RollingUpdate { "maxSurge" => max_surge, "maxUnavailable" => max_unavailable });

impl RollingUpdate<'_> {
    /// Whether a Deployment of one replica may be without a pod while it is updated: the one may
    /// become unavailable, or there may be no other beside it. Of shares of one replica the surge
    /// is rounded up, the other down.
    pub(crate) fn leaves_none_of_one(&self) -> bool {
        let written = |raw: Option<Raw<'_>>| raw.map_or("", Raw::get).trim_matches('"').to_owned();
        let share =
            |text: &str| text.strip_suffix('%').and_then(|percent| percent.parse::<u32>().ok());
        let (surge, unavailable) = (written(self.max_surge), written(self.max_unavailable));
        let no_other = surge == "0" || share(&surge) == Some(0);
        let no_one = unavailable.parse::<u32>().is_ok_and(|count| count > 0)
            || share(&unavailable).is_some_and(|percent| percent >= 100);
        no_other || no_one
    }
}

/// The operating system of a pod that cannot be resized.
const WINDOWS: &str = "windows";

/// The label of a node that says which operating system it runs.
const OS_LABEL: &str = "kubernetes.io/os";

/// A pod template, or a CronJob's job template.
#[derive(Clone, Debug, Default)]
pub struct Template<'a> {
    /// `metadata`.
    pub metadata: Metadata<'a>,
    /// `spec`.
    pub spec: Spec<'a>,
    /// `annotations`, which a template has in its metadata only: somebody put them beside it.
    pub annotations: Annotations<'a>,
    /// `shareProcessNamespace`, which is a field of the pod's spec: somebody put it here.
    pub share_process_namespace: Option<Skipped>,
}

fields!(Template {
    "metadata" => metadata,
    "spec" => spec,
    "annotations" => annotations,
    "shareProcessNamespace" => share_process_namespace,
});

/// A container with its role and its place in the spec.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'s, 'a> {
    /// The container.
    pub container: &'s Container<'a>,
    /// What it is in the pod.
    pub role: Role,
    /// Its index in the list it stands in.
    pub index: usize,
}

impl Placed<'_, '_> {
    /// The name of the list it stands in.
    pub(crate) fn list(&self) -> &'static str {
        if self.role == Role::Regular { "containers" } else { "initContainers" }
    }
}

impl<'a> Spec<'a> {
    /// Every container: init containers and sidecars first, in the order they start.
    pub(crate) fn all_containers(&self) -> impl Iterator<Item = Placed<'_, 'a>> {
        let init = self.init_containers.iter().enumerate().map(|(index, container)| {
            let role =
                if &*container.restart_policy == "Always" { Role::Sidecar } else { Role::Init };
            Placed { container, role, index }
        });
        let regular = self.containers.iter().enumerate().map(|(index, container)| Placed {
            container,
            role: Role::Regular,
            index,
        });
        init.chain(regular)
    }

    /// The containers that run as long as the pod does: regular ones and sidecars.
    pub(crate) fn app_containers(&self) -> impl Iterator<Item = Placed<'_, 'a>> {
        self.all_containers().filter(|placed| placed.role.is_app())
    }

    /// Whether its containers are those of Windows. What of it cannot be read says nothing.
    pub(crate) fn is_of_windows(&self) -> bool {
        let says = |raw: Option<Raw<'_>>, key: &str| {
            let raw = raw.filter(|raw| raw.get().contains(WINDOWS))?;
            let labels: Labels<'_> = json::read(raw.get()).ok()?;
            labels.value(key).filter(|value| ***value == *WINDOWS).map(drop)
        };
        says(self.os, "name").or_else(|| says(self.node_selector, OS_LABEL)).is_some()
    }

    /// What the pod asks its node for, its overhead aside; `None` where an amount is unknown.
    pub(crate) fn requests(&self) -> Option<Requests> {
        let asked = |placed: Placed<'_, '_>| {
            Some((placed.role, Requests::of(&placed.container.resources.requests)?))
        };
        let own = WrittenRequests::of(&self.resources.requests)?;
        Requests::of_pod(self.all_containers().map(asked), own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_is_told_by_the_pod_or_by_its_nodes() {
        let is = |json: &str| json::read::<Spec<'_>>(json).unwrap().is_of_windows();
        assert!(is(r#"{"os": {"name": "windows"}}"#));
        assert!(is(r#"{"nodeSelector": {"disk": "ssd", "kubernetes.io/os": "windows"}}"#));
        for other in [
            "{}",
            r#"{"os": null, "nodeSelector": {}}"#,
            r#"{"os": {"name": "linux"}, "nodeSelector": {"kubernetes.io/os": "linux"}}"#,
            r#"{"nodeSelector": {"team": "windows"}}"#,
            r#"{"os": "windows", "nodeSelector": ["windows"]}"#,
        ] {
            assert!(!is(other), "{other}");
        }
    }

    #[test]
    fn one_replica_of_a_rolling_update() {
        let gap = |json: &str| json::read::<RollingUpdate<'_>>(json).unwrap().leaves_none_of_one();
        for none in [
            "{}",
            r#"{"maxSurge": "25%", "maxUnavailable": "99%"}"#,
            r#"{"maxUnavailable": 0}"#,
            r#"{"maxSurge": null}"#,
        ] {
            assert!(!gap(none), "{none}");
        }
        for some in [
            r#"{"maxUnavailable": 1}"#,
            r#"{"maxUnavailable": "100%"}"#,
            r#"{"maxSurge": 0}"#,
            r#"{"maxSurge": "0%"}"#,
        ] {
            assert!(gap(some), "{some}");
        }
    }
}
