//! The policies folder, followed: a sound set comes into force whole, a faulty one leaves the old
//! in force.

pub(super) mod collector;

use tracing::{info, warn};

use crate::judge::mode::Cap;
use crate::policies::folder::Folder;
use crate::policies::set::{Contents, PolicySet};

use super::followed::file_watch::{FileWatch, Intervals};
use super::followed::{Look, Outcome, Source};
use super::health::{Topic, Trouble};
use super::metrics::SharedMetrics;
use super::tasks::blocking;

/// The policies folder, and what was last read there.
#[derive(Debug)]
pub(super) struct FolderSource {
    folder: Folder,
    cap: Cap,
    read: Result<Contents, String>,
    watch: FileWatch,
    metrics: SharedMetrics,
}

impl FolderSource {
    /// The folder, of which `known` is in force under `cap`.
    pub(super) fn new(folder: Folder, cap: Cap, known: Contents, metrics: SharedMetrics) -> Self {
        let watch = FileWatch::start(vec![folder.path().to_owned()], Intervals::default());
        Self { folder, cap, read: Ok(known), watch, metrics }
    }
}

/// Policies in the words of readiness.
pub(super) fn describe(set: &PolicySet) -> String {
    format!("{} in force, cap {}, digest {}", set.iter().count(), set.cap(), set.digest())
}

impl Source<PolicySet> for FolderSource {
    const TOPIC: Option<Topic> = Some(Topic::Policies);

    async fn look(&mut self) -> Option<Look<PolicySet>> {
        let folder = self.folder.clone();
        let read = blocking(move || folder.read()).await?.map_err(|error| error.to_string());
        if read == self.read {
            return Some(Look::Unchanged);
        }
        let found = read.as_ref().map_err(Clone::clone).and_then(|contents| {
            PolicySet::read(contents, self.cap).map_err(|error| error.to_string())
        });
        self.read = read;
        Some(found.map_or_else(Look::Refused, Look::Found))
    }

    async fn changed(&mut self) {
        self.watch.changed().await;
    }

    fn is_same(in_force: &PolicySet, found: &PolicySet) -> bool {
        in_force.digest() == found.digest()
    }

    fn describe(&self, in_force: &PolicySet) -> String {
        describe(in_force)
    }

    fn log_swap(&self, in_force: &PolicySet) {
        let (policies, digest) = (in_force.iter().count(), in_force.digest());
        info!(policies, digest, "policies swapped");
    }

    fn log_trouble(&self, trouble: &Trouble) {
        let (Trouble::Refused(error) | Trouble::Unreachable(error)) = trouble;
        warn!(error, "policies refused, the old ones stay in force");
    }

    fn count(&self, in_force: &PolicySet, outcome: Outcome) {
        let accepted = outcome != Outcome::Refused;
        self.metrics.policy_reload(accepted);
        self.metrics.policies(in_force.iter().count(), accepted);
    }
}
