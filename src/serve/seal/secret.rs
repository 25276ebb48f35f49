//! Keys from a Secret that all replicas share. Whoever comes first makes it, and whoever notices
//! first rotates it.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::rand;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::cluster::NamespacedName;
use crate::serve::followed::object_watch::ObjectWatch;
use crate::serve::followed::{Look, Outcome, Source};
use crate::serve::request::{RequestError, answered};
use crate::service::health::{Topic, Trouble};

use super::rotation::{Entries, Entry};
use super::{LEAST_KEY, SealKeyError, SealKeys};

/// How often to look, whatever the watch says: far more often than a new key waits before it seals.
const POLL: Duration = Duration::from_secs(60);

/// How often to begin anew because another replica was faster.
const ATTEMPTS: usize = 5;

/// Why the keys of a Secret are not as they should be.
#[derive(Debug, thiserror::Error)]
enum SecretError {
    /// The API server did not do it.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Other replicas were always faster.
    #[error("others change it all the time")]
    Contended,
    /// No key can be made.
    #[error(transparent)]
    Key(#[from] SealKeyError),
}

/// The Secret, and what was last read from it.
pub(in crate::serve) struct SharedSecret {
    secrets: Api<Secret>,
    name: NamespacedName,
    entries: Entries,
    /// Names of entries that are no keys, as far as they were warned about.
    bad: Vec<String>,
    watch: ObjectWatch,
    poll: Duration,
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
    pub(in crate::serve) fn new(client: Client, name: NamespacedName) -> Self {
        let watched = Api::namespaced(client.clone(), &name.namespace);
        Self {
            secrets: Api::namespaced(client, &name.namespace),
            watch: ObjectWatch::default().and::<Secret>(watched, &name.name),
            name,
            entries: Entries::default(),
            bad: Vec::new(),
            poll: POLL,
        }
    }

    /// Reads the Secret and makes it what it should be at `now`.
    async fn settle(&mut self, now: Timestamp) -> Result<(), SecretError> {
        for _ in 0..ATTEMPTS {
            let attempt = match answered(self.secrets.get_opt(&self.name.name)).await? {
                Some(secret) => self.tend(secret, now).await,
                None => self.make(now).await,
            };
            match attempt {
                Err(SecretError::Request(error)) if error.is_race() => {}
                settled => return settled,
            }
        }
        Err(SecretError::Contended)
    }

    /// Makes the Secret: with the keys that were in force if it was deleted, else with a new one.
    async fn make(&mut self, now: Timestamp) -> Result<(), SecretError> {
        let entries = if self.entries.is_empty() {
            Entries::of(vec![Entry::created(now, random()?, |_| false)])
        } else {
            self.entries.clone()
        };
        let secret = Secret {
            metadata: ObjectMeta { name: Some(self.name.name.clone()), ..ObjectMeta::default() },
            type_: Some("Opaque".to_owned()),
            data: Some(entries.iter().map(Entry::data).collect()),
            ..Secret::default()
        };
        answered(self.secrets.create(&PostParams::default(), &secret)).await?;
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
            warn!(secret = %self.name, entries = ?bad, "entries that are no seal keys are skipped: a key is named like 20261121T120000Z and has at least 32 bytes");
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
        data.extend([Entry::created(now, random()?, |name| data.contains_key(name)).data()]);
        let (entries, _) = Entries::read(&data);
        secret.data = Some(data);
        answered(self.secrets.replace(&self.name.name, &PostParams::default(), &secret)).await?;
        info!(secret = %self.name, dropped = ?plan.drop, "seal key added");
        self.entries = entries;
        Ok(())
    }
}

impl Source<SealKeys> for SharedSecret {
    const TOPIC: Option<Topic> = Some(Topic::SealKeys);

    /// Reads the Secret, or makes and rotates it. Which key seals changes with the time, too.
    async fn look(&mut self) -> Option<Look<SealKeys>> {
        let settled = self.settle(Timestamp::now()).await;
        let known = (!self.entries.is_empty()).then(|| self.entries.keys(Timestamp::now()));
        Some(match (settled, known) {
            (Err(error), known) => Look::Unreachable { why: error.to_string(), known },
            (Ok(()), Some(keys)) => Look::Found(keys),
            (Ok(()), None) => Look::Unchanged,
        })
    }

    async fn changed(&mut self) {
        let _ = timeout(self.poll, self.watch.changed()).await;
    }

    fn is_same(in_force: &SealKeys, found: &SealKeys) -> bool {
        in_force.names().eq(found.names())
    }

    fn describe(&self, in_force: &SealKeys) -> String {
        format!("{} in force, from secret {}", in_force.names().count(), self.name)
    }

    fn log_swap(&self, in_force: &SealKeys) {
        let entries = self.entries.iter().map(|entry| &*entry.name).collect::<Vec<_>>();
        let keys = in_force.names().collect::<Vec<_>>();
        info!(secret = %self.name, ?entries, ?keys, "seal keys in force");
    }

    fn log_trouble(&self, trouble: &Trouble) {
        let (Trouble::Refused(why) | Trouble::Unreachable(why)) = trouble;
        warn!(secret = %self.name, "seal keys cannot be read or written; those in force stay, and it is tried again: {why}");
    }

    /// They are counted when somebody scrapes.
    fn count(&self, _: &SealKeys, _: Outcome) {}
}

fn random() -> Result<[u8; LEAST_KEY], SealKeyError> {
    let mut bytes = [0; LEAST_KEY];
    rand::fill(&mut bytes).map_err(|_| SealKeyError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
