//! The ConfigMaps that judged objects refer to, one by one as they are needed: evidence, as the
//! linter has it from files. Secrets are never read: what is not data does not say whether they can
//! change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, GetParams};

use crate::cluster::NamespacedName;
use crate::cluster::error::error_message;
use crate::judge::subject::Resource;
use crate::kube::configuration::{ConfigKind, ConfigObject, Configuration};
use crate::kube::object::Object;
use crate::report::counted;
use crate::rules::config_sources;

use super::report::Missing;

/// How many are asked for at a time.
const AT_A_TIME: usize = 16;

/// How many bytes are kept; those beyond are asked for again.
const MOST: usize = 8 * 1024 * 1024;

/// What is known of ConfigMaps.
pub(super) struct ConfigMaps {
    client: Client,
    /// `None` where there is none of the name, or it cannot be read.
    known: BTreeMap<NamespacedName, ConfigObject>,
    size: usize,
    /// Namespaces whose ConfigMaps cannot be read.
    refused: BTreeSet<String>,
    reason: String,
}

impl ConfigMaps {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            known: BTreeMap::new(),
            size: 0,
            refused: BTreeSet::new(),
            reason: String::new(),
        }
    }

    /// Asks for those of `wanted` that are not known.
    pub(super) async fn look_up(&mut self, mut wanted: BTreeSet<NamespacedName>) {
        if self.size > MOST {
            self.known.clear();
            self.size = 0;
        }
        wanted.retain(|name| {
            !self.known.contains_key(name) && !self.refused.contains(&name.namespace)
        });
        let client = &self.client;
        let answers = stream::iter(wanted.into_iter().map(async |name: NamespacedName| {
            let api: Api<ConfigMap> = Api::namespaced(client.clone(), &name.namespace);
            // from the API server's cache
            let answer = api.get_with(&name.name, &GetParams::any()).await;
            (name, answer)
        }));
        let answers: Vec<_> = answers.buffer_unordered(AT_A_TIME).collect().await;
        for (name, answer) in answers {
            let known = match answer {
                Ok(map) => config_object(map),
                Err(kube::Error::Api(status)) if status.code == 404 => ConfigObject::absent(),
                Err(error) => {
                    self.reason = error_message(&error);
                    self.refused.insert(name.namespace);
                    continue;
                }
            };
            let size: usize =
                known.data.iter().map(|(key, text)| key.len().saturating_add(text.len())).sum();
            self.size = self.size.saturating_add(size);
            self.known.insert(name, known);
        }
    }

    /// What is known of those that an object refers to.
    pub(super) fn about(&self, wanted: &BTreeSet<NamespacedName>) -> Option<Arc<Configuration>> {
        let mut found = None::<Configuration>;
        for name in wanted {
            if let Some(object) = self.known.get(name) {
                let (kind, object) = (ConfigKind::ConfigMap, object.clone());
                found.get_or_insert_default().insert(kind, name.name.clone(), object);
            }
        }
        found.map(Arc::new)
    }

    /// What could not be read.
    pub(super) fn missing(self) -> Option<Missing> {
        let count = self.refused.len();
        let what = || format!("what ConfigMaps hold, in {}", counted(count, "namespace"));
        (count > 0).then(|| Missing::single(what(), self.reason))
    }
}

/// The ConfigMaps that the pods of an object refer to.
pub(super) fn references(resource: Resource, object: &Object<'_>) -> BTreeSet<NamespacedName> {
    let spec = resource.template().and_then(|place| Some(object.pod(place)?.1));
    let sources = spec.into_iter().flat_map(config_sources);
    let maps = sources.filter(|(kind, name)| *kind == ConfigKind::ConfigMap && !name.is_empty());
    maps.map(|(_, name)| NamespacedName::new(&*object.metadata.namespace, name)).collect()
}

fn config_object(map: ConfigMap) -> ConfigObject {
    ConfigObject {
        immutable: map.immutable.unwrap_or_default(),
        data: map.data.unwrap_or_default(),
        binary_keys: map.binary_data.unwrap_or_default().into_keys().collect(),
        ..ConfigObject::default()
    }
}
