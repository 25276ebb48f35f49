//! Installations of Restraint, and what belongs to them.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::Api;
use kube::api::ListParams;
use kube::core::Selector;

use crate::cluster::NamespacedName;
use crate::cluster::installation::{self, PolicySource};
use crate::doctor::facts::{Certificate, Fact, Facts, Installation, PolicyFiles};
use crate::doctor::hook;
use crate::doctor::options::Options;

use super::look_ups::LookUps;

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
    let labelled = installation::labelled_services(look_ups.client, options.namespace.as_deref());
    // if they may not be listed the webhooks tell
    let labelled = look_ups.answer(labelled).await.unwrap_or_default();
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
            look_ups.answer(installation::deployment(look_ups.client, namespace, &selector)).await,
            look_ups.list(&pods, &ListParams::default().labels_from(&of_service)).await.map(Some),
        )
    };
    let budgets = look_ups
        .list(&Api::namespaced(look_ups.client.clone(), namespace), &ListParams::default())
        .await;
    let (certificate, policies) = (Err("it was not looked up".to_owned()), Ok(None));
    let mut installed = Installation { service, deployment, pods, budgets, certificate, policies };
    installed.certificate = certificate_of(look_ups, &installed, options).await;
    installed.policies = policies_of(look_ups, &installed).await;
    installed
}

/// The certificate, without its key.
async fn certificate_of(
    look_ups: &LookUps<'_>,
    installed: &Installation,
    options: &Options,
) -> Fact<Certificate> {
    let known = options.tls_secret.clone().or_else(|| configured_secret(installed));
    let is_known = known.is_some();
    let NamespacedName { namespace, name } = &installed.service;
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
fn configured_secret(installed: &Installation) -> Option<NamespacedName> {
    if let Some(secret) = installed.flag("--tls-secret").and_then(|secret| secret.parse().ok()) {
        return Some(secret);
    }
    let volume = installation::volume_at(installed.deployment()?, installed.flag("--tls-cert")?)?;
    let secret = volume.secret.as_ref()?.secret_name.clone()?;
    Some(NamespacedName::new(&installed.service.namespace, secret))
}

/// The policies as their ConfigMap has them.
async fn policies_of(
    look_ups: &LookUps<'_>,
    installed: &Installation,
) -> Fact<Option<PolicyFiles>> {
    if let Err(reason) = &installed.deployment {
        return Err(reason.clone());
    }
    let Some(PolicySource::ConfigMap(config_map)) = installed.policy_source() else {
        return Ok(None);
    };
    look_ups.answer(installation::policy_files(look_ups.client, config_map)).await.map(Some)
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
        let named = |facts: &Facts| facts.installations[0].policy_source().unwrap();
        let map = |name: &str| PolicySource::ConfigMap(NamespacedName::new("restraint", name));
        assert_eq!(named(&facts), map("restraint-policies"));
        args(&mut facts, &["serve", "--policies=/etc/restraint/policies"]);
        assert_eq!(named(&facts), map("mounted"));
        args(&mut facts, &["serve", "--policies=/etc/restraint/policiesx"]);
        assert_eq!(named(&facts), PolicySource::Folder("/etc/restraint/policiesx".to_owned()));
        args(&mut facts, &["serve"]);
        assert_eq!(named(&facts), PolicySource::BuiltIn);
    }
}
