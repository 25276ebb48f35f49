//! ConfigMaps and Secrets of one namespace, where they are known beside the object that uses them:
//! evidence of whether they can change, and of what the scripts in them do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The kinds of objects that carry configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigKind {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

/// A ConfigMap or Secret that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigObject {
    /// `immutable`: its content can never change.
    pub immutable: bool,
    /// `data` of a ConfigMap. Of a Secret the keys alone are kept.
    pub data: BTreeMap<String, String>,
    /// The keys of `binaryData` of a ConfigMap.
    pub binary_keys: BTreeSet<String>,
    /// Whether it may have keys that are not here.
    pub is_partial: bool,
    /// Whether it is known that there is none.
    pub is_absent: bool,
}

impl ConfigObject {
    /// One that is known not to be there.
    pub(crate) fn absent() -> Self {
        Self { is_absent: true, ..Self::default() }
    }

    /// Whether `key` can become a variable, as far as anybody knows.
    pub(crate) fn has_variable(&self, key: &str) -> bool {
        self.is_partial || self.data.contains_key(key)
    }

    /// Whether `key` can become a file, as far as anybody knows.
    pub(crate) fn has_file(&self, key: &str) -> bool {
        self.is_partial || self.data.contains_key(key) || self.binary_keys.contains(key)
    }
}

/// What is known of the ConfigMaps and Secrets of one namespace. One that is not here may exist all
/// the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration(BTreeMap<ConfigKind, BTreeMap<String, ConfigObject>>);

impl ConfigKind {
    /// The kind, as in manifests and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

impl fmt::Display for ConfigKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Configuration {
    /// Takes note of an object. Of two with one name the later counts.
    pub fn insert(&mut self, kind: ConfigKind, name: String, object: ConfigObject) {
        self.0.entry(kind).or_default().insert(name, object);
    }

    /// The objects of this kind that are known, by name.
    pub(crate) fn of_kind(&self, kind: ConfigKind) -> impl Iterator<Item = (&str, &ConfigObject)> {
        self.0.get(&kind).into_iter().flatten().map(|(name, object)| (&**name, object))
    }

    /// The object of this kind and name, where it is known.
    pub(crate) fn object(&self, kind: ConfigKind, name: &str) -> Option<&ConfigObject> {
        self.0.get(&kind)?.get(name)
    }
}
