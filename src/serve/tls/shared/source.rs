//! Key material that replicas share, followed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::serve::followed::file_watch::{FileWatch, Intervals};
use crate::serve::followed::object_watch::ObjectWatch;
use crate::serve::followed::{LastTrouble, Look, Outcome, Source};
use crate::serve::metrics::SharedMetrics;
use crate::serve::tasks::blocking;
use crate::serve::tls::{Clients, KeyMaterial};
use crate::service::health::{Health, Topic, Trouble};

use super::{Rotations, SharedPair, Sharing};

/// The shortest time between two looks: replicas that disagree must not keep the API server busy.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// The pair that replicas share, and the file with the authority of clients.
pub(in crate::serve) struct SharedSource {
    pair: SharedPair,
    clients: Option<Clients>,
    objects: ObjectWatch,
    files: Option<FileWatch>,
    unpublished: LastTrouble,
    health: Arc<Health>,
    metrics: SharedMetrics,
}

impl SharedSource {
    /// The pair of `sharing`, for a server that speaks to `clients`.
    pub(in crate::serve) fn new(
        client: Client,
        sharing: Sharing,
        clients: Option<Clients>,
        rotations: Rotations,
        health: Arc<Health>,
        metrics: SharedMetrics,
    ) -> Self {
        let authority = clients.as_ref().map(|clients| vec![clients.authority.clone()]);
        Self {
            objects: objects(&client, &sharing),
            files: authority.map(|paths| FileWatch::start(paths, Intervals::default())),
            pair: SharedPair::new(client, sharing, rotations),
            clients,
            unpublished: LastTrouble::default(),
            health,
            metrics,
        }
    }

    /// Tells whether callers know whom to trust.
    fn tell_of_bundle(&mut self, unpublished: Option<String>) {
        let published = unpublished
            .as_ref()
            .map_or_else(|| "published".to_owned(), |why| format!("not published: {why}"));
        self.health.in_force(Topic::Bundle, published);
        if let Some(Trouble::Refused(why)) =
            self.unpublished.news(unpublished.map(Trouble::Refused))
        {
            warn!("callers may not trust this server: {why}");
        }
    }
}

impl Source<KeyMaterial> for SharedSource {
    const TOPIC: Option<Topic> = Some(Topic::Certificate);

    async fn look(&mut self) -> Option<Look<KeyMaterial>> {
        let settled = self.pair.settle().await.map_err(|error| error.to_string());
        let (identity, clients) = (self.pair.identity(), self.clients.clone());
        let load = move || Some(KeyMaterial::load(identity?, clients.as_ref()));
        let material = blocking(load).await?;
        let unpublished = match settled {
            Err(why) => {
                return Some(Look::Unreachable { why, known: material.and_then(Result::ok) });
            }
            Ok(unpublished) => unpublished,
        };
        self.tell_of_bundle(unpublished);
        Some(match material {
            None => Look::Unchanged,
            Some(Ok(material)) => Look::Found(material),
            Some(Err(error)) => Look::Refused(error.to_string()),
        })
    }

    async fn changed(&mut self) {
        let notice = self.pair.sharing.lifetimes.notice();
        let objects = timeout(notice, future::join(sleep(SHORTEST_PAUSE), self.objects.changed()));
        match &mut self.files {
            None => drop(objects.await),
            Some(files) => tokio::select! {
                _ = objects => {}
                () = files.changed() => {}
            },
        }
    }

    fn is_same(in_force: &KeyMaterial, found: &KeyMaterial) -> bool {
        in_force.contents == found.contents
    }

    fn describe(&self, in_force: &KeyMaterial) -> String {
        in_force.describe()
    }

    fn log_swap(&self, in_force: &KeyMaterial) {
        in_force.log();
    }

    fn log_trouble(&self, trouble: &Trouble) {
        match trouble {
            Trouble::Refused(why) => warn!("key material refused, the old stays in force: {why}"),
            Trouble::Unreachable(why) => {
                warn!(secret = %self.pair.sharing.secret, "certificates cannot be read or written; those in force stay, and it is tried again: {why}");
            }
        }
    }

    fn count(&self, in_force: &KeyMaterial, outcome: Outcome) {
        in_force.count(outcome, &self.metrics);
    }
}

/// The Secret and the configurations.
fn objects(client: &Client, sharing: &Sharing) -> ObjectWatch {
    let secrets = Api::namespaced(client.clone(), &sharing.secret.namespace);
    let secret = ObjectWatch::default().and::<Secret>(secrets, &sharing.secret.name);
    sharing.configurations.iter().fold(secret, |watch, name| {
        watch
            .and::<ValidatingWebhookConfiguration>(Api::all(client.clone()), name)
            .and::<MutatingWebhookConfiguration>(Api::all(client.clone()), name)
    })
}
