//! Keys from a file, which an operator makes and rotates.

use std::path::PathBuf;

use tracing::{info, warn};

use crate::serve::followed::file_watch::{FileWatch, Intervals};
use crate::serve::followed::{Look, Outcome, Source};
use crate::serve::tasks::blocking;
use crate::service::health::{Topic, Trouble};

use super::SealKeys;

/// The file.
#[derive(Debug)]
pub(in crate::serve) struct KeyFile {
    path: PathBuf,
    watch: FileWatch,
}

impl KeyFile {
    /// The file at `path`.
    pub(in crate::serve) fn new(path: PathBuf) -> Self {
        let watch = FileWatch::start(vec![path.clone()], Intervals::default());
        Self { path, watch }
    }
}

impl Source<SealKeys> for KeyFile {
    const TOPIC: Option<Topic> = None;

    async fn look(&mut self) -> Option<Look<SealKeys>> {
        let path = self.path.clone();
        let read = blocking(move || SealKeys::read(&path)).await?;
        Some(read.map_or_else(|error| Look::Refused(error.to_string()), Look::Found))
    }

    async fn changed(&mut self) {
        self.watch.changed().await;
    }

    fn is_same(in_force: &SealKeys, found: &SealKeys) -> bool {
        in_force.names().eq(found.names())
    }

    fn describe(&self, in_force: &SealKeys) -> String {
        format!("{} in force", in_force.names().count())
    }

    fn log_swap(&self, in_force: &SealKeys) {
        info!(keys = ?in_force.names().collect::<Vec<_>>(), "seal keys in force");
    }

    fn log_trouble(&self, trouble: &Trouble) {
        let (Trouble::Refused(why) | Trouble::Unreachable(why)) = trouble;
        warn!("seal keys refused, the old stay in force: {why}");
    }

    /// They are counted when somebody scrapes.
    fn count(&self, _: &SealKeys, _: Outcome) {}
}
