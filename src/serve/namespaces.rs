//! The labels of namespaces, followed through the API server where there is one.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Config, ResourceExt};
use tracing::{info, warn};

use super::admin::Health;

/// Where a pod finds its service account's token, unless it was told to have none.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The labels of one namespace, shared with whoever judges by them.
type Labels = Arc<BTreeMap<String, String>>;

/// The labels of namespaces, as far as they are known. Without an API server none is.
#[derive(Debug, Default)]
pub struct Namespaces {
    known: RwLock<HashMap<String, Labels>>,
}

/// Where the API server is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Through a kubeconfig file.
    Kubeconfig(PathBuf),
    /// Through the pod's own service account.
    ServiceAccount,
}

impl Access {
    /// The kubeconfig where one is named, else the service account where this runs in a pod.
    pub fn find(kubeconfig: Option<PathBuf>) -> Option<Self> {
        let in_cluster =
            || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() && Path::new(TOKEN).exists();
        kubeconfig.map(Self::Kubeconfig).or_else(|| in_cluster().then_some(Self::ServiceAccount))
    }

    /// A client for it. Sends nothing yet.
    ///
    /// # Errors
    ///
    /// Where the kubeconfig or the service account's files cannot be used.
    pub async fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::try_from(self.config().await?)?)
    }

    /// A client that asks once: it hands out what went wrong instead of waiting and asking again.
    ///
    /// # Errors
    ///
    /// As [`Self::client`].
    pub async fn client_asking_once(&self) -> anyhow::Result<Client> {
        Ok(asking_once(self.config().await?)?)
    }

    async fn config(&self) -> anyhow::Result<Config> {
        Ok(match self {
            Self::Kubeconfig(path) => {
                Config::from_custom_kubeconfig(
                    Kubeconfig::read_from(path)?,
                    &KubeConfigOptions::default(),
                )
                .await?
            }
            Self::ServiceAccount => Config::incluster()?,
        })
    }
}

/// By default 429, 503 and 504 are asked again, after longer and longer waits.
pub(super) fn asking_once(mut config: Config) -> kube::Result<Client> {
    config.default_retry = false;
    Client::try_from(config)
}

impl Namespaces {
    /// The labels of the namespace `name`, if they are known.
    pub fn labels(&self, name: &str) -> Option<Labels> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Follows all namespaces for ever. Readiness waits for the first list, or for the first
    /// failure: labels that are not known never weaken a policy.
    pub async fn follow(self: Arc<Self>, client: Client, health: Arc<Health>) {
        let events =
            watcher(Api::<PartialObjectMeta<Namespace>>::all(client), watcher::Config::default())
                .default_backoff();
        let mut events = pin!(events);
        let mut listed = HashMap::new();
        let mut failing = false;
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    if matches!(event, watcher::Event::InitDone) {
                        info!(namespaces = listed.len(), "namespace labels known");
                        health.namespaces(format!("labels of {} known", listed.len()));
                        failing = false;
                    }
                    self.take(event, &mut listed);
                }
                Err(error) => {
                    health
                        .namespaces("labels not known: the API server does not answer".to_owned());
                    if !failing {
                        warn!(%error, "namespaces cannot be watched; what was known stays, and is retried");
                    }
                    failing = true;
                }
            }
        }
    }

    fn take(&self, event: watcher::Event<impl ResourceExt>, listed: &mut HashMap<String, Labels>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            watcher::Event::Init => listed.clear(),
            watcher::Event::InitApply(namespace) => {
                listed.insert(namespace.name_any(), Arc::new(namespace.labels().clone()));
            }
            watcher::Event::InitDone => *known = std::mem::take(listed),
            watcher::Event::Apply(namespace) => {
                known.insert(namespace.name_any(), Arc::new(namespace.labels().clone()));
            }
            watcher::Event::Delete(namespace) => {
                known.remove(&namespace.name_any());
            }
        }
    }
}
