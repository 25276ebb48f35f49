//! What was looked up for a review, as data.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::approval::{Authority, Stamped};
use crate::judge::subject::{Evidence, FileFault, Subject};
use crate::kube::configuration::{ConfigKind, ConfigObject, Configuration};
use crate::kube::node_capacity::NodeCapacity;
use crate::kube::quantity::Quantity;
use crate::kube::requests::Requests;
use crate::kube::usage::Usage;

use super::config_facts::{FileFact, UserFact, file_facts};
use super::words;

/// What was looked up for a review, or is to be taken for it. Amounts are quantities, as in
/// manifests. What is not here was not looked up, or could not be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Facts {
    /// The labels of the request's namespace, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_labels: Option<BTreeMap<String, String>>,
    /// Whether the requester may approve: `not-asked`, `held`, `lacking`, or why nobody knows.
    #[serde(with = "words", skip_serializing_if = "is_default")]
    pub authority: Authority,
    /// The live memory of each container of the pod that is resized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<BTreeMap<String, Amount>>,
    /// What the node has left for the pod that is resized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeFact>,
    /// Whether the stamp that the request is about has a genuine seal.
    #[serde(skip_serializing_if = "is_default")]
    pub sealed: bool,
    /// Whether the service has a key to seal stamps with.
    pub can_seal: bool,
    /// Whether the policies changed a moment ago, and another replica might have held others.
    #[serde(skip_serializing_if = "is_default")]
    pub settling: bool,
    /// ConfigMaps of the request's namespace that are known, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub config_maps: BTreeMap<String, ConfigFact>,
    /// Secrets of the request's namespace that are known, by name; values are never read.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, ConfigFact>,
    /// Who uses the ConfigMap or Secret that is written, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_users: Option<Vec<UserFact>>,
    /// The files of the ConfigMap that cannot be read, where its content is not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken_files: Option<Vec<FileFact>>,
}

/// What a node has left for a pod: allocatable, less what all other pods ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFact {
    /// The name of the node.
    pub name: String,
    /// How much cpu the pod may ask for.
    pub cpu: Amount,
    /// How much memory the pod may ask for.
    pub memory: Amount,
}

/// A ConfigMap or Secret that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFact {
    /// Whether its content can never change.
    #[serde(skip_serializing_if = "is_default")]
    pub immutable: bool,
    /// Its data; the keys alone count of a Secret.
    pub data: BTreeMap<String, String>,
}

/// An amount in thousandths, as a quantity in text: of cores or bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount {
    millis: i128,
}

impl TryFrom<String> for Amount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let quantity = Quantity::parse(&*text).map_err(|error| error.to_string())?;
        let millis = quantity.milli_value();
        millis.map(|millis| Self { millis }).ok_or_else(|| format!("{text:?} is too much"))
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        let millis = format!("{}m", amount.millis);
        Quantity::parse(&*millis).map(|quantity| quantity.canonical()).unwrap_or(millis)
    }
}

impl Amount {
    /// So many thousandths.
    pub fn of_millis(millis: i128) -> Self {
        Self { millis }
    }

    /// So many whole units.
    pub fn of_units(units: i128) -> Self {
        Self { millis: units.saturating_mul(1000) }
    }

    fn units(self) -> i128 {
        self.millis.div_euclid(1000)
    }
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            namespace_labels: None,
            authority: Authority::default(),
            usage: None,
            node: None,
            sealed: false,
            can_seal: true,
            settling: false,
            config_maps: BTreeMap::new(),
            secrets: BTreeMap::new(),
            config_users: None,
            broken_files: None,
        }
    }
}

impl Facts {
    /// The facts of `evidence`.
    pub fn of(evidence: &Evidence, settling: bool) -> Self {
        let known = |kind| known(evidence.configuration.as_deref(), kind);
        Self {
            namespace_labels: evidence.namespace_labels.as_deref().cloned(),
            authority: evidence.authority.clone(),
            usage: evidence.usage.as_ref().map(|usage| {
                usage
                    .iter()
                    .map(|(name, bytes)| (name.to_owned(), Amount::of_units(bytes)))
                    .collect()
            }),
            node: evidence.node_capacity.as_ref().map(|capacity| NodeFact {
                name: capacity.node.clone(),
                cpu: Amount::of_millis(capacity.most.cpu),
                memory: Amount::of_units(capacity.most.memory),
            }),
            sealed: matches!(evidence.stamped, Stamped::Sealed(_)),
            can_seal: evidence.can_seal,
            settling,
            config_maps: known(ConfigKind::ConfigMap),
            secrets: known(ConfigKind::Secret),
            config_users: evidence
                .config_users
                .as_ref()
                .map(|users| users.iter().map(UserFact::from).collect()),
            broken_files: None,
        }
    }

    /// The same, with what is wrong with the files of the ConfigMap that `subject` writes: to be
    /// known before its content is taken out.
    pub fn with_files_of(mut self, subject: &Subject<'_>) -> Self {
        self.broken_files = file_facts(subject);
        self
    }

    /// Puts them where rules look; it is `now`.
    pub(super) fn give(&self, evidence: &mut Evidence, now: Timestamp) {
        evidence.namespace_labels = self.namespace_labels.clone().map(Arc::new);
        evidence.authority = self.authority.clone();
        evidence.usage = self.usage.as_ref().map(|usage| {
            usage.iter().map(|(name, amount)| (name.clone(), amount.units())).collect::<Usage>()
        });
        evidence.node_capacity = self.node.as_ref().map(|node| NodeCapacity {
            node: node.name.clone(),
            most: Requests { cpu: node.cpu.millis, memory: node.memory.units() },
        });
        evidence.can_seal = self.can_seal;
        evidence.now = Some(now);
        evidence.configuration = self.configuration().map(Arc::new);
        let users = |users: &Vec<UserFact>| users.iter().filter_map(UserFact::user).collect();
        evidence.config_users = self.config_users.as_ref().map(users).map(Arc::new);
        let faults = |files: &Vec<FileFact>| files.iter().map(FileFault::from).collect();
        evidence.file_faults = self.broken_files.as_ref().map(faults).map(Arc::new);
    }

    fn configuration(&self) -> Option<Configuration> {
        if self.config_maps.is_empty() && self.secrets.is_empty() {
            return None;
        }
        let mut configuration = Configuration::default();
        for (name, fact) in &self.config_maps {
            configuration.insert(ConfigKind::ConfigMap, name.clone(), fact.into());
        }
        for (name, fact) in &self.secrets {
            let mut object = ConfigObject::from(fact);
            object.data.values_mut().for_each(String::clear);
            configuration.insert(ConfigKind::Secret, name.clone(), object);
        }
        Some(configuration)
    }
}

impl From<&ConfigFact> for ConfigObject {
    fn from(fact: &ConfigFact) -> Self {
        Self { immutable: fact.immutable, data: fact.data.clone(), ..Self::default() }
    }
}

fn known(configuration: Option<&Configuration>, kind: ConfigKind) -> BTreeMap<String, ConfigFact> {
    let objects = configuration.into_iter().flat_map(|configuration| configuration.of_kind(kind));
    let fact = |object: &ConfigObject| ConfigFact {
        immutable: object.immutable,
        data: object.data.clone(),
    };
    objects.map(|(name, object)| (name.to_owned(), fact(object))).collect()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
