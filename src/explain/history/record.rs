//! A pod with its status, as far as its history is told by it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::explain::pod_spec::amount_text;
use crate::kube::container::Role;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub(super) metadata: Metadata,
    pub(super) spec: Spec,
    #[serde(deserialize_with = "nullable")]
    pub(super) status: Status,
}

/// A container that has a status.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'r> {
    pub(super) status: &'r ContainerStatus,
    /// It in the spec.
    pub(super) spec: Option<&'r Container>,
    pub(super) role: Role,
}

impl Record {
    /// The containers that have a status, init containers first.
    pub(super) fn containers(&self) -> impl Iterator<Item = Told<'_>> {
        let (status, spec) = (&self.status, &self.spec);
        let lists = [
            (&status.init_container_statuses, &spec.init_containers, true),
            (&status.container_statuses, &spec.containers, false),
        ];
        lists.into_iter().flat_map(|(statuses, containers, is_init)| {
            statuses.iter().map(move |status| {
                let spec = containers.iter().find(|container| container.name == status.name);
                let is_sidecar = spec.is_some_and(|container| container.restart_policy == "Always");
                let role = match (is_init, is_sidecar) {
                    (false, _) => Role::Regular,
                    (true, true) => Role::Sidecar,
                    (true, false) => Role::Init,
                };
                Told { status, spec, role }
            })
        })
    }

    /// The condition of this type, where it is True.
    pub(super) fn standing(&self, kind: &str) -> Option<&Condition> {
        self.condition(kind).filter(|condition| condition.status == "True")
    }

    /// The condition of this type.
    pub(super) fn condition(&self, kind: &str) -> Option<&Condition> {
        self.status.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// Whether the pod ended for good.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    /// The controller that made the pod and keeps it.
    pub(super) fn controller(&self) -> Option<&Owner> {
        self.metadata.owner_references.iter().find(|owner| owner.controller)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) uid: String,
    pub(super) generation: Option<i64>,
    pub(super) creation_timestamp: Option<Timestamp>,
    pub(super) deletion_timestamp: Option<Timestamp>,
    pub(super) deletion_grace_period_seconds: Option<i64>,
    #[serde(deserialize_with = "nullable")]
    pub(super) finalizers: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) owner_references: Vec<Owner>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Owner {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) controller: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Spec {
    #[serde(deserialize_with = "nullable")]
    pub(super) containers: Vec<Container>,
    #[serde(deserialize_with = "nullable")]
    pub(super) init_containers: Vec<Container>,
    #[serde(deserialize_with = "nullable")]
    pub(super) resources: Resources,
    #[serde(deserialize_with = "nullable")]
    pub(super) restart_policy: String,
    pub(super) active_deadline_seconds: Option<i64>,
    #[serde(deserialize_with = "nullable")]
    pub(super) os: System,
    #[serde(deserialize_with = "nullable")]
    pub(super) node_selector: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) tolerations: Vec<Toleration>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct System {
    pub(super) name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Toleration {
    #[serde(deserialize_with = "nullable")]
    pub(super) key: String,
    pub(super) toleration_seconds: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container {
    pub(super) name: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) image: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) resources: Resources,
    #[serde(deserialize_with = "nullable")]
    pub(super) resize_policy: Vec<ResizePolicy>,
    #[serde(deserialize_with = "nullable")]
    pub(super) restart_policy: String,
}

impl Container {
    /// Whether a resize of this resource restarts it.
    pub(super) fn restarts_for(&self, resource: &str) -> bool {
        self.resize_policy.iter().any(|policy| {
            policy.resource_name == resource && policy.restart_policy == "RestartContainer"
        })
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ResizePolicy {
    pub(super) resource_name: String,
    pub(super) restart_policy: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Resources {
    #[serde(deserialize_with = "amounts")]
    pub(super) requests: BTreeMap<String, String>,
    #[serde(deserialize_with = "amounts")]
    pub(super) limits: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) phase: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) reason: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) message: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) qos_class: String,
    pub(super) observed_generation: Option<i64>,
    #[serde(deserialize_with = "nullable")]
    pub(super) conditions: Vec<Condition>,
    #[serde(deserialize_with = "nullable")]
    pub(super) container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "nullable")]
    pub(super) init_container_statuses: Vec<ContainerStatus>,
    pub(super) resources: Option<Resources>,
    #[serde(deserialize_with = "amounts")]
    pub(super) allocated_resources: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) status: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) reason: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) message: String,
    pub(super) last_transition_time: Option<Timestamp>,
    pub(super) observed_generation: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerStatus {
    pub(super) name: String,
    pub(super) restart_count: u32,
    pub(super) ready: bool,
    #[serde(deserialize_with = "nullable")]
    pub(super) state: State,
    #[serde(deserialize_with = "nullable")]
    pub(super) last_state: State,
    pub(super) resources: Option<Resources>,
    #[serde(deserialize_with = "amounts")]
    pub(super) allocated_resources: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct State {
    pub(super) waiting: Option<Waiting>,
    pub(super) running: Option<Running>,
    pub(super) terminated: Option<Terminated>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Waiting {
    #[serde(deserialize_with = "nullable")]
    pub(super) reason: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Running {
    pub(super) started_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Terminated {
    pub(super) exit_code: i32,
    pub(super) signal: Option<i32>,
    #[serde(deserialize_with = "nullable")]
    pub(super) reason: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) message: String,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
}

impl Record {
    pub(super) fn deserialize_from(pod: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(pod)
    }
}

/// Amounts are text, or numbers in YAML.
fn amounts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let values = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(values
        .into_iter()
        .filter_map(|(resource, value)| Some((resource, amount_text(&value)?)))
        .collect())
}

fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
