//! Installations of Restraint in a cluster: how they are found, the flags of their Deployments, and
//! the policies that they judge by.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::admissionregistration::v1::WebhookClientConfig;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, PodSpec, Service, Volume};
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};

use crate::judge::mode::Cap;
use crate::policies::config_map;

use super::NamespacedName;
use super::flag::flag_value;
use super::list::list_all;

/// How the names of Restraint's own webhooks end.
pub(crate) const OURS: &str = ".restraint.dev";

/// What the chart labels everything with.
const LABEL: &str = "app.kubernetes.io/name=restraint";

/// Where an installation has its policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PolicySource {
    /// They are those built in.
    BuiltIn,
    /// In this ConfigMap.
    ConfigMap(NamespacedName),
    /// In a folder that is no ConfigMap.
    Folder(String),
}

/// The policy files of an installation, as their ConfigMap has them.
#[derive(Clone, Debug)]
pub struct PolicyFiles {
    /// The ConfigMap.
    pub config_map: NamespacedName,
    /// Names and texts, or why there are none.
    pub contents: Result<BTreeMap<String, String>, String>,
}

/// The Service that a webhook calls; `None` if it calls a URL.
pub(crate) fn service(client: &WebhookClientConfig) -> Option<NamespacedName> {
    let service = client.service.as_ref()?;
    Some(NamespacedName::new(&service.namespace, &service.name))
}

/// The Services that the chart made, of one namespace or of all.
///
/// # Errors
///
/// Where they may not be listed.
pub(crate) async fn labelled_services(
    client: &Client,
    namespace: Option<&str>,
) -> kube::Result<BTreeSet<NamespacedName>> {
    let api: Api<Service> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let services = list_all(&api, &ListParams::default().labels(LABEL)).await?;
    let name =
        |service: Service| Some(NamespacedName::new(service.namespace()?, service.name_any()));
    Ok(services.into_iter().filter_map(name).collect())
}

/// The Deployment whose pods `selector` selects.
///
/// # Errors
///
/// Where Deployments may not be listed.
pub(crate) async fn deployment(
    client: &Client,
    namespace: &str,
    selector: &BTreeMap<String, String>,
) -> kube::Result<Option<Deployment>> {
    let api: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let is_selected = |deployment: &Deployment| {
        let template = deployment.spec.as_ref().map(|spec| &spec.template);
        let labels = template.and_then(|template| template.metadata.as_ref()?.labels.as_ref());
        labels.is_some_and(|labels| {
            selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        })
    };
    Ok(list_all(&api, &ListParams::default()).await?.into_iter().find(is_selected))
}

/// The policy files in `config_map`.
///
/// # Errors
///
/// Where it may not be read.
pub(crate) async fn policy_files(
    client: &Client,
    config_map: NamespacedName,
) -> kube::Result<PolicyFiles> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), &config_map.namespace);
    let contents = match api.get_opt(&config_map.name).await? {
        Some(map) => config_map::contents(map).map_err(|error| error.to_string()),
        None => Err("the config map does not exist".to_owned()),
    };
    Ok(PolicyFiles { config_map, contents })
}

/// The value of a flag of `restraint serve`, where the Deployment gives it.
pub(crate) fn flag<'d>(deployment: &'d Deployment, flag: &str) -> Option<&'d str> {
    let containers = &pod(deployment)?.containers;
    containers
        .iter()
        .find_map(|container| flag_value(container.args.as_deref().unwrap_or_default(), flag))
}

/// Whether its pods serve reviews.
pub(crate) fn serves(deployment: &Deployment) -> bool {
    let containers = pod(deployment).map(|pod| pod.containers.as_slice()).unwrap_or_default();
    let mut arguments = containers.iter().flat_map(|container| container.args.iter().flatten());
    arguments.any(|argument| argument == "serve")
}

/// The cap that the Deployment gives.
pub(crate) fn cap(deployment: &Deployment) -> Cap {
    flag(deployment, "--cap").and_then(|cap| cap.parse().ok()).unwrap_or_default()
}

/// The volume of the Deployment's pods in which they find `path`.
pub(crate) fn volume_at<'d>(deployment: &'d Deployment, path: &str) -> Option<&'d Volume> {
    let pod = pod(deployment)?;
    let mut mounts =
        pod.containers.iter().flat_map(|container| container.volume_mounts.iter().flatten());
    let mount = mounts.find(|mount| {
        let within = path.strip_prefix(mount.mount_path.trim_end_matches('/'));
        within.is_some_and(|within| within.is_empty() || within.starts_with('/'))
    })?;
    pod.volumes.iter().flatten().find(|volume| volume.name == mount.name)
}

impl PolicySource {
    /// Where a Deployment of `namespace` says they are: by a flag if the service reads a ConfigMap,
    /// else by the volume with the policies folder.
    pub(crate) fn of(deployment: &Deployment, namespace: &str) -> Self {
        let named = flag(deployment, "--policies-config-map").and_then(|name| name.parse().ok());
        match (named, flag(deployment, "--policies")) {
            (Some(name), _) => Self::ConfigMap(name),
            (None, Some(folder)) => {
                let mounted = volume_at(deployment, folder).and_then(|volume| {
                    Some(NamespacedName::new(namespace, &volume.config_map.as_ref()?.name))
                });
                mounted.map_or_else(|| Self::Folder(folder.to_owned()), Self::ConfigMap)
            }
            (None, None) => Self::BuiltIn,
        }
    }
}

fn pod(deployment: &Deployment) -> Option<&PodSpec> {
    deployment.spec.as_ref()?.template.spec.as_ref()
}
