//! From a document to the objects in it.

use serde_json::Value as Json;

use crate::yaml::{Node, Value};

/// How deep lists may hold lists.
const DEEPEST_LIST: usize = 4;

/// An object as it is written in a document.
#[derive(Debug)]
pub(crate) struct Manifest<'d> {
    /// The JSON pointer of it in the document.
    pub(crate) pointer: String,
    pub(crate) api_version: &'d str,
    pub(crate) kind: &'d str,
    pub(crate) node: &'d Node,
}

/// What is in a document.
#[derive(Debug, Default)]
pub(crate) struct Objects<'d> {
    /// The objects, those of lists one by one.
    pub(crate) manifests: Vec<Manifest<'d>>,
    /// The JSON pointers of what stands where an object should, and is none of Kubernetes; empty
    /// for the document itself.
    pub(crate) foreign: Vec<String>,
}

/// Which of OpenShift's objects hold others. They had no group at first.
const TEMPLATES: [(&str, &str); 2] = [("template.openshift.io", "Template"), ("", "Template")];

/// What the items of a typed list do not repeat: `apiVersion` and `kind`.
type Words<'d> = Option<(&'d str, &'d str)>;

impl<'d> Objects<'d> {
    /// What is in `document`.
    pub(crate) fn of(document: &'d Node) -> Self {
        let mut objects = Self::default();
        objects.collect(document, String::new(), None, 0);
        objects
    }

    fn collect(&mut self, node: &'d Node, pointer: String, of_list: Words<'d>, depth: usize) {
        let text = |key: &str| node.field(key).and_then(Node::as_text);
        let words = match (text("apiVersion"), text("kind")) {
            (Some(api_version), Some(kind)) => Some((api_version, kind)),
            (None, None) => of_list.filter(|_| matches!(node.value, Value::Map(_))),
            _ => None,
        };
        let Some((api_version, kind)) = words else {
            self.foreign.push(pointer);
            return;
        };
        let item_kind = kind.strip_suffix("List").filter(|_| depth < DEEPEST_LIST);
        let items = node.field("items").map(|items| &items.value);
        if let (Some(item_kind), Some(Value::List(items))) = (item_kind, items) {
            let words = (!item_kind.is_empty()).then_some((api_version, item_kind));
            for (index, item) in items.iter().enumerate() {
                self.collect(item, format!("{pointer}/items/{index}"), words, depth + 1);
            }
            return;
        }
        let objects = node.field("objects").filter(|_| depth < DEEPEST_LIST);
        let objects = objects.filter(|_| TEMPLATES.contains(&(group_of(api_version), kind)));
        if let Some(Value::List(objects)) = objects.map(|objects| &objects.value) {
            for (index, object) in objects.iter().enumerate() {
                self.collect(object, format!("{pointer}/objects/{index}"), None, depth + 1);
            }
            return;
        }
        self.manifests.push(Manifest { pointer, api_version, kind, node });
    }
}

impl<'d> Manifest<'d> {
    /// The text at `metadata.<key>`.
    pub(crate) fn metadata(&self, key: &str) -> Option<&'d str> {
        self.node.field("metadata")?.field(key)?.as_text()
    }

    /// The group in its `apiVersion`.
    pub(crate) fn group(&self) -> &'d str {
        group_of(self.api_version)
    }

    /// The object without places. Items of a typed list say what they are.
    pub(crate) fn to_json(&self) -> Json {
        let mut value = self.node.to_json();
        if let Some(fields) = value.as_object_mut() {
            for (key, word) in [("apiVersion", self.api_version), ("kind", self.kind)] {
                fields.entry(key).or_insert_with(|| word.into());
            }
        }
        value
    }
}

/// The group in an `apiVersion`; empty where there is none.
pub(super) fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}
