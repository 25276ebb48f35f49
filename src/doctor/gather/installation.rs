//! Installations of Restraint, and what belongs to them.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service, Volume};
use kube::api::ListParams;
use kube::core::Selector;
use kube::{Api, ResourceExt};

use crate::cluster::NamespacedName;
use crate::doctor::facts::{Certificate, Fact, Facts, Installation, PolicyFiles};
use crate::doctor::hook;
use crate::doctor::options::Options;
use crate::policies::config_map;

use super::look_ups::LookUps;

/// What the chart labels everything with.
const LABEL: &str = "app.kubernetes.io/name=restraint";

/// The entry of a Secret with the certificate.
const CERTIFICATE: &str = "tls.crt";

/// The Services of the installations that are meant: those that our webhooks call, and those that
/// the chart made.
pub(super) async fn services(
    look_ups: &LookUps<'_>,
    facts: &Facts,
    options: &Options,
) -> BTreeSet<NamespacedName> {
    let called = hook::every(facts).filter(hook::Hook::is_ours).filter_map(|hook| hook.service());
    let api: Api<Service> = match &options.namespace {
        Some(namespace) => Api::namespaced(look_ups.client.clone(), namespace),
        None => Api::all(look_ups.client.clone()),
    };
    // if they may not be listed the webhooks tell
    let labelled =
        look_ups.list(&api, &ListParams::default().labels(LABEL)).await.unwrap_or_default();
    let labelled = labelled
        .into_iter()
        .filter_map(|service| Some(NamespacedName::new(service.namespace()?, service.name_any())));
    let is_meant = |service: &NamespacedName| {
        options.namespace.as_ref().is_none_or(|wanted| *wanted == service.namespace)
            && options.name.as_ref().is_none_or(|wanted| *wanted == service.name)
    };
    called.chain(labelled).filter(is_meant).collect()
}

/// What belongs to the installation with this Service.
pub(super) async fn look_up(
    look_ups: &LookUps<'_>,
    facts: &Facts,
    service: NamespacedName,
    options: &Options,
) -> Installation {
    let endpoints = facts.services.get(&service);
    let selector = endpoints
        .and_then(|endpoints| endpoints.as_ref().ok()?.as_ref())
        .and_then(|endpoints| endpoints.service.spec.as_ref()?.selector.clone())
        .unwrap_or_default();
    let namespace = &service.namespace;
    let (deployment, pods) = if selector.is_empty() {
        let unknown = endpoints.and_then(|endpoints| endpoints.as_ref().err().cloned());
        (Ok(None), unknown.map_or(Ok(None), Err))
    } else {
        let pods: Api<Pod> = Api::namespaced(look_ups.client.clone(), namespace);
        let of_service: Selector = selector.clone().into_iter().collect();
        (
            deployment(look_ups, namespace, &selector).await,
            look_ups.list(&pods, &ListParams::default().labels_from(&of_service)).await.map(Some),
        )
    };
    let budgets = look_ups
        .list(&Api::namespaced(look_ups.client.clone(), namespace), &ListParams::default())
        .await;
    let (certificate, policies) = (Err("it was not looked up".to_owned()), Ok(None));
    let mut installation =
        Installation { service, deployment, pods, budgets, certificate, policies };
    installation.certificate = certificate_of(look_ups, &installation, options).await;
    installation.policies = policies_of(look_ups, &installation).await;
    installation
}

/// The Deployment whose pods `selector` selects.
async fn deployment(
    look_ups: &LookUps<'_>,
    namespace: &str,
    selector: &BTreeMap<String, String>,
) -> Fact<Option<Deployment>> {
    let deployments: Api<Deployment> = Api::namespaced(look_ups.client.clone(), namespace);
    let is_selected = |deployment: &Deployment| {
        let template = deployment.spec.as_ref().map(|spec| &spec.template);
        let labels = template.and_then(|template| template.metadata.as_ref()?.labels.as_ref());
        labels.is_some_and(|labels| {
            selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        })
    };
    let deployments = look_ups.list(&deployments, &ListParams::default()).await?;
    Ok(deployments.into_iter().find(is_selected))
}

/// The certificate, without its key.
async fn certificate_of(
    look_ups: &LookUps<'_>,
    installation: &Installation,
    options: &Options,
) -> Fact<Certificate> {
    let known = options.tls_secret.clone().or_else(|| configured_secret(installation));
    let is_known = known.is_some();
    let NamespacedName { namespace, name } = &installation.service;
    let secret = known.unwrap_or_else(|| NamespacedName::new(namespace, format!("{name}-tls")));
    let secrets: Api<Secret> = Api::namespaced(look_ups.client.clone(), &secret.namespace);
    let found = look_ups.answer(secrets.get_opt(&secret.name)).await?;
    if found.is_none() && !is_known {
        return Err(format!("no Deployment names its Secret, and there is no Secret {secret}"));
    }
    let chain = found.and_then(|found| found.data?.remove(CERTIFICATE)).map(|text| text.0);
    Ok(Certificate { secret, chain })
}

/// The Secret that the Deployment names: by a flag if the service manages its own certificate, else
/// as a volume.
fn configured_secret(installation: &Installation) -> Option<NamespacedName> {
    if let Some(secret) = installation.flag("--tls-secret").and_then(|secret| secret.parse().ok()) {
        return Some(secret);
    }
    let volume = volume_at(installation, installation.flag("--tls-cert")?)?;
    let secret = volume.secret.as_ref()?.secret_name.clone()?;
    Some(NamespacedName::new(&installation.service.namespace, secret))
}

/// The policies as their ConfigMap has them.
async fn policies_of(
    look_ups: &LookUps<'_>,
    installation: &Installation,
) -> Fact<Option<PolicyFiles>> {
    if let Err(reason) = &installation.deployment {
        return Err(reason.clone());
    }
    let Some(config_map) = configured_config_map(installation) else { return Ok(None) };
    let maps: Api<ConfigMap> = Api::namespaced(look_ups.client.clone(), &config_map.namespace);
    let contents = match look_ups.answer(maps.get_opt(&config_map.name)).await? {
        Some(map) => config_map::contents(map).map_err(|error| error.to_string()),
        None => Err("the config map does not exist".to_owned()),
    };
    Ok(Some(PolicyFiles { config_map, contents }))
}

/// The ConfigMap that the Deployment names: by a flag if the service reads it, else as the volume
/// with the policies folder.
fn configured_config_map(installation: &Installation) -> Option<NamespacedName> {
    let named = installation.flag("--policies-config-map").and_then(|name| name.parse().ok());
    named.or_else(|| {
        let volume = volume_at(installation, installation.flag("--policies")?)?;
        let name = volume.config_map.as_ref()?.name.clone();
        Some(NamespacedName::new(&installation.service.namespace, name))
    })
}

/// The volume of the Deployment's pods in which they find `path`.
fn volume_at<'i>(installation: &'i Installation, path: &str) -> Option<&'i Volume> {
    let pod =
        installation.deployment.as_ref().ok()?.as_ref()?.spec.as_ref()?.template.spec.as_ref()?;
    let mut mounts =
        pod.containers.iter().flat_map(|container| container.volume_mounts.iter().flatten());
    let mount = mounts.find(|mount| {
        let within = path.strip_prefix(mount.mount_path.trim_end_matches('/'));
        within.is_some_and(|within| within.is_empty() || within.starts_with('/'))
    })?;
    pod.volumes.iter().flatten().find(|volume| volume.name == mount.name)
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{args, healthy};

    use super::*;

    #[test]
    fn the_deployment_names_the_secret() {
        let mut facts = healthy();
        assert_eq!(
            configured_secret(&facts.installations[0]),
            Some(NamespacedName::new("restraint", "serving"))
        );
        args(&mut facts, &["serve", "--tls=self", "--tls-secret=keys/pair"]);
        assert_eq!(
            configured_secret(&facts.installations[0]),
            Some(NamespacedName::new("keys", "pair"))
        );
        args(&mut facts, &["serve"]);
        assert_eq!(configured_secret(&facts.installations[0]), None);
    }

    #[test]
    fn the_deployment_names_the_config_map() {
        let mut facts = healthy();
        let named = |facts: &Facts| configured_config_map(&facts.installations[0]);
        assert_eq!(named(&facts), Some(NamespacedName::new("restraint", "restraint-policies")));
        args(&mut facts, &["serve", "--policies=/etc/restraint/policies"]);
        assert_eq!(named(&facts), Some(NamespacedName::new("restraint", "mounted")));
        args(&mut facts, &["serve", "--policies=/etc/restraint/policiesx"]);
        assert_eq!(named(&facts), None);
        args(&mut facts, &["serve"]);
        assert_eq!(named(&facts), None);
    }
}
