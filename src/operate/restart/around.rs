//! What surrounds the pods of a workload, looked up before anything is judged.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use anyhow::anyhow;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::{ListParams, Request};
use kube::{Api, ResourceExt};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use crate::cluster::Cluster;
use crate::cluster::amounts::written;
use crate::cluster::error::error_message;
use crate::cluster::list::list_all;
use crate::cluster::pod_metrics::{ContainerMetrics, containers};
use crate::cluster::selector::selects;
use crate::cluster::target::Target;
use crate::kube::requests::Requests;
use crate::operate::keeper::Keeper;

/// How long the metrics API may take.
const METRICS: Duration = Duration::from_secs(5);

/// What surrounds pods. What may not be looked at is `None`.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    /// The pods of the same workload.
    pub(super) pods: Vec<Pod>,
    /// The disruption budgets of the namespace.
    pub(super) budgets: Option<Vec<Budget>>,
    /// The endpoint slices of the namespace.
    pub(super) slices: Option<Vec<EndpointSlice>>,
    /// What each pod uses.
    pub(super) usage: Option<BTreeMap<String, Requests>>,
}

/// A disruption budget.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    pub(super) name: String,
    /// How many pods may go now.
    pub(super) allowed: i32,
    selector: Option<LabelSelector>,
}

impl Around {
    /// Looks at what surrounds the pods of `keeper`.
    ///
    /// # Errors
    ///
    /// Where its pods cannot be listed.
    pub(super) async fn look(cluster: &Cluster, keeper: &Keeper) -> anyhow::Result<Self> {
        let (pods, budgets, slices, usage) = tokio::join!(
            pods(cluster, keeper),
            listed::<PodDisruptionBudget>(cluster),
            listed::<EndpointSlice>(cluster),
            usage(cluster)
        );
        let budgets = budgets.map(|budgets| budgets.into_iter().map(Budget::of).collect());
        Ok(Self { pods: pods?, budgets, slices, usage })
    }

    /// The other pods of the workload that are not on their way out.
    pub(super) fn siblings_of(&self, pod: &Pod) -> impl Iterator<Item = &Pod> {
        let own = pod.metadata.name.clone();
        self.pods.iter().filter(move |other| {
            other.metadata.name != own && other.metadata.deletion_timestamp.is_none()
        })
    }

    /// The pod of this name as it is now.
    pub(super) fn pod(&self, name: &str) -> Option<&Pod> {
        self.pods.iter().find(|pod| pod.metadata.name.as_deref() == Some(name))
    }
}

impl Budget {
    pub(super) fn of(budget: PodDisruptionBudget) -> Self {
        Self {
            name: budget.name_any(),
            allowed: budget
                .status
                .and_then(|status| status.disruptions_allowed)
                .unwrap_or_default(),
            selector: budget.spec.and_then(|spec| spec.selector),
        }
    }

    /// Whether `pod` counts for it.
    pub(super) fn covers(&self, pod: &Pod) -> bool {
        let none = BTreeMap::new();
        let labels = pod.metadata.labels.as_ref().unwrap_or(&none);
        self.selector.as_ref().is_some_and(|selector| selects(selector, labels))
    }
}

/// The pods that `keeper` keeps; a pod that nobody keeps is alone.
async fn pods(cluster: &Cluster, keeper: &Keeper) -> anyhow::Result<Vec<Pod>> {
    let of_operator = operator_of(keeper);
    let target = Target::parse(&[keeper.target()]).ok().filter(|_| of_operator.is_none());
    if let Some(target) = target {
        return cluster.pods_of(&target).await;
    }
    let uid = of_operator.unwrap_or(&keeper.uid);
    let all: Vec<Pod> = list_all(&cluster.pods(), &ListParams::default())
        .await
        .map_err(|error| anyhow!("pods cannot be listed: {}", error_message(&error)))?;
    Ok(all.into_iter().filter(|pod| controller_of(pod) == Some(uid)).collect())
}

/// The UID of the controller of a pod that is of a kind that is not known here.
fn operator_of(keeper: &Keeper) -> Option<&str> {
    let object = keeper.object.as_ref().filter(|_| keeper.is_pod() && keeper.operator.is_some())?;
    let owners = object.value().pointer("/metadata/ownerReferences")?.as_array()?;
    let is_controller = |one: &&Value| one.get("controller").and_then(Value::as_bool) == Some(true);
    owners.iter().find(is_controller)?.get("uid")?.as_str()
}

/// The UID of the pod's controller.
pub(super) fn controller_of(pod: &Pod) -> Option<&str> {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.as_str())
}

async fn listed<K>(cluster: &Cluster) -> Option<Vec<K>>
where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + DeserializeOwned + Debug,
{
    let api = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    list_all(&api, &ListParams::default()).await.ok()
}

#[derive(Deserialize)]
struct Measured {
    items: Vec<PodMetrics>,
}

/// A `PodMetrics` of `metrics.k8s.io/v1beta1`.
#[derive(Deserialize)]
struct PodMetrics {
    metadata: Named,
    #[serde(default, deserialize_with = "containers")]
    containers: Vec<ContainerMetrics>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

async fn usage(cluster: &Cluster) -> Option<BTreeMap<String, Requests>> {
    let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods", cluster.namespace);
    let request = Request::new(path).list(&ListParams::default()).ok()?;
    let text = timeout(METRICS, cluster.client.request_text(request)).await.ok()?.ok()?;
    read_usage(&text)
}

fn read_usage(json: &str) -> Option<BTreeMap<String, Requests>> {
    let measured: Measured = serde_json::from_str(json).ok()?;
    // a pod of which one container cannot be told is not measured: it would seem to use less
    let total = |pod: PodMetrics| {
        let mut each = pod.containers.iter().map(|one| written(&one.usage));
        let sum = each.try_fold(Requests::default(), |sum, one| Some(sum.plus(one?.or_none())));
        Some((pod.metadata.name, sum?))
    };
    Some(measured.items.into_iter().filter_map(total).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_of_a_pod_are_measured_together() {
        let usage = read_usage(
            r#"{"kind": "PodMetricsList", "items": [{"metadata": {"name": "db-0"}, "containers": [
                {"name": "app", "usage": {"cpu": "250m", "memory": "100Mi"}},
                {"name": "side", "usage": {"cpu": "12345678n", "memory": "1024Ki"}}]}]}"#,
        )
        .unwrap();
        let used = usage.get("db-0").unwrap();
        assert_eq!((used.cpu, used.memory), (263, 101 << 20));
        let usage = read_usage(
            r#"{"items": [{"metadata": {"name": "starting"}, "containers": null},
                {"metadata": {"name": "odd"}, "containers": [{"name": "app", "usage": {"memory": "1Gi"}}, {"name": "side", "usage": {"memory": "much"}}]}]}"#,
        )
        .unwrap();
        assert!(usage.contains_key("starting") && !usage.contains_key("odd"));
        assert!(read_usage("{}").is_none() && read_usage("404").is_none());
    }
}
