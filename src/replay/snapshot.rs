//! An object as it is remembered: small, and with all that a rule may read.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Map, Value};

use crate::json::text::Text;
use crate::json::{self, Raw, fields};

/// What no rule reads of a pod's spec and of its containers, and is large or in every object. What
/// is not listed is kept, so that a new rule finds what it reads.
const UNREAD: [&str; 14] = [
    "affinity",
    "dnsPolicy",
    "enableServiceLinks",
    "imagePullPolicy",
    "imagePullSecrets",
    "preemptionPolicy",
    "priority",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tolerations",
    "topologySpreadConstraints",
];

/// The annotation in which kubectl keeps the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// With these words a status begins to say what became of a resize.
const RESIZE_CONDITIONS: &str = "\"PodResize";

/// What tells two states of an object apart.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    pub(super) metadata: HeadMetadata<'a>,
    status: Option<Raw<'a>>,
}

fields!(Head { "metadata" => metadata, "status" => status });

/// `metadata`, as far as it tells states apart.
#[derive(Debug, Default)]
pub(super) struct HeadMetadata<'a> {
    pub(super) name: Text<'a>,
    pub(super) namespace: Text<'a>,
    pub(super) uid: Text<'a>,
    pub(super) generation: Option<i64>,
    resource_version: Text<'a>,
    labels: Option<Raw<'a>>,
    annotations: Option<Raw<'a>>,
}

fields!(HeadMetadata {
    "name" => name,
    "namespace" => namespace,
    "uid" => uid,
    "generation" => generation,
    "resourceVersion" => resource_version,
    "labels" => labels,
    "annotations" => annotations,
});

impl<'a> Head<'a> {
    /// Reads it; `None` where the text is no object.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        json::read(text).ok()
    }

    /// The place of this state among all; 0 where none is written.
    pub(super) fn version(&self) -> u64 {
        self.metadata.resource_version.parse().unwrap_or_default()
    }

    /// What labels and annotations come to, which change without a new generation.
    pub(super) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let texts = [self.metadata.labels, self.metadata.annotations];
        texts.map(|raw| raw.map(Raw::get)).hash(&mut hasher);
        hasher.finish()
    }

    /// The status, where it says what became of a resize.
    pub(super) fn resize_status(&self) -> Option<Box<str>> {
        let text = self.status?.get();
        if !text.contains(RESIZE_CONDITIONS) {
            return None;
        }
        let mut status: Value = serde_json::from_str(text).ok()?;
        if let Some(fields) = status.as_object_mut() {
            fields.retain(|field, _| {
                ["conditions", "containerStatuses", "initContainerStatuses", "resources"]
                    .contains(&field.as_str())
            });
        }
        for list in ["containerStatuses", "initContainerStatuses"] {
            for container in items_mut(&mut status, list).filter_map(Value::as_object_mut) {
                container.retain(|field, _| field == "name" || field == "resources");
            }
        }
        Some(status.to_string().into())
    }
}

/// The object in `text` without what no rule reads; `None` where it is none.
pub(super) fn snapshot(text: &str) -> Option<Box<str>> {
    let mut object: Value = serde_json::from_str(text).ok()?;
    prune(&mut object);
    object.is_object().then(|| object.to_string().into())
}

/// Drops what no rule reads.
pub(super) fn prune(object: &mut Value) {
    let Some(fields) = object.as_object_mut() else { return };
    fields.remove("status");
    prune_template(fields);
    for path in ["/spec/template", "/spec/jobTemplate/spec/template"] {
        if let Some(template) = object.pointer_mut(path).and_then(Value::as_object_mut) {
            prune_template(template);
        }
    }
}

/// The same for what has metadata and the spec of a pod.
fn prune_template(fields: &mut Map<String, Value>) {
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
    }
    let Some(spec) = fields.get_mut("spec") else { return };
    for list in ["containers", "initContainers"] {
        for container in items_mut(spec, list).filter_map(Value::as_object_mut) {
            container.retain(|field, _| !UNREAD.contains(&field.as_str()));
        }
    }
    if let Some(spec) = spec.as_object_mut() {
        spec.retain(|field, _| !UNREAD.contains(&field.as_str()));
    }
}

fn items_mut<'v>(value: &'v mut Value, list: &str) -> impl Iterator<Item = &'v mut Value> {
    value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_snapshot_has_what_rules_read() {
        let pod = json!({
            "metadata": {"name": "db-0", "managedFields": [1], "annotations": {LAST_APPLIED: "{}", "a": "b"}},
            "spec": {"tolerations": [1], "nodeName": "n", "containers": [
                {"name": "app", "args": ["-Xmx1g"], "terminationMessagePath": "/dev/termination-log"}]},
            "status": {"phase": "Running"},
        });
        let expected = json!({
            "metadata": {"name": "db-0", "annotations": {"a": "b"}},
            "spec": {"nodeName": "n", "containers": [{"name": "app", "args": ["-Xmx1g"]}]},
        });
        assert_eq!(*snapshot(&pod.to_string()).unwrap(), *expected.to_string());
        let web = json!({"spec": {"template": pod}});
        let snapshot: Value = serde_json::from_str(&snapshot(&web.to_string()).unwrap()).unwrap();
        assert_eq!(snapshot["spec"]["template"]["metadata"], expected["metadata"]);
        assert_eq!(snapshot["spec"]["template"]["spec"], expected["spec"]);
    }

    #[test]
    fn a_status_is_kept_where_it_tells_of_a_resize() {
        let kept = |status: Value| {
            let text = json!({"status": status}).to_string();
            Head::read(&text).unwrap().resize_status()
        };
        assert_eq!(kept(json!({"conditions": [{"type": "Ready"}]})), None);
        let status = json!({
            "phase": "Running", "conditions": [{"type": "PodResizePending"}],
            "containerStatuses": [{"name": "app", "resources": {}, "image": "a"}],
        });
        let expected = json!({
            "conditions": [{"type": "PodResizePending"}],
            "containerStatuses": [{"name": "app", "resources": {}}],
        });
        assert_eq!(*kept(status).unwrap(), *expected.to_string());
    }
}
