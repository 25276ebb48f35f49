//! Where Restraint is installed, and what belongs to it.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use kube::api::ListParams;
use kube::core::Selector;
use kube::{Api, ResourceExt};

use crate::doctor::Options;
use crate::doctor::facts::{Certificate, Facts, Installation, Place, Seen};
use crate::doctor::hook;

use super::LookUps;

/// What the chart labels everything with.
const LABEL: &str = "app.kubernetes.io/name=restraint";

/// The entry of a Secret with the certificate.
const CERTIFICATE: &str = "tls.crt";

/// The Services of the installations that are meant: those that hooks of ours lead to, and those
/// the chart made.
pub(super) async fn places(
    look_ups: &LookUps<'_>,
    facts: &Facts,
    options: &Options,
) -> BTreeSet<Place> {
    let hooked = hook::every(facts).filter(hook::Hook::is_ours).filter_map(|hook| hook.service());
    let api: Api<Service> = match &options.namespace {
        Some(namespace) => Api::namespaced(look_ups.client.clone(), namespace),
        None => Api::all(look_ups.client.clone()),
    };
    // where they may not be listed the hooks tell
    let labelled =
        look_ups.list(&api, &ListParams::default().labels(LABEL)).await.unwrap_or_default();
    let labelled =
        labelled.into_iter().filter_map(|service| Some((service.namespace()?, service.name_any())));
    let is_meant = |(namespace, name): &Place| {
        options.namespace.as_ref().is_none_or(|wanted| wanted == namespace)
            && options.name.as_ref().is_none_or(|wanted| wanted == name)
    };
    hooked.chain(labelled).filter(is_meant).collect()
}

/// What belongs to the installation with this Service.
pub(super) async fn look_up(
    look_ups: &LookUps<'_>,
    facts: &Facts,
    (namespace, name): Place,
    options: &Options,
) -> Installation {
    let served = facts.services.get(&(namespace.clone(), name.clone()));
    let service =
        served.and_then(|served| served.as_ref().ok()?.as_ref()).map(|served| &served.service);
    let selector =
        service.and_then(|service| service.spec.as_ref()?.selector.clone()).unwrap_or_default();
    let (deployment, pods) = if selector.is_empty() {
        let unseen = served.and_then(|served| served.as_ref().err().cloned());
        (Ok(None), unseen.map_or(Ok(None), Err))
    } else {
        let deployments: Api<Deployment> = Api::namespaced(look_ups.client.clone(), &namespace);
        let is_selected = |deployment: &Deployment| {
            let labels = deployment
                .spec
                .as_ref()
                .and_then(|spec| spec.template.metadata.as_ref()?.labels.as_ref());
            labels.is_some_and(|labels| {
                selector.iter().all(|(key, value)| labels.get(key) == Some(value))
            })
        };
        let deployments = look_ups.list(&deployments, &ListParams::default()).await;
        let deployment = deployments.map(|deployments| deployments.into_iter().find(is_selected));
        let pods: Api<Pod> = Api::namespaced(look_ups.client.clone(), &namespace);
        let selector: Selector = selector.clone().into_iter().collect();
        (
            deployment,
            look_ups.list(&pods, &ListParams::default().labels_from(&selector)).await.map(Some),
        )
    };
    let budgets = look_ups
        .list(&Api::namespaced(look_ups.client.clone(), &namespace), &ListParams::default())
        .await;
    let mut installation = Installation {
        namespace,
        name,
        deployment,
        pods,
        budgets,
        certificate: Err("it was not looked for".to_owned()),
    };
    installation.certificate = certificate(look_ups, &installation, options).await;
    installation
}

/// The certificate, without its key.
async fn certificate(
    look_ups: &LookUps<'_>,
    installation: &Installation,
    options: &Options,
) -> Seen<Certificate> {
    let known = match &options.tls_secret {
        Some(secret) => Some((secret.namespace.clone(), secret.name.clone())),
        None => named(installation),
    };
    let is_known = known.is_some();
    let secret = known
        .unwrap_or_else(|| (installation.namespace.clone(), format!("{}-tls", installation.name)));
    let secrets: Api<Secret> = Api::namespaced(look_ups.client.clone(), &secret.0);
    let found = look_ups.seen(secrets.get_opt(&secret.1)).await?;
    if found.is_none() && !is_known {
        return Err(format!(
            "no Deployment names its Secret, and there is no Secret {}/{}",
            secret.0, secret.1
        ));
    }
    let chain = found.and_then(|found| found.data?.remove(CERTIFICATE)).map(|text| text.0);
    Ok(Certificate { secret, chain })
}

/// The Secret that the Deployment names: by a flag where the service keeps its own certificates,
/// else as a volume.
fn named(installation: &Installation) -> Option<Place> {
    if let Some((namespace, name)) =
        installation.flag("--tls-secret").and_then(|place| place.split_once('/'))
    {
        return Some((namespace.to_owned(), name.to_owned()));
    }
    let certificate = installation.flag("--tls-cert")?;
    let pod =
        installation.deployment.as_ref().ok()?.as_ref()?.spec.as_ref()?.template.spec.as_ref()?;
    let mounts =
        pod.containers.iter().flat_map(|container| container.volume_mounts.iter().flatten());
    let mount = mounts.into_iter().find(|mount| {
        certificate.starts_with(&format!("{}/", mount.mount_path.trim_end_matches('/')))
    })?;
    let volume = pod.volumes.iter().flatten().find(|volume| volume.name == mount.name)?;
    Some((installation.namespace.clone(), volume.secret.as_ref()?.secret_name.clone()?))
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{args, healthy};

    use super::*;

    #[test]
    fn the_deployment_names_the_secret() {
        let mut facts = healthy();
        assert_eq!(
            named(&facts.installations[0]),
            Some(("restraint".to_owned(), "serving".to_owned()))
        );
        args(&mut facts, &["serve", "--tls=self", "--tls-secret=keys/pair"]);
        assert_eq!(named(&facts.installations[0]), Some(("keys".to_owned(), "pair".to_owned())));
        args(&mut facts, &["serve"]);
        assert_eq!(named(&facts.installations[0]), None);
    }
}
