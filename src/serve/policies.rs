//! The policies folder, followed: a sound set comes into force whole, a faulty one leaves the old
//! in force.

use tracing::{info, warn};

use crate::judge::policies::Policies;
use crate::policies::folder::{Contents, Folder};

use super::followed::file_watch::{FileWatch, Intervals};
use super::followed::{Look, Outcome, Source};
use super::health::{Topic, Trouble};
use super::metrics::SharedMetrics;
use super::tasks::blocking;

/// The policies folder, and what was last read there.
#[derive(Debug)]
pub(super) struct FolderSource {
    folder: Folder,
    read: Result<Contents, String>,
    watch: FileWatch,
    metrics: SharedMetrics,
}

impl FolderSource {
    /// The folder, of which `known` is in force.
    pub(super) fn new(folder: Folder, known: Contents, metrics: SharedMetrics) -> Self {
        let watch = FileWatch::start(vec![folder.path().to_owned()], Intervals::default());
        Self { folder, read: Ok(known), watch, metrics }
    }
}

/// Policies in the words of readiness.
pub(super) fn describe(policies: &Policies) -> String {
    format!("{} in force, cap {}", policies.iter().count(), policies.cap())
}

impl Source<Policies> for FolderSource {
    const TOPIC: Option<Topic> = Some(Topic::Policies);

    async fn look(&mut self) -> Option<Look<Policies>> {
        let folder = self.folder.clone();
        let read = blocking(move || folder.read()).await?.map_err(|error| error.to_string());
        if read == self.read {
            return Some(Look::Unchanged);
        }
        let found = read
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|contents| self.folder.policies(contents).map_err(|error| error.to_string()));
        self.read = read;
        Some(found.map_or_else(Look::Refused, Look::Found))
    }

    async fn changed(&mut self) {
        self.watch.changed().await;
    }

    /// What is read another time is always another set.
    fn is_same(_: &Policies, _: &Policies) -> bool {
        false
    }

    fn describe(&self, in_force: &Policies) -> String {
        describe(in_force)
    }

    fn log_swap(&self, in_force: &Policies) {
        info!(policies = in_force.iter().count(), "policies swapped");
    }

    fn log_trouble(&self, trouble: &Trouble) {
        let (Trouble::Refused(error) | Trouble::Unreachable(error)) = trouble;
        warn!(error, "policies refused, the old ones stay in force");
    }

    fn count(&self, in_force: &Policies, outcome: Outcome) {
        let accepted = outcome != Outcome::Refused;
        self.metrics.policy_reload(accepted);
        self.metrics.policies(in_force.iter().count(), accepted);
    }
}
