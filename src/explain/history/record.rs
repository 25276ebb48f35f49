//! A pod with its status, and its events, as far as its history is told by them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::explain::pod_spec::amount_text;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub(super) metadata: Metadata,
    pub(super) spec: Spec,
    #[serde(deserialize_with = "nullable")]
    pub(super) status: Status,
}

impl Record {
    /// The status of each container, init containers first, with the container in the spec.
    pub(super) fn containers(
        &self,
    ) -> impl Iterator<Item = (&ContainerStatus, Option<&Container>)> {
        let (status, spec) = (&self.status, &self.spec);
        let lists = [
            (&status.init_container_statuses, &spec.init_containers),
            (&status.container_statuses, &spec.containers),
        ];
        lists.into_iter().flat_map(|(statuses, containers)| {
            let named = |name: &str| containers.iter().find(|container| container.name == name);
            statuses.iter().map(move |status| (status, named(&status.name)))
        })
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
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container {
    pub(super) name: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) resources: Resources,
    #[serde(deserialize_with = "nullable")]
    pub(super) resize_policy: Vec<ResizePolicy>,
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
    pub(super) reason: String,
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
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) observed_generation: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerStatus {
    pub(super) name: String,
    pub(super) restart_count: u32,
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
    pub(super) terminated: Option<Terminated>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Waiting {
    pub(super) reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Terminated {
    pub(super) exit_code: i32,
    pub(super) signal: Option<i32>,
    pub(super) reason: String,
    pub(super) finished_at: Option<Timestamp>,
}

/// An event about a pod of this name.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) reason: String,
    pub(super) message: String,
    /// The container it is about; empty for the pod.
    pub(super) container: String,
    /// The UID of the pod it is about.
    pub(super) uid: String,
    /// When it happened last.
    pub(super) last: Option<Timestamp>,
}

impl Record {
    pub(super) fn deserialize_from(pod: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(pod)
    }
}

impl Event {
    /// Reads an event; `None` where it is none.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let about = |field: &str| {
            text(&format!("/involvedObject/{field}"))
                .or_else(|| text(&format!("/regarding/{field}")))
        };
        let times = [
            "/series/lastObservedTime",
            "/lastTimestamp",
            "/deprecatedLastTimestamp",
            "/eventTime",
            "/firstTimestamp",
        ];
        let path = about("fieldPath").unwrap_or_default();
        let container =
            path.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}')).unwrap_or_default();
        Some(Self {
            reason: text("/reason")?.to_owned(),
            message: text("/message").or_else(|| text("/note")).unwrap_or_default().to_owned(),
            container: container.to_owned(),
            uid: about("uid").unwrap_or_default().to_owned(),
            last: times.into_iter().find_map(|pointer| text(pointer)?.parse().ok()),
        })
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
