//! Objects read from a cluster.

use anyhow::{anyhow, bail};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use serde_json::Value;

use crate::cluster::{Cluster, complaint, list_all};
use crate::manifest::object::Document;
use crate::terminal;

/// An object that the user names: `deploy/web`.
#[derive(Clone, Debug)]
pub(super) struct Named {
    kind: &'static Kind,
    name: String,
}

/// A kind that can be read.
#[derive(Debug)]
struct Kind {
    /// The words for it, the plural first.
    words: &'static [&'static str],
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    is_namespaced: bool,
}

const fn kind(
    words: &'static [&'static str],
    group: &'static str,
    version: &'static str,
    kind: &'static str,
) -> Kind {
    Kind { words, group, version, kind, is_namespaced: true }
}

const fn cluster_wide(
    words: &'static [&'static str],
    group: &'static str,
    version: &'static str,
    kind: &'static str,
) -> Kind {
    Kind { words, group, version, kind, is_namespaced: false }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ISTIO: &str = "networking.istio.io";

const KINDS: &[Kind] = &[
    kind(&["pods", "pod", "po"], "", "v1", "Pod"),
    kind(&["configmaps", "configmap", "cm"], "", "v1", "ConfigMap"),
    kind(&["secrets", "secret"], "", "v1", "Secret"),
    kind(&["services", "service", "svc"], "", "v1", "Service"),
    kind(
        &["replicationcontrollers", "replicationcontroller", "rc"],
        "",
        "v1",
        "ReplicationController",
    ),
    kind(&["deployments", "deployment", "deploy"], "apps", "v1", "Deployment"),
    kind(&["statefulsets", "statefulset", "sts"], "apps", "v1", "StatefulSet"),
    kind(&["daemonsets", "daemonset", "ds"], "apps", "v1", "DaemonSet"),
    kind(&["replicasets", "replicaset", "rs"], "apps", "v1", "ReplicaSet"),
    kind(&["jobs", "job"], "batch", "v1", "Job"),
    kind(&["cronjobs", "cronjob", "cj"], "batch", "v1", "CronJob"),
    kind(
        &["networkpolicies", "networkpolicy", "netpol"],
        "networking.k8s.io",
        "v1",
        "NetworkPolicy",
    ),
    kind(&["ingresses", "ingress", "ing"], "networking.k8s.io", "v1", "Ingress"),
    kind(&["roles", "role"], RBAC, "v1", "Role"),
    kind(&["rolebindings", "rolebinding"], RBAC, "v1", "RoleBinding"),
    cluster_wide(&["clusterroles", "clusterrole"], RBAC, "v1", "ClusterRole"),
    cluster_wide(&["clusterrolebindings", "clusterrolebinding"], RBAC, "v1", "ClusterRoleBinding"),
    cluster_wide(&["nodes", "node", "no"], "", "v1", "Node"),
    kind(
        &["poddisruptionbudgets", "poddisruptionbudget", "pdb"],
        "policy",
        "v1",
        "PodDisruptionBudget",
    ),
    kind(
        &["horizontalpodautoscalers", "horizontalpodautoscaler", "hpa"],
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
    ),
    kind(
        &["verticalpodautoscalers", "verticalpodautoscaler", "vpa"],
        "autoscaling.k8s.io",
        "v1",
        "VerticalPodAutoscaler",
    ),
    kind(&["virtualservices", "virtualservice", "vs"], ISTIO, "v1", "VirtualService"),
    kind(&["destinationrules", "destinationrule", "dr"], ISTIO, "v1", "DestinationRule"),
];

/// Who may use a ConfigMap or Secret.
const USERS: [&str; 8] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
    "Pod",
];

impl Named {
    /// Reads `KIND/NAME`.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let Some((word, name)) = text.split_once('/') else {
            bail!("{text:?} does not say what it is: say live:KIND/NAME")
        };
        let lower = word.to_lowercase();
        let kind = KINDS.iter().find(|kind| kind.words.iter().any(|known| *known == lower));
        let Some(kind) = kind else {
            bail!("kind {word:?} is not known here: give its manifests as files")
        };
        if name.is_empty()
            || name.contains('/')
            || name.starts_with('.')
            || name.contains(char::is_whitespace)
        {
            bail!("{name:?} is no object's name");
        }
        Ok(Self { kind, name: name.to_owned() })
    }
}

impl Kind {
    fn resource(&self) -> ApiResource {
        let kind = GroupVersionKind::gvk(self.group, self.version, self.kind);
        ApiResource::from_gvk_with_plural(&kind, self.words.first().copied().unwrap_or_default())
    }

    fn api(&self, cluster: &Cluster) -> Api<DynamicObject> {
        if self.is_namespaced {
            Api::namespaced_with(cluster.client.clone(), &cluster.namespace, &self.resource())
        } else {
            Api::all_with(cluster.client.clone(), &self.resource())
        }
    }

    /// The object as a document; lists leave out what kind it is.
    fn document(&self, cluster: &Cluster, object: &DynamicObject) -> anyhow::Result<Document> {
        let mut value = serde_json::to_value(object)?;
        if let Some(fields) = value.as_object_mut() {
            let version = if self.group.is_empty() {
                self.version.to_owned()
            } else {
                format!("{}/{}", self.group, self.version)
            };
            fields.insert("apiVersion".to_owned(), Value::String(version));
            fields.insert("kind".to_owned(), self.kind.into());
        }
        Document::of(value, &cluster.namespace)
            .ok_or_else(|| anyhow!("the API server answered with no object"))
    }
}

/// The object in the cluster.
pub(super) async fn read(cluster: &Cluster, named: &Named) -> anyhow::Result<Document> {
    let object = named.kind.api(cluster).get(&named.name).await.map_err(|error| {
        let word = named.kind.words.get(1).copied().unwrap_or_default();
        anyhow!(
            "{word}/{} cannot be read in namespace {:?}: {}",
            named.name,
            cluster.namespace,
            complaint(&error)
        )
    })?;
    named.kind.document(cluster, &object)
}

/// The workloads and bare pods of the namespace, where `documents` have a ConfigMap or Secret among
/// them. What cannot be listed is told and left out.
pub(super) async fn users(
    cluster: &Cluster,
    mut documents: impl Iterator<Item = &Document>,
) -> Vec<Document> {
    if !documents.any(|document| matches!(document.kind.as_str(), "ConfigMap" | "Secret")) {
        return Vec::new();
    }
    let mut users = Vec::new();
    for kind in KINDS.iter().filter(|kind| USERS.contains(&kind.kind)) {
        if let Err(error) = list(cluster, kind, &mut users).await {
            let plural = kind.words.first().copied().unwrap_or_default();
            terminal::remark(&format!(
                "{plural} cannot be listed, so those that use it are not known: {error}"
            ));
        }
    }
    users
}

/// Those that a controller keeps say what their controller says.
async fn list(cluster: &Cluster, kind: &Kind, users: &mut Vec<Document>) -> anyhow::Result<()> {
    let objects = list_all(&kind.api(cluster), &ListParams::default())
        .await
        .map_err(|error| anyhow!("{}", complaint(&error)))?;
    for object in &objects {
        let owned = object
            .metadata
            .owner_references
            .iter()
            .flatten()
            .any(|owner| owner.controller == Some(true));
        if !owned {
            users.push(kind.document(cluster, object)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_short_words() {
        for (text, expected) in [
            ("deploy/web", "Deployment"),
            ("Pod/db-0", "Pod"),
            ("configmap/app", "ConfigMap"),
            ("node/n1", "Node"),
        ] {
            assert_eq!(Named::parse(text).unwrap().kind.kind, expected);
        }
        for text in ["web", "widget/a", "pod/", "pod/a/b", "pod/../a"] {
            assert!(Named::parse(text).is_err(), "{text}");
        }
    }
}
