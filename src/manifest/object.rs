//! An object as it is given: in a file, or read from a cluster.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::judge::subject::Resource;
use crate::kube::name::describe;

/// An object with the words that say which it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) value: Value,
}

/// Text that holds no objects.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// No YAML.
    #[error("invalid YAML: {0}")]
    Yaml(String),
    /// A document that is no object of Kubernetes.
    #[error("document {0} has no kind, apiVersion and metadata.name")]
    NoObject(usize),
}

/// Kinds that belong to no namespace, as far as any is explained.
const CLUSTER_WIDE: [&str; 8] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "ValidatingWebhookConfiguration",
];

impl Document {
    /// Reads YAML or JSON: any number of documents, and lists of objects. Objects without a
    /// namespace are in `namespace`.
    ///
    /// # Errors
    ///
    /// Where `text` is no YAML, or a document is no object.
    pub fn read(text: &str, namespace: &str) -> Result<Vec<Self>, DocumentError> {
        let mut documents = Vec::new();
        for (index, value) in values(text)?.into_iter().enumerate() {
            let items = match value {
                Value::Null => Vec::new(),
                Value::Object(mut fields) if is_list(&fields) => match fields.remove("items") {
                    Some(Value::Array(items)) => items,
                    _ => Vec::new(),
                },
                value => vec![value],
            };
            for item in items {
                let number = index.saturating_add(1);
                documents.push(Self::of(item, namespace).ok_or(DocumentError::NoObject(number))?);
            }
        }
        Ok(documents)
    }

    /// The object in `value`; `None` where it is none.
    pub fn of(mut value: Value, namespace: &str) -> Option<Self> {
        let text =
            |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let version = text("/apiVersion")?;
        let group = version.split_once('/').map_or_else(String::new, |(group, _)| group.to_owned());
        let kind = text("/kind")?;
        let name = text("/metadata/name").or_else(|| text("/metadata/generateName"))?;
        let namespace = if CLUSTER_WIDE.contains(&kind.as_str()) {
            String::new()
        } else {
            text("/metadata/namespace")
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| namespace.to_owned())
        };
        if kind == "Secret" {
            encode(&mut value);
        }
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("namespace");
        }
        Some(Self { group, kind, namespace, name, value })
    }

    /// Whether both are the same object, perhaps at different times.
    pub fn is_same_object(&self, other: &Self) -> bool {
        (&self.group, &self.kind, &self.namespace, &self.name)
            == (&other.group, &other.kind, &other.namespace, &other.name)
    }

    /// The same object with this content.
    pub(crate) fn with(&self, value: Value) -> Self {
        Self { value, ..self.clone() }
    }

    pub(crate) fn resource(&self) -> Resource {
        Resource::of_kind(&self.group, &self.kind)
    }

    /// Where its kind keeps a pod's metadata and spec; `None` for kinds that keep none.
    pub(crate) fn template(&self) -> Option<&'static [&'static str]> {
        match self.resource() {
            Resource::Pod => Some(&[]),
            Resource::CronJob => Some(&["spec", "jobTemplate", "spec", "template"]),
            Resource::Deployment
            | Resource::StatefulSet
            | Resource::DaemonSet
            | Resource::ReplicaSet
            | Resource::ReplicationController
            | Resource::Job => Some(&["spec", "template"]),
            _ => None,
        }
    }

    /// The spec of its pods.
    pub(crate) fn pod_spec(&self) -> Option<&Value> {
        self.template()?.iter().try_fold(&self.value, |value, field| value.get(field))?.get("spec")
    }

    /// What `pointer` leads to, as text.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.value.pointer(pointer).and_then(Value::as_str)
    }

    pub(crate) fn number(&self, pointer: &str) -> Option<i64> {
        self.value.pointer(pointer).and_then(Value::as_i64)
    }

    pub(crate) fn is_true(&self, pointer: &str) -> bool {
        self.value.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
    }

    /// What commands call it: `deploy/web`.
    pub(crate) fn target(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }
}

impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&describe(&self.kind, &self.namespace, &self.name))
    }
}

/// The documents of a YAML stream.
fn values(text: &str) -> Result<Vec<Value>, DocumentError> {
    serde_saphyr::from_multiple(text).map_err(|error| {
        let place =
            error.location().map(|place| format!("line {}: ", place.line())).unwrap_or_default();
        let message = error.without_snippet().to_string();
        DocumentError::Yaml(format!("{place}{}", message.lines().next().unwrap_or_default()))
    })
}

fn is_list(fields: &Map<String, Value>) -> bool {
    fields.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"))
        && fields.get("items").is_some()
}

/// `stringData` of a Secret as the API server stores it: in `data`.
fn encode(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else { return };
    let Some(Value::Object(plain)) = fields.remove("stringData") else { return };
    let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    let Some(data) = data.as_object_mut() else { return };
    for (key, value) in plain {
        data.insert(
            key,
            value.as_str().map_or(Value::Null, |text| Value::String(STANDARD.encode(text))),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: a}}";

    #[test]
    fn files_hold_several_objects() {
        let text = format!(
            "# a comment\n---\n{POD}\n---\n---\napiVersion: v1\nkind: List\nitems:\n- {POD}\n"
        );
        let documents = Document::read(&text, "shop").unwrap();
        assert_eq!(
            documents.iter().map(Document::to_string).collect::<Vec<_>>(),
            ["Pod shop/a", "Pod shop/a"]
        );
        assert_eq!(Document::read("", "shop").unwrap(), []);
        let node =
            Document::read("{apiVersion: v1, kind: Node, metadata: {name: n1}}", "shop").unwrap();
        assert_eq!(node[0].to_string(), "Node n1");
    }

    #[test]
    fn what_holds_none_is_told() {
        assert_eq!(
            Document::read("a: 1", "").unwrap_err().to_string(),
            "document 1 has no kind, apiVersion and metadata.name"
        );
        let error = Document::read("a: [1", "").unwrap_err().to_string();
        assert!(error.starts_with("invalid YAML: "), "{error}");
    }

    #[test]
    fn plain_text_of_secrets_is_what_is_stored() {
        let read = |data: &str| {
            Document::read(
                &format!("{{apiVersion: v1, kind: Secret, metadata: {{name: a}}, {data}}}"),
                "",
            )
            .unwrap()
        };
        assert_eq!(read("stringData: {a: x}"), read("data: {a: eA==}"));
    }
}
