//! Which cluster a command works with, and the client for it.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use k8s_openapi::api::core::v1::Pod;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};

use crate::kube::name::is_dns_label;

use super::client::asking_once;
use super::error::{causes_message, error_message};

/// The longest wait for more of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Which cluster, and as whom.
#[derive(Clone, Debug, Default, Args)]
pub struct ClusterOptions {
    /// Kubeconfig file [default: those in KUBECONFIG, else ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// Which namespaces a command lists.
#[derive(Clone, Debug, Default, Args)]
pub struct NamespaceOptions {
    /// Namespace [default: the context's].
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// All namespaces.
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,
}

/// A client for a cluster, and the namespace that its user means.
#[derive(Clone)]
pub(crate) struct Cluster {
    /// The client, with the user's rights.
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

/// Runs what a command asks a cluster, on this thread.
///
/// # Errors
///
/// Those of `command`, and where no runtime can be started.
pub(crate) fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the async runtime cannot be started")?
        .block_on(command)
}

impl ClusterOptions {
    /// The cluster, and `namespace` in it, else the context's. Sends nothing yet.
    ///
    /// # Errors
    ///
    /// Where the kubeconfig cannot be read or used, or `namespace` cannot be a namespace's name.
    pub(crate) async fn connect(&self, namespace: Option<&str>) -> anyhow::Result<Cluster> {
        Cluster::of(self.config().await?, namespace)
    }

    /// A client that asks once and hands out what went wrong.
    ///
    /// # Errors
    ///
    /// Where the kubeconfig cannot be read or used.
    pub(crate) async fn client_asking_once(&self) -> anyhow::Result<Client> {
        asking_once(self.config().await?).map_err(|error| anyhow!(error_message(&error)))
    }

    async fn config(&self) -> anyhow::Result<Config> {
        let options =
            KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let Some(path) = &self.kubeconfig else {
            return Config::from_kubeconfig(&options)
                .await
                .map_err(|error| anyhow!(causes_message(&error)))
                .context("no kubeconfig can be used: name one with --kubeconfig or in KUBECONFIG");
        };
        let kubeconfig = Kubeconfig::read_from(path)
            .map_err(|error| anyhow!(causes_message(&error)))
            .with_context(|| format!("kubeconfig {path:?} cannot be read"))?;
        Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|error| anyhow!(causes_message(&error)))
            .with_context(|| format!("kubeconfig {path:?} cannot be used"))
    }
}

impl Cluster {
    /// The cluster of `config`, and `namespace` in it, else its own. Sends nothing yet.
    ///
    /// # Errors
    ///
    /// Where the client cannot be made, or `namespace` cannot be a namespace's name.
    pub(super) fn of(mut config: Config, namespace: Option<&str>) -> anyhow::Result<Self> {
        if let Some(name) = namespace.filter(|name| !is_dns_label(name)) {
            anyhow::bail!("{name:?} is not a valid namespace");
        }
        (config.read_timeout, config.reset_reader_on_write) = (Some(READ_TIMEOUT), true);
        let namespace = namespace.map_or_else(|| config.default_namespace.clone(), str::to_owned);
        let client = Client::try_from(config).map_err(|error| anyhow!(error_message(&error)))?;
        Ok(Self { client, namespace })
    }

    /// The version of Kubernetes.
    ///
    /// # Errors
    ///
    /// Where the API server does not answer.
    pub(crate) async fn version(&self) -> anyhow::Result<String> {
        match self.client.apiserver_version().await {
            Ok(info) => Ok(info.git_version),
            Err(kube::Error::Api(_)) => Ok("of an unknown version".to_owned()),
            Err(error) => Err(anyhow!("the cluster does not answer: {}", error_message(&error))),
        }
    }

    /// The pods of the namespace.
    pub(crate) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}
