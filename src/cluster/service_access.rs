//! The cluster as a service sees it, with rights of its own.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::client::asking_once;
use super::error::{causes_message, error_message};
use super::options::Cluster;

/// Where a pod finds its service account's token, unless it was told to have none.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Where a service finds its API server. A command's way there is [`super::ClusterOptions`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServiceAccess {
    /// Through a kubeconfig file.
    Kubeconfig(PathBuf),
    /// Through the pod's own service account.
    ServiceAccount,
}

impl ServiceAccess {
    /// The kubeconfig where one is named, else the service account where this runs in a pod.
    pub(crate) fn find(kubeconfig: Option<PathBuf>) -> Option<Self> {
        let in_cluster = || is_in_pod() && Path::new(TOKEN).exists();
        kubeconfig.map(Self::Kubeconfig).or_else(|| in_cluster().then_some(Self::ServiceAccount))
    }

    /// A client for it. Sends nothing yet.
    ///
    /// # Errors
    ///
    /// Where the kubeconfig or the service account's files cannot be used.
    pub(crate) async fn client(&self) -> anyhow::Result<Client> {
        Client::try_from(self.config().await?).map_err(|error| anyhow!(error_message(&error)))
    }

    /// The cluster as a command sees it, and `namespace` in it. Sends nothing yet.
    ///
    /// # Errors
    ///
    /// As [`Self::client`], and where `namespace` cannot be a namespace's name.
    pub(crate) async fn cluster(&self, namespace: Option<&str>) -> anyhow::Result<Cluster> {
        Cluster::of(self.config().await?, namespace)
    }

    /// A client that asks once: it hands out what went wrong instead of waiting and asking again.
    ///
    /// # Errors
    ///
    /// As [`Self::client`].
    pub(crate) async fn client_asking_once(&self) -> anyhow::Result<Client> {
        asking_once(self.config().await?).map_err(|error| anyhow!(error_message(&error)))
    }

    async fn config(&self) -> anyhow::Result<Config> {
        match self {
            Self::Kubeconfig(path) => {
                let kubeconfig =
                    Kubeconfig::read_from(path).map_err(|error| anyhow!(causes_message(&error)))?;
                Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
                    .await
                    .map_err(|error| anyhow!(causes_message(&error)))
            }
            Self::ServiceAccount => {
                Config::incluster().map_err(|error| anyhow!(causes_message(&error)))
            }
        }
    }
}

/// Whether this runs in a pod of a cluster, be it with a service account or without one.
pub(crate) fn is_in_pod() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}
