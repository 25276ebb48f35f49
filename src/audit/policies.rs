//! The policies and the cap that an audit judges by: those that were named, else those of the
//! installation in the cluster, else those built in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, ListParams};

use crate::cluster::error::error_message;
use crate::cluster::installation::{self, OURS, PolicySource};
use crate::cluster::list::list_all;
use crate::cluster::{Cluster, NamespacedName};
use crate::judge::mode::Cap;
use crate::judge::policies::Policies;
use crate::policies::folder::Folder;

use super::report::Missing;

/// What is judged by.
pub(super) struct Chosen {
    pub(super) policies: Policies,
    /// Where the policies are from, in words.
    pub(super) from: String,
    /// The Service of the installation whose policies or cap they are.
    pub(super) installation: Option<String>,
    /// What of the installation is not known.
    pub(super) missing: Vec<Missing>,
}

/// An installation, as far as it matters here.
struct Installed {
    service: NamespacedName,
    deployment: Deployment,
}

impl Chosen {
    /// Those that were named, and for the rest those that the cluster has.
    ///
    /// # Errors
    ///
    /// Where the policies that were named are faulty.
    pub(super) async fn of(
        cluster: &Cluster,
        folder: Option<&PathBuf>,
        cap: Option<Cap>,
    ) -> anyhow::Result<Self> {
        let named = match folder {
            Some(path) => Some(Policies::read(Folder::new(path.clone()).read()?)?),
            None => None,
        };
        let what = match (&named, cap) {
            (Some(_), Some(_)) => "",
            (Some(_), None) => "the cap of the installation",
            (None, Some(_)) => "the policies of the installation",
            (None, None) => "the policies and the cap of the installation",
        };
        let mut missing = Vec::new();
        let mut miss = |what: &str, why: String, instead: String| {
            missing.push(Missing::gap(what, format!("{why}; used instead: {instead}")));
        };
        let fallback_cap = cap.unwrap_or_default();
        let instead = match &named {
            Some(_) => format!("cap {fallback_cap}"),
            None => format!("those built in, cap {fallback_cap}"),
        };
        let installed = if what.is_empty() { Ok(None) } else { find(cluster).await };
        let installed = installed.unwrap_or_else(|why| {
            miss(what, why, instead);
            None
        });
        let in_force = installed.as_ref().map(|one| installation::cap(&one.deployment));
        let cap = cap.or(in_force).unwrap_or_default();
        let (policies, from) = match (named, &installed) {
            (Some(policies), _) => {
                (policies, folder.map(|path| path.display().to_string()).unwrap_or_default())
            }
            (None, Some(installed)) => installed.policies(cluster).await.unwrap_or_else(|why| {
                miss("the policies of the installation", why, BUILT_IN.to_owned());
                (Policies::embedded(), BUILT_IN.to_owned())
            }),
            (None, None) => (Policies::embedded(), BUILT_IN.to_owned()),
        };
        let policies = policies.under(cap).with_whole_messages();
        let installation = installed.map(|installed| installed.service.to_string());
        Ok(Self { policies, from, installation, missing })
    }
}

/// Where policies are from that no file says.
const BUILT_IN: &str = "built in";

impl Installed {
    /// Its policies and where they are, or why they are not known.
    async fn policies(&self, cluster: &Cluster) -> Result<(Policies, String), String> {
        let name = match PolicySource::of(&self.deployment, &self.service.namespace) {
            PolicySource::BuiltIn => return Ok((Policies::embedded(), BUILT_IN.to_owned())),
            PolicySource::Folder(folder) => {
                return Err(format!("{folder:?} of its pods is no ConfigMap"));
            }
            PolicySource::ConfigMap(name) => name,
        };
        let from = format!("ConfigMap {name}");
        let files = installation::policy_files(&cluster.client, name).await;
        let files = files.map_err(|error| error_message(&error))?;
        let contents = files.contents.map_err(|reason| format!("{from}: {reason}"))?;
        let policies = Policies::read(contents).map_err(|errors| {
            format!("{from}: {}", errors.to_string().lines().collect::<Vec<_>>().join("; "))
        })?;
        Ok((policies, from))
    }
}

/// The installation in the cluster, or why it is not known which there is.
async fn find(cluster: &Cluster) -> Result<Option<Installed>, String> {
    let called = called_services(cluster).await;
    let services = match &called {
        Ok(called) if !called.is_empty() => called.clone(),
        // a chart without webhooks, or webhooks that may not be listed
        _ => match (installation::labelled_services(&cluster.client, None).await, &called) {
            (Ok(labelled), _) => labelled,
            (Err(_), Ok(_)) => BTreeSet::new(),
            (Err(error), Err(_)) => return Err(error_message(&error)),
        },
    };
    let mut found = BTreeMap::new();
    for service in &services {
        let deployment = deployment(cluster, service).await?;
        if let Some(deployment) = deployment.filter(installation::serves) {
            found.insert(service.clone(), deployment);
        }
    }
    let names = |names: Vec<&NamespacedName>| {
        names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    if found.len() > 1 {
        let names = names(found.keys().collect());
        return Err(format!("there are several ({names}): say --policies and --cap"));
    }
    if found.is_empty() && called.is_ok_and(|called| !called.is_empty()) {
        return Err(format!(
            "no Deployment is behind Service {}",
            names(services.iter().collect())
        ));
    }
    Ok(found.pop_first().map(|(service, deployment)| Installed { service, deployment }))
}

/// The Services that Restraint's own webhooks call.
async fn called_services(cluster: &Cluster) -> kube::Result<BTreeSet<NamespacedName>> {
    let every = ListParams::default();
    let validating: Api<ValidatingWebhookConfiguration> = Api::all(cluster.client.clone());
    let mutating: Api<MutatingWebhookConfiguration> = Api::all(cluster.client.clone());
    let (validating, mutating) =
        (list_all(&validating, &every).await?, list_all(&mutating, &every).await?);
    let validating = validating.iter().flat_map(|one| one.webhooks.iter().flatten());
    let mutating = mutating.iter().flat_map(|one| one.webhooks.iter().flatten());
    let hooks = validating
        .map(|hook| (&hook.name, &hook.client_config))
        .chain(mutating.map(|hook| (&hook.name, &hook.client_config)));
    let ours = hooks.filter(|(name, _)| name.ends_with(OURS));
    Ok(ours.filter_map(|(_, client)| installation::service(client)).collect())
}

/// The Deployment behind a Service.
async fn deployment(
    cluster: &Cluster,
    service: &NamespacedName,
) -> Result<Option<Deployment>, String> {
    let NamespacedName { namespace, name } = service;
    let services: Api<Service> = Api::namespaced(cluster.client.clone(), namespace);
    let service = services.get_opt(name).await.map_err(|error| error_message(&error))?;
    let selector = service.and_then(|service| service.spec?.selector).unwrap_or_default();
    if selector.is_empty() {
        return Ok(None);
    }
    let deployment = installation::deployment(&cluster.client, namespace, &selector).await;
    deployment.map_err(|error| error_message(&error))
}
