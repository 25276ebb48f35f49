//! Key material from files: the server's certificate and key, and the authority of its clients.

use std::path::PathBuf;

use tracing::warn;

use crate::certificate::{IdentitySource, KeyMaterialError};
use crate::serve::followed::file_watch::{FileWatch, Intervals};
use crate::serve::followed::{Look, Outcome, Source};
use crate::serve::metrics::SharedMetrics;
use crate::serve::tasks::blocking;
use crate::service::health::{Topic, Trouble};

use super::{Clients, KeyMaterial};

/// The files that key material comes from.
#[derive(Clone, Debug)]
pub(in crate::serve) struct KeyFiles {
    /// Who the server is, which may be held in memory.
    pub(in crate::serve) identity: IdentitySource,
    /// To whom it speaks.
    pub(in crate::serve) clients: Option<Clients>,
}

/// The files, followed.
#[derive(Debug)]
pub(in crate::serve) struct KeyFilesSource {
    files: KeyFiles,
    watch: FileWatch,
    metrics: SharedMetrics,
}

impl KeyFiles {
    /// The key material as it is there now. Blocks on file reads.
    pub(in crate::serve) fn load(&self) -> Result<KeyMaterial, KeyMaterialError> {
        KeyMaterial::load(self.identity.load()?, self.clients.as_ref())
    }

    /// The files that may change.
    pub(in crate::serve) fn paths(&self) -> Vec<PathBuf> {
        let authority = self.clients.iter().map(|clients| clients.authority.clone());
        self.identity.paths().into_iter().chain(authority).collect()
    }
}

impl KeyFilesSource {
    /// These files, looked at so often.
    pub(in crate::serve) fn new(
        files: KeyFiles,
        intervals: Intervals,
        metrics: SharedMetrics,
    ) -> Self {
        let watch = FileWatch::start(files.paths(), intervals);
        Self { files, watch, metrics }
    }
}

impl Source<KeyMaterial> for KeyFilesSource {
    const TOPIC: Option<Topic> = Some(Topic::Certificate);

    async fn look(&mut self) -> Option<Look<KeyMaterial>> {
        let files = self.files.clone();
        let loaded = blocking(move || files.load()).await?;
        Some(loaded.map_or_else(|error| Look::Refused(error.to_string()), Look::Found))
    }

    async fn changed(&mut self) {
        self.watch.changed().await;
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
        let (Trouble::Refused(why) | Trouble::Unreachable(why)) = trouble;
        warn!("key material refused, the old stays in force: {why}");
    }

    fn count(&self, in_force: &KeyMaterial, outcome: Outcome) {
        in_force.count(outcome, &self.metrics);
    }
}
