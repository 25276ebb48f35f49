//! The labels of namespaces, followed through the API server where there is one.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher;
use kube::runtime::watcher::DefaultBackoff;
use kube::{Api, Client, ResourceExt};
use tokio::time::sleep;
use tracing::{info, warn};

use crate::cluster::error::watch_error_message;
use crate::service::health::{Health, Topic, Trouble};

use super::followed::LastTrouble;

/// How long a watch has to hold for its next failure to be another trouble than the last.
const SETTLED: Duration = Duration::from_secs(60);

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
        let (mut last, mut pauses) = (LastTrouble::default(), DefaultBackoff::default());
        loop {
            // begun anew after each failure: a watch that goes on where it was says nothing until
            // something changes, and nobody could tell that it does
            let (trouble, held) = self.watch(client.clone(), &health).await;
            if held.is_some_and(|time| time >= SETTLED) {
                last.news(None);
            }
            self.tell(trouble, &health, &mut last);
            sleep(pauses.next().unwrap_or(SETTLED)).await;
        }
    }

    /// Follows until something fails. Returns what, and how long ago all of them were listed, if
    /// they were.
    async fn watch(&self, client: Client, health: &Health) -> (String, Option<Duration>) {
        let api = Api::<PartialObjectMeta<Namespace>>::all(client);
        let mut events = pin!(watcher(api, watcher::Config::default()));
        let (mut listed, mut since) = (HashMap::new(), None::<Instant>);
        let trouble = loop {
            let event = match events.next().await {
                Some(Ok(event)) => event,
                Some(Err(error)) => break watch_error_message(&error),
                None => break "the watch ended".to_owned(),
            };
            let whole = matches!(event, watcher::Event::InitDone).then_some(listed.len());
            self.take(event, &mut listed);
            if let Some(count) = whole {
                info!(namespaces = count, "namespace labels known");
                health.in_force(Topic::Namespaces, format!("labels of {count} known"));
                since = Some(Instant::now());
            }
        };
        (trouble, since.map(|since| since.elapsed()))
    }

    /// Tells why labels are not the newest, and that those from before still count.
    fn tell(&self, why: String, health: &Health, last: &mut LastTrouble) {
        let kept = self.known.read().unwrap_or_else(PoisonError::into_inner).len();
        let in_force = match kept {
            0 => "labels not known".to_owned(),
            kept => format!("labels of {kept} kept from before"),
        };
        health.in_force(Topic::Namespaces, in_force);
        let trouble = Trouble::Unreachable(why);
        health.trouble(Topic::Namespaces, trouble.clone());
        let Some(Trouble::Unreachable(error)) = last.news(Some(trouble)) else { return };
        match kept {
            0 => warn!(
                error,
                "namespaces cannot be watched, so their labels are not known; tried again"
            ),
            kept => warn!(
                error,
                namespaces = kept,
                "namespaces cannot be watched; their labels from before are kept; tried again"
            ),
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
