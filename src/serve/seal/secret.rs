//! Keys from a Secret that all replicas share. Whoever comes first makes it, and whoever notices
//! first rotates it.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::cluster::SecretName;
use crate::serve::admin::Health;
use crate::serve::secret::{Unanswered, asked, hint};

use super::rotation::{Entries, Entry};
use super::{LEAST_KEY, SealKeyError, SharedSealKeys};

/// How often to look, whatever the watch says: far more often than a new key waits before it seals.
pub const POLL: Duration = Duration::from_secs(60);

/// How often to begin anew because another replica was faster.
const ATTEMPTS: usize = 5;

/// Why the keys of a Secret are not as they should be.
#[derive(Debug, thiserror::Error)]
enum SecretError {
    /// The API server did not do it.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// Other replicas were always faster.
    #[error("others change it all the time")]
    Contended,
    /// No key can be made.
    #[error(transparent)]
    Key(#[from] SealKeyError),
}

/// The Secret, and what was last read from it.
pub struct SharedSecret {
    secrets: Api<Secret>,
    name: SecretName,
    entries: Entries,
    /// Names of entries that are no keys, as far as they were complained about.
    bad: Vec<String>,
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SharedSecret")
            .field("name", &self.name)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

impl SharedSecret {
    /// The Secret `name`, not read yet.
    pub fn new(client: Client, name: SecretName) -> Self {
        Self {
            secrets: Api::namespaced(client, &name.namespace),
            name,
            entries: Entries::default(),
            bad: Vec::new(),
        }
    }

    /// Follows the Secret for ever: makes it, rotates it, and puts its keys in force. Readiness
    /// waits for the first. Whatever goes wrong later, the keys in force stay.
    pub async fn follow(mut self, keys: SharedSealKeys, health: Arc<Health>, poll: Duration) {
        let only = watcher::Config::default().fields(&format!("metadata.name={}", self.name.name));
        let mut hints = pin!(watcher(self.secrets.clone(), only).default_backoff());
        let mut complaint = None;
        loop {
            let settled = self.settle(Timestamp::now()).await;
            self.put_in_force(&keys, &health);
            let failure = settled.err().map(|error| error.to_string());
            if let Some(failure) = &failure {
                health.seal_keys_unread(failure.clone());
                if complaint.is_none() {
                    warn!(secret = %self.name, "seal keys cannot be read or written; those in force stay, and it is tried again: {failure}");
                }
            }
            complaint = failure;
            let _ = timeout(poll, hint(&mut hints)).await;
        }
    }

    fn put_in_force(&self, keys: &SharedSealKeys, health: &Health) {
        if self.entries.is_empty() {
            return;
        }
        let next = self.entries.keys(Timestamp::now());
        health.seal_keys(format!("{} in force, from secret {}", next.names().count(), self.name));
        if !next.names().eq(keys.load().names()) {
            let entries = self.entries.iter().map(|entry| &*entry.name).collect::<Vec<_>>();
            info!(secret = %self.name, ?entries, keys = ?next.names().collect::<Vec<_>>(), "seal keys in force");
            keys.store(Arc::new(next));
        }
    }

    /// Reads the Secret and makes it what it should be at `now`.
    async fn settle(&mut self, now: Timestamp) -> Result<(), SecretError> {
        for _ in 0..ATTEMPTS {
            let attempt = match asked(self.secrets.get_opt(&self.name.name)).await? {
                Some(secret) => self.tend(secret, now).await,
                None => self.make(now).await,
            };
            match attempt {
                Err(SecretError::Unanswered(error)) if error.is_race() => {}
                settled => return settled,
            }
        }
        Err(SecretError::Contended)
    }

    /// Makes the Secret: with the keys that were in force if it was deleted, else with a new one.
    async fn make(&mut self, now: Timestamp) -> Result<(), SecretError> {
        let entries = if self.entries.is_empty() {
            Entries::of(vec![Entry::born(now, random()?, |_| false)])
        } else {
            self.entries.clone()
        };
        let secret = Secret {
            metadata: ObjectMeta { name: Some(self.name.name.clone()), ..ObjectMeta::default() },
            type_: Some("Opaque".to_owned()),
            data: Some(entries.iter().map(Entry::data).collect()),
            ..Secret::default()
        };
        asked(self.secrets.create(&PostParams::default(), &secret)).await?;
        info!(secret = %self.name, "secret of seal keys made");
        self.entries = entries;
        Ok(())
    }

    /// Takes the Secret's keys, and rotates them where that is due. The update carries the resource
    /// version that was read: of two replicas one comes too late and reads again.
    async fn tend(&mut self, mut secret: Secret, now: Timestamp) -> Result<(), SecretError> {
        let mut data = secret.data.take().unwrap_or_default();
        let (entries, bad) = Entries::read(&data);
        if !bad.is_empty() && bad != self.bad {
            warn!(secret = %self.name, entries = ?bad, "entries that are no seal keys are passed over: a key is named like 20261121T120000Z and has at least 32 bytes");
        }
        self.bad = bad;
        let plan = entries.plan(now);
        if !entries.is_empty() {
            self.entries = entries; // before the write: it may fail, and these hold all the same
        }
        if !plan.add {
            return Ok(());
        }
        data.retain(|name, _| !plan.drop.contains(name));
        data.extend([Entry::born(now, random()?, |name| data.contains_key(name)).data()]);
        let (entries, _) = Entries::read(&data);
        secret.data = Some(data);
        asked(self.secrets.replace(&self.name.name, &PostParams::default(), &secret)).await?;
        info!(secret = %self.name, dropped = ?plan.drop, "seal key added");
        self.entries = entries;
        Ok(())
    }
}

fn random() -> Result<[u8; LEAST_KEY], SealKeyError> {
    let mut bytes = [0; LEAST_KEY];
    rand::fill(&mut bytes).map_err(|_| SealKeyError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
