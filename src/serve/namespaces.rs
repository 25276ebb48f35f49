//! The labels of namespaces, followed through the API server where there is one.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use tracing::{info, warn};

use super::followed::LastTrouble;
use super::health::{Health, Topic, Trouble};

/// The labels of one namespace, shared with whoever judges by them.
type Labels = Arc<BTreeMap<String, String>>;

/// The labels of namespaces, as far as they are known. Without an API server none is.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    known: RwLock<HashMap<String, Labels>>,
}

impl Namespaces {
    /// The labels of the namespace `name`, if they are known.
    pub(super) fn labels(&self, name: &str) -> Option<Labels> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Follows all namespaces for ever. Readiness waits for the first list, or for the first
    /// failure: labels that are not known never weaken a policy.
    ///
    /// This is no [`Followed`](super::followed::Followed): a watch tells of one namespace at a time,
    /// thousands may change in a minute, and none can be refused, so there is nothing to compare and
    /// nothing to swap whole.
    pub(super) async fn follow(self: Arc<Self>, client: Client, health: Arc<Health>) {
        let events =
            watcher(Api::<PartialObjectMeta<Namespace>>::all(client), watcher::Config::default())
                .default_backoff();
        let mut events = pin!(events);
        let mut listed = HashMap::new();
        let mut last = LastTrouble::default();
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    let whole = matches!(event, watcher::Event::InitDone).then_some(listed.len());
                    self.take(event, &mut listed);
                    if let Some(count) = whole {
                        info!(namespaces = count, "namespace labels known");
                        health.in_force(Topic::Namespaces, format!("labels of {count} known"));
                        last.news(None);
                    }
                }
                Err(error) => {
                    let unknown = "labels not known: the API server does not answer";
                    health.in_force(Topic::Namespaces, unknown.to_owned());
                    if last.news(Some(Trouble::Unreachable(error.to_string()))).is_some() {
                        warn!(%error, "namespaces cannot be watched; what was known stays, and is retried");
                    }
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
