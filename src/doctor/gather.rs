//! Looking things up. Whatever cannot be had leaves its reason, and nothing stops anything else.

mod installation;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use anyhow::bail;
use axum::http::Request;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde::de::DeserializeOwned;

use crate::cluster::{Cluster, complaint, list_all};
use crate::terminal::Progress;

use super::Options;
use super::facts::{Facts, FallbackPolicies, Place, Rights, Seen, Served, Version};
use super::hook;
use super::probe;

/// The metric that tells which gates are on.
const GATE: &str = "kubernetes_feature_enabled{";

/// The label by which a slice belongs to its Service.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// Looks everything up that the checks need.
///
/// # Errors
///
/// Where the cluster does not answer at all.
pub(super) async fn gather(cluster: &Cluster, options: &Options) -> anyhow::Result<Facts> {
    let look_ups = LookUps { client: &cluster.client, progress: &Progress::start("look-ups") };
    let version = match look_ups.client.apiserver_version().await {
        Ok(info) => Ok(Version::read(&info.git_version)),
        Err(error @ kube::Error::Api(_)) => Err(complaint(&error)),
        Err(error) => bail!("the cluster does not answer: {}", complaint(&error)),
    };
    let (
        mutating,
        validating,
        fallback,
        namespaces,
        nodes,
        resources,
        gates,
        rights,
        autoscalers,
        workloads,
    ) = tokio::join!(
        look_ups.every(),
        look_ups.every(),
        look_ups.fallback(),
        look_ups.every(),
        look_ups.every(),
        look_ups.resources(),
        look_ups.gates(),
        look_ups.rights(),
        look_ups.autoscalers(),
        workloads::look_up(&look_ups),
    );
    let (reloaders, followers) = workloads;
    let mut facts = Facts {
        now: Timestamp::now(),
        expiry_days: options.expiry_days,
        installations: Vec::new(),
        is_narrowed: options.namespace.is_some() || options.name.is_some(),
        mutating,
        validating,
        fallback,
        services: BTreeMap::new(),
        namespaces,
        nodes,
        version,
        resources,
        gates,
        rights,
        autoscalers,
        reloaders,
        followers,
        probe: None,
    };
    let ours = installation::places(&look_ups, &facts, options).await;
    let foreign = hook::foreign_and_closed(&facts).filter_map(|hook| hook.service());
    let places: BTreeSet<Place> = ours.iter().cloned().chain(foreign).collect();
    for place in places {
        let served = look_ups.served(&place).await;
        facts.services.insert(place, served);
    }
    for place in ours {
        let installation = installation::look_up(&look_ups, &facts, place, options).await;
        facts.installations.push(installation);
    }
    if options.probe {
        facts.probe = Some(probe::measure(cluster, &facts, options.probe_count).await);
    }
    Ok(facts)
}

/// How things are looked up.
struct LookUps<'c> {
    client: &'c Client,
    progress: &'c Progress,
}

impl LookUps<'_> {
    /// The answer, or why there is none.
    async fn seen<T>(&self, question: impl Future<Output = kube::Result<T>>) -> Seen<T> {
        let answer = question.await;
        self.progress.one_more();
        answer.map_err(|error| complaint(&error))
    }

    /// Every object of a kind.
    async fn every<K>(&self) -> Seen<Vec<K>>
    where
        K: kube::Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
    {
        self.list(&Api::all(self.client.clone()), &ListParams::default()).await
    }

    async fn list<K: Clone + DeserializeOwned + Debug>(
        &self,
        api: &Api<K>,
        parameters: &ListParams,
    ) -> Seen<Vec<K>> {
        self.seen(list_all(api, parameters)).await
    }

    async fn fallback(&self) -> Seen<FallbackPolicies> {
        let (policies, bindings) = tokio::join!(self.every(), self.every());
        Ok(FallbackPolicies { policies: policies?, bindings: bindings? })
    }

    async fn resources(&self) -> Seen<BTreeSet<String>> {
        let list = self.seen(self.client.list_core_api_resources("v1")).await?;
        Ok(list.resources.into_iter().map(|resource| resource.name).collect())
    }

    async fn gates(&self) -> Seen<BTreeMap<String, bool>> {
        let request =
            Request::get("/metrics").body(Vec::new()).map_err(|error| error.to_string())?;
        let text = self.seen(self.client.request_text(request)).await?;
        let gates = gates(&text);
        if gates.is_empty() {
            Err("the API server does not tell them".to_owned())
        } else {
            Ok(gates)
        }
    }

    async fn rights(&self) -> Seen<Rights> {
        let (cluster_roles, roles, cluster_role_bindings, role_bindings) =
            tokio::join!(self.every(), self.every(), self.every(), self.every());
        Ok(Rights {
            cluster_roles: cluster_roles?,
            roles: roles?,
            cluster_role_bindings: cluster_role_bindings?,
            role_bindings: role_bindings?,
        })
    }

    async fn autoscalers(&self) -> Seen<Option<Vec<String>>> {
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
            Err(error) => Err(complaint(&error)),
        }
    }

    async fn served(&self, (namespace, name): &Place) -> Seen<Option<Served>> {
        let services: Api<Service> = Api::namespaced(self.client.clone(), namespace);
        let Some(service) = self.seen(services.get_opt(name)).await? else { return Ok(None) };
        let slices: Api<EndpointSlice> = Api::namespaced(self.client.clone(), namespace);
        let slices = self
            .list(&slices, &ListParams::default().labels(&format!("{SERVICE_LABEL}={name}")))
            .await;
        Ok(Some(Served { service, slices }))
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
