//! The cluster as its user sees it: through a kubeconfig, with the user's own rights.

mod secret_name;
mod service_access;

pub(crate) mod selector;
mod target;
mod workload;

use std::fmt::Debug;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde::de::DeserializeOwned;

pub use secret_name::SecretName;
pub use service_access::ServiceAccess;
#[cfg(test)]
pub(crate) use service_access::asking_once;

use crate::kube::name::is_dns_label;

pub use target::{Kind, Target, TargetError};
pub use workload::set_aside;

/// The longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most objects in one answer.
pub(crate) const PAGE: u32 = 500;

/// Which cluster, and as whom.
#[derive(Clone, Debug, Default, Args)]
pub struct Access {
    /// Kubeconfig file [default: those in KUBECONFIG, else ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// A namespace of a cluster.
#[derive(Clone)]
pub struct Cluster {
    /// The client, with the user's rights.
    pub client: Client,
    /// The namespace that the user means.
    pub namespace: String,
}

/// Runs a command's conversation with the cluster.
///
/// # Errors
///
/// Those of `conversation`, and where no runtime can be started.
pub fn converse<T>(conversation: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?
        .block_on(conversation)
}

impl Access {
    /// The cluster, and `namespace` in it, else the context's. Sends nothing yet.
    ///
    /// # Errors
    ///
    /// Where the kubeconfig cannot be read or used, or `namespace` is no name.
    pub async fn connect(&self, namespace: Option<&str>) -> anyhow::Result<Cluster> {
        if let Some(name) = namespace.filter(|name| !is_dns_label(name)) {
            anyhow::bail!("{name:?} is no namespace's name");
        }
        let options =
            KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let mut config = match &self.kubeconfig {
            Some(path) => {
                let kubeconfig = Kubeconfig::read_from(path)
                    .with_context(|| format!("kubeconfig {path:?} cannot be read"))?;
                Config::from_custom_kubeconfig(kubeconfig, &options)
                    .await
                    .with_context(|| format!("kubeconfig {path:?} cannot be used"))?
            }
            None => Config::from_kubeconfig(&options).await.context(
                "no kubeconfig can be used: name one with --kubeconfig or in KUBECONFIG",
            )?,
        };
        (config.read_timeout, config.reset_reader_on_write) = (Some(PATIENCE), true);
        let namespace = namespace.map_or_else(|| config.default_namespace.clone(), str::to_owned);
        Ok(Cluster { client: Client::try_from(config)?, namespace })
    }
}

impl Cluster {
    /// The pods of the namespace.
    pub fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

/// How often a list that became too old is begun again.
const ATTEMPTS: u8 = 3;

/// Everything that `parameters` select, page by page.
///
/// # Errors
///
/// Where a page cannot be had.
pub(crate) async fn list_all<K>(api: &Api<K>, parameters: &ListParams) -> kube::Result<Vec<K>>
where
    K: Clone + DeserializeOwned + Debug,
{
    let first = parameters.clone().limit(PAGE);
    let (mut next, mut found, mut attempts) = (first.clone(), Vec::new(), 1);
    loop {
        let page = match api.list(&next).await {
            Ok(page) => page,
            // the place where the list goes on was forgotten meanwhile
            Err(kube::Error::Api(status)) if status.code == 410 && attempts < ATTEMPTS => {
                attempts = attempts.saturating_add(1);
                found.clear();
                next.clone_from(&first);
                continue;
            }
            Err(error) => return Err(error),
        };
        found.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => next = first.clone().continue_token(&token),
            None => return Ok(found),
        }
    }
}

/// What the API server, or the way to it, said about a request that failed.
pub fn complaint(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        kube::Error::Api(status) => {
            format!("the API server answered {} {}", status.code, status.reason)
        }
        error => chain(error),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
        next = error.source();
    }
    text
}
