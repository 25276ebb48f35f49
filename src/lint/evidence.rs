//! What the documents of a run tell about each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::judge::subject::Evidence;
use crate::kube::configuration::{ConfigKind, ConfigObject, Configuration};
use crate::kube::selector::NAME_LABEL;
use crate::manifest::objects::Manifest;
use crate::manifest::parallel::in_parallel;
use crate::yaml::{Node, Value};

use super::class::Class;
use super::read::File;
use super::source::Source;

/// The namespace of objects that name none.
pub(super) const DEFAULT_NAMESPACE: &str = "default";

/// Everything that files define, and in which of them.
#[derive(Debug, Default)]
pub(super) struct Evidences {
    namespaces: BTreeMap<String, Definitions<Arc<BTreeMap<String, String>>>>,
    /// By namespace, name and kind.
    configuration:
        BTreeMap<String, BTreeMap<String, BTreeMap<ConfigKind, Definitions<ConfigObject>>>>,
}

/// One thing, as each file defines it, with the number of the file.
type Definitions<T> = Vec<(usize, T)>;

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
    pub(super) fn about(
        &self,
        object: &Node,
        namespace: &str,
        file: usize,
        source: &Source,
    ) -> Evidence {
        let namespace_labels =
            self.namespaces.get(namespace).and_then(|definitions| pick(definitions, file)).cloned();
        let mut configuration = None::<Configuration>;
        if let Some(known) = self.configuration.get(namespace) {
            // an object that is used is named somewhere
            for_each_text(object, &mut |name| {
                for (kind, definitions) in known.get(name).into_iter().flatten() {
                    if let Some(object) = pick(definitions, file) {
                        configuration.get_or_insert_default().insert(
                            *kind,
                            name.to_owned(),
                            object.clone(),
                        );
                    }
                }
            });
        }
        for (kind, name) in &source.generated {
            // another content has another name
            let object =
                ConfigObject { immutable: true, is_partial: true, ..ConfigObject::default() };
            configuration.get_or_insert_default().insert(*kind, name.clone(), object);
        }
        Evidence {
            now: Some(jiff::Timestamp::now()),
            namespace_labels,
            configuration: configuration.map(Arc::new),
            ..Evidence::default()
        }
    }
}

/// The definition that counts for a reader in `file`: the last one of the same file. Otherwise
/// what all others agree on, since nobody knows which of them belong together.
fn pick<T: PartialEq>(definitions: &Definitions<T>, file: usize) -> Option<&T> {
    let own = definitions.iter().rev().find(|(index, _)| *index == file);
    let (_, first) = own.or_else(|| definitions.first())?;
    (own.is_some() || definitions.iter().all(|(_, other)| other == first)).then_some(first)
}

fn facts(file: &File) -> Vec<Fact> {
    let fact = |manifest: &Manifest<'_>, class: Class| {
        let name = manifest.metadata("name")?.to_owned();
        match class {
            Class::Namespace => {
                let mut labels = strings(
                    manifest.node.field("metadata").and_then(|metadata| metadata.field("labels")),
                );
                labels.insert(NAME_LABEL.to_owned(), name.clone());
                Some(Fact::Namespace(name, labels))
            }
            Class::Configuration(kind) => {
                let namespace = namespace(manifest).to_owned();
                Some(Fact::Configuration(namespace, name, kind, config_object(kind, manifest.node)))
            }
            _ => None,
        }
    };
    file.manifests().filter_map(|(_, manifest, class)| fact(&manifest, class)).collect()
}

/// The namespace an object is judged in.
pub(super) fn namespace<'d>(manifest: &Manifest<'d>) -> &'d str {
    manifest.metadata("namespace").filter(|name| !name.is_empty()).unwrap_or(DEFAULT_NAMESPACE)
}

/// The strings of a mapping of strings; what is no string is left out.
fn strings(mapping: Option<&Node>) -> BTreeMap<String, String> {
    let entries = mapping.map(Node::entries).unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, value)| Some((key.as_text()?.to_owned(), value.as_text()?.to_owned())))
        .collect()
}

/// What an object of configuration tells. Of a Secret its keys, and whether it can change.
fn config_object(kind: ConfigKind, object: &Node) -> ConfigObject {
    let immutable =
        object.field("immutable").is_some_and(|node| matches!(node.value, Value::Bool(true)));
    let data = match kind {
        ConfigKind::ConfigMap => strings(object.field("data")),
        ConfigKind::Secret => {
            let mut keys = strings(object.field("data"));
            keys.extend(strings(object.field("stringData")));
            keys.values_mut().for_each(String::clear);
            keys
        }
    };
    let binary_keys = strings(object.field("binaryData")).into_keys().collect();
    ConfigObject { immutable, data, binary_keys, ..ConfigObject::default() }
}

fn for_each_text(node: &Node, look: &mut impl FnMut(&str)) {
    match &node.value {
        Value::Text(text) => look(text),
        Value::List(list) => list.iter().for_each(|node| for_each_text(node, look)),
        Value::Map(entries) => entries.iter().for_each(|(_, node)| for_each_text(node, look)),
        _ => {}
    }
}
