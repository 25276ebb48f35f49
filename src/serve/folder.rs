//! The policies folder, followed: a sound set is swapped in whole.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tracing::{info, warn};

use crate::judge::policies::Policies;
use crate::policies::folder::{Contents, Folder};

use super::admin::Health;
use super::follow::{Follow, Pace};
use super::metrics::SharedMetrics;
use super::tasks::blocking;

impl Folder {
    /// Follows the folder for ever: a sound set comes into force whole, a faulty one leaves the old
    /// in force. `known` is what is in force now.
    pub async fn follow(
        self,
        known: Contents,
        policies: Arc<ArcSwap<Policies>>,
        metrics: SharedMetrics,
        health: Arc<Health>,
        pace: Pace,
    ) {
        let mut follow = Follow::start(vec![self.path().to_owned()], pace);
        let mut seen = Ok(known);
        loop {
            let folder = self.clone();
            let Some(read) = blocking(move || folder.read()).await else { return };
            let read = read.map_err(|error| error.to_string());
            if read != seen {
                self.adopt(&read, &policies, &metrics, &health);
                seen = read;
            }
            follow.changed().await;
        }
    }

    fn adopt(
        &self,
        read: &Result<Contents, String>,
        policies: &ArcSwap<Policies>,
        metrics: &SharedMetrics,
        health: &Health,
    ) {
        let next = read
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|contents| self.policies(contents).map_err(|error| error.to_string()));
        let refused = match next {
            Ok(next) => {
                let count = next.iter().count();
                policies.store(Arc::new(next));
                info!(policies = count, "policies swapped");
                None
            }
            Err(error) => {
                warn!(error, "policies refused, the old ones stay in force");
                Some(error)
            }
        };
        metrics.policy_reload(refused.is_none());
        announce(&policies.load(), metrics, health, refused);
    }
}

/// Tells metrics and readiness what is in force.
pub(super) fn announce(
    policies: &Policies,
    metrics: &SharedMetrics,
    health: &Health,
    refused: Option<String>,
) {
    let count = policies.iter().count();
    metrics.policies(count, refused.is_none());
    health.policies(format!("{count} in force, cap {}", policies.cap()), refused);
}
