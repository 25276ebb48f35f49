//! Gathers facts. Where something cannot be looked up the reason stands in its place, and the rest
//! goes on.

mod installation;
mod look_ups;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use jiff::Timestamp;

use crate::cluster::error::error_message;
use crate::cluster::{Cluster, NamespacedName};
use crate::terminal::Progress;

use super::facts::{Fact, Facts, PodLabels, Version};
use super::options::Options;
use super::{hook, probe};
use look_ups::LookUps;

/// Looks up everything that the checks need.
///
/// # Errors
///
/// If the cluster does not answer at all.
pub(super) async fn gather(cluster: &Cluster, options: &Options) -> anyhow::Result<Facts> {
    let look_ups = LookUps { client: &cluster.client, progress: &Progress::start("look-ups") };
    let version = version(&look_ups).await?;
    let mut facts = cluster_facts(&look_ups, version, options).await;
    if hook::every(&facts).any(|hook| hook.is_ours() && hook.objects.is_some()) {
        facts.pods = look_ups.pods().await;
    }
    let ours = installation::services(&look_ups, &facts, options).await;
    let others = hook::foreign_and_closed(&facts).filter_map(|hook| hook.service());
    let services: BTreeSet<NamespacedName> = ours.iter().cloned().chain(others).collect();
    for service in services {
        let endpoints = look_ups.service(&service).await;
        facts.services.insert(service, endpoints);
    }
    for service in ours {
        let installation = installation::look_up(&look_ups, &facts, service, options).await;
        facts.installations.push(installation);
    }
    if options.probe {
        facts.probe = Some(probe::measure(cluster, &facts, options.probe_count).await);
    }
    Ok(facts)
}

async fn version(look_ups: &LookUps<'_>) -> anyhow::Result<Fact<Version>> {
    match look_ups.client.apiserver_version().await {
        Ok(info) => Ok(Ok(Version::read(&info.git_version))),
        Err(error @ kube::Error::Api(_)) => Ok(Err(error_message(&error))),
        Err(error) => bail!("the cluster does not answer: {}", error_message(&error)),
    }
}

/// What is known of the cluster as a whole.
async fn cluster_facts(look_ups: &LookUps<'_>, version: Fact<Version>, options: &Options) -> Facts {
    let (configurations, fallback, namespaces, nodes, api, rights, autoscalers, workloads) = tokio::join!(
        async { tokio::join!(look_ups.every(), look_ups.every()) },
        look_ups.fallback(),
        look_ups.every(),
        look_ups.every(),
        async { tokio::join!(look_ups.resources(), look_ups.gates()) },
        look_ups.rights(),
        look_ups.autoscalers(),
        workloads::look_up(look_ups),
    );
    let ((mutating, validating), (resources, gates)) = (configurations, api);
    let (reloaders, followers) = workloads;
    Facts {
        now: Timestamp::now(),
        expiry_days: options.expiry_days,
        installations: Vec::new(),
        is_narrowed: options.namespace.is_some() || options.name.is_some(),
        mutating,
        validating,
        fallback,
        services: BTreeMap::new(),
        namespaces,
        pods: Ok(PodLabels::new()),
        nodes,
        version,
        resources,
        gates,
        rights,
        autoscalers,
        reloaders,
        followers,
        probe: None,
    }
}
