//! The ConfigMap that the policies folder shows, asked for at the API server: a change of it is
//! seen at once, and by all replicas, where a kubelet takes a minute and a half.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use tokio::time::sleep;
use tracing::warn;

use crate::cluster::NamespacedName;
use crate::policies::config_map::contents;
use crate::policies::set::Contents;
use crate::serve::followed::LastTrouble;
use crate::serve::followed::object_watch::ObjectWatch;
use crate::serve::request::answered;
use crate::service::health::{Health, Topic, Trouble};

/// The policy files that were read, or why they could not be.
pub(in crate::serve) type Read = Result<Contents, String>;

/// How long a kubelet may show what the ConfigMap had before: a minute between two looks, half a
/// minute by which they vary, and as much again.
const LAG: Duration = Duration::from_secs(120);

/// The shortest time between two looks: whoever writes it all the time must not keep the API server
/// busy.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// The ConfigMap, and the folder as far as it matters beside it.
pub(in crate::serve) struct PolicyMap {
    maps: Api<ConfigMap>,
    name: NamespacedName,
    watch: ObjectWatch,
    /// When the ConfigMap was read last, and what the folder showed then.
    seen: Option<(Instant, Read)>,
    trouble: LastTrouble,
    health: Arc<Health>,
    lag: Duration,
}

impl fmt::Debug for PolicyMap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PolicyMap").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PolicyMap {
    /// The ConfigMap called `name`, not read yet.
    pub(in crate::serve) fn new(client: Client, name: NamespacedName, health: Arc<Health>) -> Self {
        let watched = Api::namespaced(client.clone(), &name.namespace);
        Self {
            maps: Api::namespaced(client, &name.namespace),
            watch: ObjectWatch::default().and::<ConfigMap>(watched, &name.name),
            name,
            seen: None,
            trouble: LastTrouble::default(),
            health,
            lag: LAG,
        }
    }

    /// The newest policies, where the folder shows `shown`: what the ConfigMap has. While it is out
    /// of reach they are what the folder shows, if that is news. `None` where nothing is known to be
    /// newer than before.
    ///
    /// A folder is behind the ConfigMap for a while. So it is heard when that time is over since the
    /// ConfigMap was read, and only if it has changed since: no older set replaces a newer one.
    pub(super) async fn newest(&mut self, shown: Read) -> Option<Read> {
        let why = match ask(&self.maps, &self.name).await {
            Ok(read) => {
                self.health.in_force(Topic::ConfigMap, self.name.to_string());
                self.trouble.news(None);
                self.seen = Some((Instant::now(), shown));
                return Some(read);
            }
            Err(why) => why,
        };
        self.tell(why);
        let is_news = match &self.seen {
            Some((when, before)) => when.elapsed() >= self.lag && *before != shown,
            None => true,
        };
        is_news.then(|| {
            self.seen = None;
            shown
        })
    }

    /// Waits until it may have changed. Safe to cancel where a look follows.
    pub(super) async fn changed(&mut self) {
        future::join(sleep(SHORTEST_PAUSE), self.watch.changed()).await;
    }

    /// Takes a folder to be behind for so long.
    #[cfg(test)]
    pub(super) fn set_lag(&mut self, lag: Duration) {
        self.lag = lag;
    }

    fn tell(&mut self, why: String) {
        let trouble = Trouble::Unreachable(why);
        self.health.trouble(Topic::ConfigMap, trouble.clone());
        if let Some(Trouble::Unreachable(why)) = self.trouble.news(Some(trouble)) {
            warn!(config_map = %self.name, "the config map of policies cannot be read; the folder is followed, which may be behind by a minute and a half: {why}");
        }
    }
}

/// What the ConfigMap has, or why it is out of reach.
async fn ask(maps: &Api<ConfigMap>, name: &NamespacedName) -> Result<Read, String> {
    match answered(maps.get_opt(&name.name)).await {
        Ok(Some(map)) => Ok(contents(map).map_err(|error| error.to_string())),
        Ok(None) => Err(format!("config map \"{name}\" does not exist")),
        Err(error) => Err(error.to_string()),
    }
}
