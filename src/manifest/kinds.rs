//! What a document is to the linter: objects to judge, evidence about them, or neither.

use std::collections::BTreeMap;

use crate::judge::subject::Resource;
use crate::kube::configuration::{ConfigKind, ConfigObject};
use crate::yaml::{Node, Value};

/// How deep lists may hold lists.
const DEEPEST_LIST: usize = 4;

/// What an object is to the linter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It is judged.
    Judged(Resource),
    /// It is judged as if its `apiVersion` were the one that is served today: nothing that rules
    /// look at has changed.
    Outdated(Resource),
    /// It tells the labels of a namespace.
    Namespace,
    /// It is configuration that pods may use.
    Configuration(ConfigKind),
    /// It would be judged, but for this reason.
    Passed(&'static str),
    /// Nothing is known about its kind.
    Other,
}

/// An object of a document.
#[derive(Debug)]
pub(crate) struct Manifest<'n> {
    /// The JSON pointer of it in the document.
    pub(crate) pointer: String,
    /// Its `kind`.
    pub(crate) kind: String,
    pub(crate) class: Class,
    pub(crate) node: &'n Node,
}

/// What this group, version and kind is to the linter.
pub(crate) fn classify(api_version: &str, kind: &str) -> Class {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    match (group, version, kind) {
        ("", "v1", "Namespace") => return Class::Namespace,
        ("", "v1", "ConfigMap") => return Class::Configuration(ConfigKind::ConfigMap),
        ("", "v1", "Secret") => return Class::Configuration(ConfigKind::Secret),
        ("", "v1", "PodTemplate") => {
            return Class::Passed("kind PodTemplate: no pods are made from it");
        }
        _ => {}
    }
    // where Deployments, DaemonSets and ReplicaSets were before they moved to `apps`
    let today = if group == "extensions" { "apps" } else { group };
    match (Resource::of_kind(today, kind), version) {
        (Resource::Other | Resource::PodResize | Resource::PodStatus | Resource::PodBinding, _) => {
            Class::Other
        }
        (resource, "v1") if today == group => Class::Judged(resource),
        // still served, and converted for webhooks
        (Resource::VerticalPodAutoscaler, "v1beta2") => {
            Class::Judged(Resource::VerticalPodAutoscaler)
        }
        (Resource::VerticalPodAutoscaler, _) => {
            Class::Passed("only autoscaling.k8s.io/v1 and v1beta2 are known")
        }
        (resource, "v1beta1" | "v1beta2" | "v2alpha1") => Class::Outdated(resource),
        _ => Class::Passed("unknown apiVersion"),
    }
}

/// Whether objects of `kind` tell the linter nothing, whatever their `apiVersion`.
pub(crate) fn is_unknown(kind: &str) -> bool {
    let groups = ["", "apps", "batch", "extensions", "autoscaling.k8s.io"];
    !kind.ends_with("List")
        && groups.iter().all(|group| {
            let version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
            classify(&version, kind) == Class::Other
                && classify(&format!("{group}/v1beta1"), kind) == Class::Other
        })
}

/// The objects of a document, those of lists one by one. `None` where it is no object of
/// Kubernetes.
pub(crate) fn manifests(document: &Node) -> Option<Vec<Manifest<'_>>> {
    let mut manifests = Vec::new();
    collect(document, String::new(), None, 0, &mut manifests)?;
    Some(manifests)
}

fn collect<'n>(
    node: &'n Node,
    pointer: String,
    of_list: Option<(&str, &str)>,
    depth: usize,
    manifests: &mut Vec<Manifest<'n>>,
) -> Option<()> {
    let text = |key: &str| node.field(key).and_then(Node::as_text);
    let (api_version, kind) = match (text("apiVersion"), text("kind"), of_list) {
        (Some(api_version), Some(kind), _) => (api_version, kind),
        (None, None, Some(words)) => words, // the items of a typed list do not repeat what they are
        _ => return None,
    };
    let item_kind = kind.strip_suffix("List").filter(|_| depth < DEEPEST_LIST);
    if let (Some(item_kind), Some(Value::List(items))) =
        (item_kind, node.field("items").map(|items| &items.value))
    {
        let words = (!item_kind.is_empty()).then_some((api_version, item_kind));
        for (index, item) in items.iter().enumerate() {
            // what is no object is nothing that could be judged
            let _ = collect(item, format!("{pointer}/items/{index}"), words, depth + 1, manifests);
        }
        return Some(());
    }
    manifests.push(Manifest {
        pointer,
        kind: kind.to_owned(),
        class: classify(api_version, kind),
        node,
    });
    Some(())
}

/// The text at `metadata.<key>`.
pub(crate) fn metadata<'n>(object: &'n Node, key: &str) -> Option<&'n str> {
    object.field("metadata")?.field(key)?.as_text()
}

/// The strings of a mapping of strings; what is no string is left out.
pub(crate) fn strings(mapping: Option<&Node>) -> BTreeMap<String, String> {
    let entries = mapping.map(Node::entries).unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, value)| Some((key.as_text()?.to_owned(), value.as_text()?.to_owned())))
        .collect()
}

/// What an object of configuration tells. Of a Secret nothing but whether it can change.
pub(crate) fn config_object(kind: ConfigKind, object: &Node) -> ConfigObject {
    let immutable =
        object.field("immutable").is_some_and(|node| matches!(node.value, Value::Bool(true)));
    let data =
        if kind == ConfigKind::ConfigMap { strings(object.field("data")) } else { BTreeMap::new() };
    ConfigObject { immutable, data }
}

/// Leaves out a number of replicas that a template has yet to fill in, as in `replicas:
/// ${{REPLICAS}}` of OpenShift: it is as unknown as an absent one, which an autoscaler may own, and
/// the pods are described in full without it.
pub(crate) fn forget_unfilled_replicas(object: &mut serde_json::Value) {
    let Some(replicas) = object.pointer_mut("/spec/replicas") else { return };
    let unfilled =
        replicas.as_str().is_some_and(|text| text.starts_with("${") && text.ends_with('}'));
    if unfilled {
        *replicas = serde_json::Value::Null;
    }
}
