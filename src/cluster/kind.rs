//! Kinds of objects that a command can be told to read from a cluster.

use kube::Api;
use kube::api::{ApiResource, DynamicObject};
use kube::core::GroupVersionKind;

use crate::kube::name::{is_dns_subdomain, is_path_segment};

use super::Cluster;

/// A kind of object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The words for it, as kubectl has them: the plural, the singular, and short ones.
    words: &'static [&'static str],
    pub(crate) group: &'static str,
    version: &'static str,
    /// As it is written in manifests.
    pub(crate) name: &'static str,
    is_namespaced: bool,
}

const fn kind(
    words: &'static [&'static str],
    group: &'static str,
    version: &'static str,
    name: &'static str,
) -> Kind {
    Kind { words, group, version, name, is_namespaced: true }
}

const fn cluster_wide(
    words: &'static [&'static str],
    group: &'static str,
    version: &'static str,
    name: &'static str,
) -> Kind {
    Kind { words, group, version, name, is_namespaced: false }
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
    cluster_wide(&["namespaces", "namespace", "ns"], "", "v1", "Namespace"),
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

impl Kind {
    /// The kind that a word of kubectl's means: `deploy`, `Deployment`, `deployments.apps`.
    pub(crate) fn find(word: &str) -> Option<&'static Self> {
        let lower = word.to_lowercase();
        KINDS.iter().find(|kind| {
            kind.words.iter().any(|known| match lower.strip_prefix(known) {
                Some("") => true,
                Some(rest) => rest.strip_prefix('.').is_some_and(|group| group == kind.group),
                None => false,
            })
        })
    }

    /// Every kind.
    pub(crate) fn every() -> impl Iterator<Item = &'static Self> {
        KINDS.iter()
    }

    /// The word for one object.
    pub(crate) fn singular(&self) -> &'static str {
        self.words.get(1).copied().unwrap_or(self.name)
    }

    /// The word for several objects.
    pub(crate) fn plural(&self) -> &'static str {
        self.words.first().copied().unwrap_or(self.name)
    }

    /// The version of its group that is read.
    pub(crate) fn version(&self) -> &'static str {
        self.version
    }

    /// `GROUP/VERSION`, as manifests say it.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether an object of this kind can be called `name`.
    pub(super) fn allows_name(&self, name: &str) -> bool {
        if self.group == RBAC { is_path_segment(name) } else { is_dns_subdomain(name) }
    }

    /// The objects of this kind, those of the user's namespace if they are in any.
    pub(crate) fn api(&self, cluster: &Cluster) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk(self.group, self.version, self.name);
        let resource = ApiResource::from_gvk_with_plural(&kind, self.plural());
        if self.is_namespaced {
            Api::namespaced_with(cluster.client.clone(), &cluster.namespace, &resource)
        } else {
            Api::all_with(cluster.client.clone(), &resource)
        }
    }
}
