//! Objects read from a cluster.

use anyhow::anyhow;
use kube::api::{DynamicObject, ListParams};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::cluster::error::error_message;
use crate::cluster::kind::Kind;
use crate::cluster::list::list_all;
use crate::cluster::object_name::ObjectName;
use crate::kube::template::TemplatePlace;
use crate::manifest::unstructured::Unstructured;
use crate::terminal;

/// The object with its kind, which lists leave out.
pub(crate) fn unstructured(
    kind: &Kind,
    cluster: &Cluster,
    object: &DynamicObject,
) -> anyhow::Result<Unstructured> {
    let mut value = serde_json::to_value(object)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("apiVersion".to_owned(), Value::String(kind.api_version()));
        fields.insert("kind".to_owned(), kind.name.into());
    }
    Unstructured::of(value, &cluster.namespace)
        .ok_or_else(|| anyhow!("the API server answered with no object"))
}

/// The object in the cluster.
pub(crate) async fn read(cluster: &Cluster, named: &ObjectName) -> anyhow::Result<Unstructured> {
    let object = named.kind.api(cluster).get(&named.name).await.map_err(|error| {
        let (namespace, error) = (&cluster.namespace, error_message(&error));
        anyhow!("{named} cannot be read in namespace {namespace:?}: {error}")
    })?;
    unstructured(named.kind, cluster, &object)
}

/// The node of the pod among `objects`, by which the API server refuses what is too large. One that
/// cannot be read is no error.
pub(crate) async fn node(cluster: &Cluster, objects: &[Unstructured]) -> Option<Unstructured> {
    let name = objects.iter().find_map(|object| object.text("/spec/nodeName"))?;
    read(cluster, &format!("node/{name}").parse().ok()?).await.ok()
}

/// The workloads and bare pods of the namespace, where `objects` have a ConfigMap or Secret among
/// them. What cannot be listed is told and left out.
pub(crate) async fn users(
    cluster: &Cluster,
    mut objects: impl Iterator<Item = &Unstructured>,
) -> Vec<Unstructured> {
    if !objects.any(|object| matches!(object.kind.as_str(), "ConfigMap" | "Secret")) {
        return Vec::new();
    }
    let mut users = Vec::new();
    for kind in Kind::every().filter(|kind| TemplatePlace::of_kind(kind.group, kind.name).is_some())
    {
        if let Err(error) = list(cluster, kind, &mut users).await {
            let plural = kind.plural();
            terminal::remark(&format!(
                "{plural} cannot be listed, so those that use it are not known: {error}"
            ));
        }
    }
    users
}

/// Those that a controller keeps say what their controller says.
async fn list(cluster: &Cluster, kind: &Kind, users: &mut Vec<Unstructured>) -> anyhow::Result<()> {
    let objects = list_all(&kind.api(cluster), &ListParams::default())
        .await
        .map_err(|error| anyhow!("{}", error_message(&error)))?;
    for object in &objects {
        let owned = object
            .metadata
            .owner_references
            .iter()
            .flatten()
            .any(|owner| owner.controller == Some(true));
        if !owned {
            users.push(unstructured(kind, cluster, object)?);
        }
    }
    Ok(())
}
