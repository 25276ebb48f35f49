//! What the documents of a run tell about each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::judge::subject::Evidence;
use crate::kube::configuration::{ConfigKind, ConfigObject, Configuration};
use crate::kube::selector::NAME_LABEL;
use crate::manifest::kinds::{self, Class};
use crate::yaml::{Node, Value};

use super::read::{File, in_parallel};

/// The namespace of objects that name none.
pub(super) const DEFAULT_NAMESPACE: &str = "default";

/// Everything that is told, and in which file.
#[derive(Debug, Default)]
pub(super) struct Evidences {
    namespaces: BTreeMap<String, Told<Arc<BTreeMap<String, String>>>>,
    /// By namespace, name and kind.
    configuration: BTreeMap<String, BTreeMap<String, BTreeMap<ConfigKind, Told<ConfigObject>>>>,
}

/// What is told of one thing, by which file.
type Told<T> = Vec<(usize, T)>;

/// One thing that a file tells.
enum Fact {
    Namespace(String, BTreeMap<String, String>),
    Configuration(String, String, ConfigKind, ConfigObject),
}

impl Evidences {
    /// What `files` tell.
    pub(super) fn of(files: &[File]) -> Self {
        let mut evidences = Self::default();
        for (index, facts) in in_parallel(files, |_, file| facts(file)).into_iter().enumerate() {
            for fact in facts {
                match fact {
                    Fact::Namespace(name, labels) => evidences
                        .namespaces
                        .entry(name)
                        .or_default()
                        .push((index, Arc::new(labels))),
                    Fact::Configuration(namespace, name, kind, object) => {
                        let named = evidences
                            .configuration
                            .entry(namespace)
                            .or_default()
                            .entry(name)
                            .or_default();
                        named.entry(kind).or_default().push((index, object));
                    }
                }
            }
        }
        evidences
    }

    /// The evidence for judging `object` of `namespace` in the file with this number.
    pub(super) fn about(&self, object: &Node, namespace: &str, file: usize) -> Evidence {
        let namespace_labels =
            self.namespaces.get(namespace).and_then(|told| pick(told, file)).cloned();
        let mut configuration = None::<Configuration>;
        if let Some(known) = self.configuration.get(namespace) {
            // an object that is used is named somewhere
            for_each_text(object, &mut |name| {
                for (kind, told) in known.get(name).into_iter().flatten() {
                    if let Some(object) = pick(told, file) {
                        configuration.get_or_insert_default().insert(
                            *kind,
                            name.to_owned(),
                            object.clone(),
                        );
                    }
                }
            });
        }
        Evidence {
            namespace_labels,
            configuration: configuration.map(Arc::new),
            ..Evidence::default()
        }
    }
}

/// What counts of all that is told to a reader in `file`: what the same file says last. Otherwise
/// what all others agree on, since nobody knows which of them belong together.
fn pick<T: PartialEq>(told: &Told<T>, file: usize) -> Option<&T> {
    let own = told.iter().rev().find(|(index, _)| *index == file);
    let (_, first) = own.or_else(|| told.first())?;
    (own.is_some() || told.iter().all(|(_, other)| other == first)).then_some(first)
}

fn facts(file: &File) -> Vec<Fact> {
    let fact = |manifest: &kinds::Manifest<'_>| {
        let name = kinds::metadata(manifest.node, "name")?.to_owned();
        match manifest.class {
            Class::Namespace => {
                let mut labels = kinds::strings(
                    manifest.node.field("metadata").and_then(|metadata| metadata.field("labels")),
                );
                labels.insert(NAME_LABEL.to_owned(), name.clone());
                Some(Fact::Namespace(name, labels))
            }
            Class::Configuration(kind) => {
                let namespace = namespace(manifest.node).to_owned();
                Some(Fact::Configuration(
                    namespace,
                    name,
                    kind,
                    kinds::config_object(kind, manifest.node),
                ))
            }
            _ => None,
        }
    };
    file.manifests().filter_map(|(_, manifest)| fact(&manifest)).collect()
}

/// The namespace an object is judged in.
pub(super) fn namespace(object: &Node) -> &str {
    kinds::metadata(object, "namespace")
        .filter(|name| !name.is_empty())
        .unwrap_or(DEFAULT_NAMESPACE)
}

fn for_each_text(node: &Node, look: &mut impl FnMut(&str)) {
    match &node.value {
        Value::Text(text) => look(text),
        Value::List(list) => list.iter().for_each(|node| for_each_text(node, look)),
        Value::Map(entries) => entries.iter().for_each(|(_, node)| for_each_text(node, look)),
        _ => {}
    }
}
