//! One question to the API server each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use axum::http::Request;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{ApiResource, DynamicObject, ListParams, PartialObjectMeta};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde::de::DeserializeOwned;

use crate::cluster::NamespacedName;
use crate::cluster::error::error_message;
use crate::cluster::list::{list_all, list_metadata};
use crate::doctor::facts::{Fact, FallbackPolicies, PodLabels, Rights, ServiceEndpoints};
use crate::terminal::Progress;

/// The metric that tells which gates are on.
const GATE: &str = "kubernetes_feature_enabled{";

/// The label by which a slice belongs to its Service.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// How facts are looked up, with a count of those that are.
pub(super) struct LookUps<'c> {
    pub(super) client: &'c Client,
    pub(super) progress: &'c Progress,
}

impl LookUps<'_> {
    /// The answer, or why there is none.
    pub(super) async fn answer<T>(
        &self,
        question: impl Future<Output = kube::Result<T>>,
    ) -> Fact<T> {
        let answer = question.await;
        self.progress.one_more();
        answer.map_err(|error| error_message(&error))
    }

    /// Every object of a kind.
    pub(super) async fn every<K>(&self) -> Fact<Vec<K>>
    where
        K: kube::Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
    {
        self.list(&Api::all(self.client.clone()), &ListParams::default()).await
    }

    pub(super) async fn list<K: Clone + DeserializeOwned + Debug>(
        &self,
        api: &Api<K>,
        parameters: &ListParams,
    ) -> Fact<Vec<K>> {
        self.answer(list_all(api, parameters)).await
    }

    /// The labels of every pod.
    pub(super) async fn pods(&self) -> Fact<PodLabels> {
        let api: Api<Pod> = Api::all(self.client.clone());
        let labels = |pod: PartialObjectMeta<Pod>| {
            Some((pod.metadata.namespace?, pod.metadata.labels.unwrap_or_default()))
        };
        let every = ListParams::default();
        let listed = list_metadata(&api, &every, labels);
        let mut pods = PodLabels::new();
        for (namespace, labels) in self.answer(listed).await? {
            pods.entry(namespace).or_default().push(labels);
        }
        Ok(pods)
    }

    pub(super) async fn fallback(&self) -> Fact<FallbackPolicies> {
        let (policies, bindings) = tokio::join!(self.every(), self.every());
        Ok(FallbackPolicies { policies: policies?, bindings: bindings? })
    }

    pub(super) async fn resources(&self) -> Fact<BTreeSet<String>> {
        let list = self.answer(self.client.list_core_api_resources("v1")).await?;
        Ok(list.resources.into_iter().map(|resource| resource.name).collect())
    }

    pub(super) async fn gates(&self) -> Fact<BTreeMap<String, bool>> {
        let request =
            Request::get("/metrics").body(Vec::new()).map_err(|error| error.to_string())?;
        let text = self.answer(self.client.request_text(request)).await?;
        let gates = gates(&text);
        if gates.is_empty() {
            Err("the API server does not report them".to_owned())
        } else {
            Ok(gates)
        }
    }

    pub(super) async fn rights(&self) -> Fact<Rights> {
        let (cluster_roles, roles, cluster_role_bindings, role_bindings) =
            tokio::join!(self.every(), self.every(), self.every(), self.every());
        Ok(Rights {
            cluster_roles: cluster_roles?,
            roles: roles?,
            cluster_role_bindings: cluster_role_bindings?,
            role_bindings: role_bindings?,
        })
    }

    pub(super) async fn autoscalers(&self) -> Fact<Option<Vec<String>>> {
        let kind = GroupVersionKind::gvk("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler");
        let api: Api<DynamicObject> =
            Api::all_with(self.client.clone(), &ApiResource::from_gvk(&kind));
        let list = list_all(&api, &ListParams::default()).await;
        self.progress.one_more();
        match list {
            Ok(list) => Ok(Some(
                list.iter().filter_map(|object| serde_json::to_string(object).ok()).collect(),
            )),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error_message(&error)),
        }
    }

    /// A Service and its endpoints; `None` where there is none.
    pub(super) async fn service(&self, name: &NamespacedName) -> Fact<Option<ServiceEndpoints>> {
        let NamespacedName { namespace, name } = name;
        let services: Api<Service> = Api::namespaced(self.client.clone(), namespace);
        let Some(service) = self.answer(services.get_opt(name)).await? else { return Ok(None) };
        let slices: Api<EndpointSlice> = Api::namespaced(self.client.clone(), namespace);
        let slices = self
            .list(&slices, &ListParams::default().labels(&format!("{SERVICE_LABEL}={name}")))
            .await;
        Ok(Some(ServiceEndpoints { service, slices }))
    }
}

/// Which gates are on, in the text of the API server's metrics.
fn gates(text: &str) -> BTreeMap<String, bool> {
    let gate = |line: &str| {
        let (labels, value) = line.strip_prefix(GATE)?.rsplit_once("} ")?;
        let (name, _) = labels.split_once("name=\"")?.1.split_once('"')?;
        Some((name.to_owned(), value.trim() == "1"))
    };
    text.lines().filter_map(gate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_read_from_the_metrics() {
        let text = "# HELP kubernetes_feature_enabled [BETA] This metric records the data about the stage\n\
            # TYPE kubernetes_feature_enabled gauge\n\
            kubernetes_feature_enabled{name=\"PodLevelResources\",stage=\"BETA\"} 1\n\
            kubernetes_feature_enabled{name=\"InPlacePodVerticalScaling\",stage=\"\"} 0\n\
            kubernetes_feature_enabled_total{name=\"a\"} 1\n";
        let expected = [
            ("InPlacePodVerticalScaling".to_owned(), false),
            ("PodLevelResources".to_owned(), true),
        ];
        assert_eq!(gates(text), BTreeMap::from(expected));
    }
}
