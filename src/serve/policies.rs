//! The policies, followed in their folder and, where the API server may be asked, in the ConfigMap
//! that the folder shows: a sound set comes into force whole, a faulty one leaves the old in force,
//! or none where there was none.

pub(super) mod collector;
pub(super) mod config_map;
pub(super) mod exemptions;
#[cfg(test)]
mod tests;

use tracing::{error, info, warn};

use crate::judge::mode::Cap;
use crate::policies::folder::Folder;
use crate::policies::set::PolicySet;
use crate::service::health::{Topic, Trouble};

use super::followed::file_watch::{FileWatch, Intervals};
use super::followed::{Look, Outcome, Source};
use super::metrics::SharedMetrics;
use super::tasks::blocking;
use config_map::{PolicyMap, Read};

/// Where policies come from, and what was last read there.
#[derive(Debug)]
pub(super) struct PolicySource {
    folder: Folder,
    map: Option<PolicyMap>,
    cap: Cap,
    /// What was tried last. `None` where that is not known.
    tried: Option<Read>,
    /// Whether none are in force yet.
    waits: bool,
    watch: FileWatch,
    metrics: SharedMetrics,
}

impl PolicySource {
    /// The folder and the ConfigMap that it shows, if that is to be asked for. What was `tried` is
    /// not tried again; where it was in vain, it `waits`.
    pub(super) fn new(
        folder: Folder,
        map: Option<PolicyMap>,
        cap: Cap,
        tried: Option<Read>,
        waits: bool,
        metrics: SharedMetrics,
    ) -> Self {
        let watch = FileWatch::start(vec![folder.path().to_owned()], Intervals::default());
        Self { folder, map, cap, tried, waits, watch, metrics }
    }
}

/// Policies in the words of readiness.
pub(super) fn describe(set: &PolicySet) -> String {
    format!("{} in force, cap {}, digest {}", set.iter().count(), set.cap(), set.digest())
}

/// Logs that a replica starts without policies, or still has none.
pub(super) fn log_wait(error: &str) {
    error!(error, "policies refused, and none are in force: not ready until sound ones come");
}

impl Source<Option<PolicySet>> for PolicySource {
    const TOPIC: Option<Topic> = Some(Topic::Policies);

    async fn look(&mut self) -> Option<Look<Option<PolicySet>>> {
        let folder = self.folder.clone();
        let shown = blocking(move || folder.read()).await?.map_err(|error| error.to_string());
        let newest = match &mut self.map {
            Some(map) => map.newest(shown).await,
            None => Some(shown),
        };
        let Some(read) = newest.filter(|newest| self.tried.as_ref() != Some(newest)) else {
            return Some(Look::Unchanged);
        };
        let found = read.as_ref().map_err(Clone::clone).and_then(|contents| {
            PolicySet::read(contents, self.cap).map_err(|error| error.to_string())
        });
        self.tried = Some(read);
        self.waits &= found.is_err();
        Some(found.map_or_else(Look::Refused, |set| Look::Found(Some(set))))
    }

    async fn changed(&mut self) {
        match &mut self.map {
            Some(map) => tokio::select! {
                () = map.changed() => {}
                () = self.watch.changed() => {}
            },
            None => self.watch.changed().await,
        }
    }

    fn is_same(in_force: &Option<PolicySet>, found: &Option<PolicySet>) -> bool {
        in_force.as_ref().map(PolicySet::digest) == found.as_ref().map(PolicySet::digest)
    }

    fn describe(&self, in_force: &Option<PolicySet>) -> String {
        in_force.as_ref().map(describe).unwrap_or_default()
    }

    fn log_swap(&self, in_force: &Option<PolicySet>) {
        let digest = in_force.as_ref().map(PolicySet::digest);
        info!(policies = count(in_force), digest, "policies swapped");
    }

    fn log_trouble(&self, trouble: &Trouble) {
        let (Trouble::Refused(error) | Trouble::Unreachable(error)) = trouble;
        if self.waits {
            return log_wait(error);
        }
        warn!(error, "policies refused, the old ones stay in force");
    }

    fn count(&self, in_force: &Option<PolicySet>, outcome: Outcome) {
        let accepted = outcome != Outcome::Refused;
        self.metrics.policy_reload(accepted);
        self.metrics.policies(count(in_force), accepted);
    }
}

/// How many policies are in force.
pub(super) fn count(in_force: &Option<PolicySet>) -> usize {
    in_force.as_ref().map_or(0, |set| set.iter().count())
}
