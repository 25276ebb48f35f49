//! An object as it is given, in a file or by a cluster: JSON without a schema.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::judge::subject::Resource;
use crate::kube::object::Object;
use crate::kube::template::TemplatePlace;

use super::decode::{self, Malformed, malformed_annotation};
use super::documents::{Content, documents};
use super::objects::{Manifest, Objects, group_of};
use super::parallel::in_parallel;

/// An object with the words that say which it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Unstructured {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    value: Value,
    /// The same as text, for the decoder.
    json: String,
}

/// Text that holds something else than objects.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing that kubectl reads.
    #[error("line {line}: {message}")]
    Broken {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// A document, or an item of a list, that is no object of Kubernetes.
    #[error("line {line}: no object of Kubernetes: it has no apiVersion and kind{}", at(.pointer))]
    Foreign {
        /// The line in which its document begins, from 1.
        line: u64,
        /// The JSON pointer of it in its document.
        pointer: String,
    },
}

fn at(pointer: &str) -> String {
    if pointer.is_empty() { String::new() } else { format!(" ({pointer})") }
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

impl Unstructured {
    /// Reads YAML or JSON: any number of documents, and lists of objects. Objects without a
    /// namespace are in `namespace`.
    ///
    /// # Errors
    ///
    /// Where anything in `text` is no YAML, or no object.
    pub fn read(text: &str, namespace: &str) -> Result<Vec<Self>, ReadError> {
        let read = |_: usize, text: &&str| read_all(text, namespace);
        in_parallel(&[text], read)
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map(|all| all.concat())
    }

    /// The object in `value`; `None` where it is none. Without a namespace it is in `namespace`.
    pub fn of(value: Value, namespace: &str) -> Option<Self> {
        let word = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let (api_version, kind) = (word("apiVersion")?, word("kind")?);
        Some(Self::new(value, group_of(&api_version), kind, namespace))
    }

    /// The object that `manifest` describes.
    pub(crate) fn of_manifest(manifest: &Manifest<'_>, namespace: &str) -> Self {
        Self::new(manifest.to_json(), manifest.group(), manifest.kind.to_owned(), namespace)
    }

    /// The object in `value`, of this group and kind.
    pub(crate) fn new(mut value: Value, group: &str, kind: String, namespace: &str) -> Self {
        let text =
            |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let group = group.to_owned();
        // some have none: a Kustomization, and what is not finished
        let name =
            text("/metadata/name").or_else(|| text("/metadata/generateName")).unwrap_or_default();
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
        let json = value.to_string();
        Self { group, kind, namespace, name, value, json }
    }

    /// What it says.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What rules look at.
    ///
    /// # Errors
    ///
    /// Where a field that any rule looks at has the wrong shape.
    pub(crate) fn decode(&self) -> Result<Object<'_>, Malformed> {
        let holders = self.template().map_or(&[""][..], TemplatePlace::metadata_holders);
        malformed_annotation(&self.value, holders).map_or_else(|| decode::object(&self.json), Err)
    }

    /// Whether both are the same object, perhaps at different times.
    pub(crate) fn is_same_object(&self, other: &Self) -> bool {
        (&self.group, &self.kind, &self.namespace, &self.name)
            == (&other.group, &other.kind, &other.namespace, &other.name)
    }

    /// The same object with this content.
    pub(crate) fn with(&self, value: Value) -> Self {
        Self {
            json: value.to_string(),
            value,
            group: self.group.clone(),
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    pub(crate) fn resource(&self) -> Resource {
        Resource::of_kind(&self.group, &self.kind)
    }

    /// Where its kind keeps the template of its pods; `None` for kinds that keep none.
    pub(crate) fn template(&self) -> Option<TemplatePlace> {
        TemplatePlace::of_kind(&self.group, &self.kind)
    }

    /// The spec of its pods.
    pub(crate) fn pod_spec(&self) -> Option<&Value> {
        self.value.pointer(self.template()?.pointer())?.get("spec")
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

    /// Whether it was read from a cluster: only there it gets a UID and a version.
    pub(crate) fn is_read(&self) -> bool {
        ["/metadata/uid", "/metadata/resourceVersion"]
            .into_iter()
            .any(|pointer| self.text(pointer).is_some())
    }

    /// What commands call it: `deploy/web`.
    pub(crate) fn target(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }
}

impl fmt::Display for Unstructured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.namespace, &*self.name) {
            (_, "") => formatter.write_str(&self.kind),
            ("", name) => write!(formatter, "{} {name}", self.kind),
            (namespace, name) => write!(formatter, "{} {namespace}/{name}", self.kind),
        }
    }
}

fn read_all(text: &str, namespace: &str) -> Result<Vec<Unstructured>, ReadError> {
    let mut objects = Vec::new();
    for document in documents(text, |_| false) {
        match document.content {
            Content::Nothing | Content::Unread(_) => {}
            Content::Broken { line, message } => return Err(ReadError::Broken { line, message }),
            Content::Value(node) => {
                let line = document.lines_before + node.place.line;
                let read = Objects::of(&node);
                if let Some(pointer) = read.foreign.into_iter().next() {
                    return Err(ReadError::Foreign { line, pointer });
                }
                let manifests = read.manifests.iter();
                objects.extend(
                    manifests.map(|manifest| Unstructured::of_manifest(manifest, namespace)),
                );
            }
        }
    }
    Ok(objects)
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
        let documents = Unstructured::read(&text, "shop").unwrap();
        assert_eq!(
            documents.iter().map(Unstructured::to_string).collect::<Vec<_>>(),
            ["Pod shop/a", "Pod shop/a"]
        );
        assert_eq!(Unstructured::read("", "shop").unwrap(), []);
        let node = Unstructured::read("{apiVersion: v1, kind: Node, metadata: {name: n1}}", "shop")
            .unwrap();
        assert_eq!(node[0].to_string(), "Node n1");
    }

    #[test]
    fn what_holds_none_is_told() {
        assert_eq!(
            Unstructured::read("a: 1", "").unwrap_err().to_string(),
            "line 1: no object of Kubernetes: it has no apiVersion and kind"
        );
        let error = Unstructured::read("a: [1", "").unwrap_err().to_string();
        assert!(error.starts_with("line 1: invalid YAML: "), "{error}");
        let list = "kind: List\napiVersion: v1\nitems: [3]\n";
        let error = Unstructured::read(&format!("# a\n---\n{list}"), "").unwrap_err().to_string();
        assert!(error.ends_with("kind (/items/0)") && error.starts_with("line 3: "), "{error}");
    }

    #[test]
    fn plain_text_of_secrets_is_what_is_stored() {
        let read = |data: &str| {
            Unstructured::read(
                &format!("{{apiVersion: v1, kind: Secret, metadata: {{name: a}}, {data}}}"),
                "",
            )
            .unwrap()
        };
        assert_eq!(read("stringData: {a: x}"), read("data: {a: eA==}"));
    }
}
