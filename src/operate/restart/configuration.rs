//! Configuration that a container reads only when it starts: what a restart puts in force.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cluster::Cluster;
use crate::kube::config_use::{ConfigUse, Way, config_uses};
use crate::kube::configuration::ConfigKind;
use crate::manifest::unstructured::Unstructured;
use crate::operate::outcome::status;

/// An object that a container reads when it starts. The names of its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadAnew {
    /// The object: `configmap/app`.
    pub(super) object: String,
    /// The container.
    pub(super) container: String,
    /// `env` or `subPath`.
    pub(super) by: &'static str,
    /// Whether it was written since the container started; `None` where that cannot be told.
    pub(super) is_newer: Option<bool>,
    /// When it was written last.
    pub(super) written: Option<Timestamp>,
    /// When the container started.
    pub(super) started: Option<Timestamp>,
}

/// A source: kind, name, container, and the way.
type Source = (ConfigKind, String, String, &'static str);

/// What these containers of `pod` read when they start. Only metadata is asked for, never data.
pub(super) async fn read_anew(
    cluster: &Cluster,
    pod: &Unstructured,
    containers: &[String],
) -> Vec<ReadAnew> {
    let mut found: Vec<ReadAnew> = Vec::new();
    for (kind, name, container, by) in sources(pod, containers) {
        let object = format!("{}/{name}", kind.as_str().to_lowercase());
        let known = found.iter().find(|one| one.object == object).map(|one| one.written);
        let written = match (known, kind) {
            (Some(written), _) => written,
            (None, ConfigKind::ConfigMap) => written::<ConfigMap>(cluster, &name).await,
            (None, ConfigKind::Secret) => written::<Secret>(cluster, &name).await,
        };
        let started = started(pod, &container);
        let is_newer = written.zip(started).map(|(written, started)| written > started);
        found.push(ReadAnew { object, container, by, is_newer, written, started });
    }
    found
}

/// Every object that is read once, at the start.
fn sources(pod: &Unstructured, containers: &[String]) -> BTreeSet<Source> {
    let Ok(object) = pod.decode() else { return BTreeSet::new() };
    let is_ours = |used: &ConfigUse<'_>| {
        used.role.is_app()
            && used.way.is_frozen()
            && !used.name.is_empty()
            && containers.iter().any(|name| **name == *used.container)
    };
    let uses = config_uses(&object.spec).into_iter().filter(is_ours);
    uses.map(|used| {
        let by = if used.way == Way::SubPath { "subPath" } else { "env" };
        (used.kind, used.name.into_owned(), used.container.into_owned(), by)
    })
    .collect()
}

/// When the object was written last, where its metadata may be read.
async fn written<K>(cluster: &Cluster, name: &str) -> Option<Timestamp>
where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    let api: Api<K> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    last_write(&api.get_metadata(name).await.ok()?.metadata)
}

fn last_write(metadata: &ObjectMeta) -> Option<Timestamp> {
    let writes = metadata.managed_fields.iter().flatten();
    let times = writes.filter_map(|one| one.time.as_ref().map(|time| time.0));
    times.max().or_else(|| metadata.creation_timestamp.as_ref().map(|time| time.0))
}

/// When the container started.
pub(super) fn started(pod: &Unstructured, container: &str) -> Option<Timestamp> {
    let (status, _) = status(pod, container)?;
    status.pointer("/state/running/startedAt")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_read_once_is_found_and_files_are_not() {
        let app = json!({
            "name": "app",
            "env": [
                {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "a"}}},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "b"}}},
                {"name": "C", "value": "plain"}],
            "envFrom": [{"configMapRef": {"name": "all"}}, {"secretRef": {"name": ""}}],
            "volumeMounts": [
                {"name": "files", "mountPath": "/files"},
                {"name": "one", "mountPath": "/one", "subPath": "one.conf"},
                {"name": "mixed", "mountPath": "/two", "subPathExpr": "$(A)"}],
        });
        let other = json!({"name": "side", "envFrom": [{"configMapRef": {"name": "side"}}]});
        let volumes = json!([
            {"name": "files", "configMap": {"name": "live"}},
            {"name": "one", "configMap": {"name": "one"}},
            {"name": "mixed", "projected": {"sources": [{"secret": {"name": "mixed"}}]}}]);
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0"},
            "spec": {"containers": [app, other], "volumes": volumes}});
        let pod = Unstructured::of(pod, "shop").unwrap();
        let found: Vec<String> = sources(&pod, &["app".to_owned()])
            .into_iter()
            .map(|(kind, name, _, by)| format!("{kind:?} {name} {by}"))
            .collect();
        assert_eq!(
            found,
            [
                "ConfigMap all env",
                "ConfigMap app env",
                "ConfigMap one subPath",
                "Secret keys env",
                "Secret mixed subPath"
            ]
        );
    }

    #[test]
    fn the_last_write_counts() {
        let metadata: ObjectMeta = serde_json::from_value(json!({
            "creationTimestamp": "2026-11-21T10:00:00Z",
            "managedFields": [
                {"manager": "a", "operation": "Update", "time": "2026-11-21T12:00:00Z"},
                {"manager": "b", "operation": "Apply", "time": "2026-11-21T11:00:00Z"}]}))
        .unwrap();
        assert_eq!(last_write(&metadata).unwrap().to_string(), "2026-11-21T12:00:00Z");
    }
}
