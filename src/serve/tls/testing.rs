//! Key material in force, for tests that look when they like.

use std::sync::Arc;

use crate::certificate::IdentitySource;
use crate::serve::followed::file_watch::Intervals;
use crate::serve::followed::{Followed, LastTrouble, Look, Outcome};
use crate::serve::metrics::Metrics;
use crate::service::health::Health;

use super::files::{KeyFiles, KeyFilesSource};
use super::{Clients, KeyMaterial};

/// Key material in force, and where it comes from.
pub(super) struct Served {
    files: KeyFiles,
    source: KeyFilesSource,
    in_force: Followed<KeyMaterial>,
    last: LastTrouble,
}

impl Served {
    pub(super) fn new(identity: &IdentitySource, clients: Option<Clients>) -> Self {
        let files = KeyFiles { identity: identity.clone(), clients };
        Self {
            source: KeyFilesSource::new(
                files.clone(),
                Intervals::default(),
                Arc::new(Metrics::new()),
            ),
            in_force: Followed::new(files.load().unwrap()),
            files,
            last: LastTrouble::default(),
        }
    }

    /// Looks at the files again.
    pub(super) fn reload(&mut self) -> Outcome {
        let look = match self.files.load() {
            Ok(found) => Look::Found(found),
            Err(error) => Look::Refused(error.to_string()),
        };
        self.in_force.settle(look, &self.source, &Health::default(), &mut self.last)
    }

    pub(super) fn in_force(&self) -> Arc<KeyMaterial> {
        Arc::clone(&self.in_force.load())
    }
}
