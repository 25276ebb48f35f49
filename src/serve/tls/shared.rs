//! An authority and a serving certificate in a Secret that all replicas share. Whoever comes first
//! makes them, and whoever notices first renews them. The authorities to trust are written into our
//! webhook configurations.
//!
//! Nobody leads. Every replica does the same: it reads, decides what is to be done, and writes on
//! the condition that nothing changed meanwhile.

mod bundle;
mod error;
mod material;
mod rotations;
pub(in crate::serve) mod source;
mod step;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::Instant;
use tracing::info;

use crate::certificate::Identity;
use crate::cluster::NamespacedName;
use crate::serve::request::answered;

use bundle::Configurations;
use error::PairError;
use material::Material;
pub(in crate::serve) use rotations::Rotations;
pub(in crate::serve) use step::Lifetimes;
use step::{Step, View, next_step, take};

/// How often to begin anew because another replica was faster.
const ATTEMPTS: usize = 5;

/// What is shared, and with whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::serve) struct Sharing {
    /// The Secret.
    pub(in crate::serve) secret: NamespacedName,
    /// The DNS names and addresses that the certificate must have.
    pub(in crate::serve) names: Vec<String>,
    /// The webhook configurations whose `caBundle` is ours to write.
    pub(in crate::serve) configurations: Vec<String>,
    /// How long new certificates are valid.
    pub(in crate::serve) lifetimes: Lifetimes,
}

/// The Secret, what was last taken from it, and what callers were told.
pub(in crate::serve) struct SharedPair {
    client: Client,
    secrets: Api<Secret>,
    configurations: Configurations,
    sharing: Sharing,
    rotations: Rotations,
    held: Option<Material>,
    /// The bundle that every configuration has, and since when this replica has seen that.
    published: Option<(String, Instant)>,
}

impl fmt::Debug for SharedPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SharedPair").field("sharing", &self.sharing).finish_non_exhaustive()
    }
}

impl SharedPair {
    /// The Secret, not read yet.
    pub(in crate::serve) fn new(client: Client, sharing: Sharing, rotations: Rotations) -> Self {
        let secrets = Api::namespaced(client.clone(), &sharing.secret.namespace);
        let configurations = Configurations::new(&client, sharing.configurations.clone());
        Self { client, secrets, configurations, sharing, rotations, held: None, published: None }
    }

    /// What is held and can serve.
    fn identity(&self) -> Option<Identity> {
        Some(self.held.as_ref()?.leaf.as_ref()?.identity.clone())
    }

    /// Reads everything, does what is due, and begins anew where another replica was faster. Comes
    /// with why the bundle is not where it should be, if so.
    async fn settle(&mut self) -> Result<Option<String>, PairError> {
        for _ in 0..ATTEMPTS {
            match self.attempt().await {
                Err(PairError::Conflict) => {}
                Err(PairError::Request(error)) if error.is_race() => {}
                settled => return settled,
            }
        }
        Err(PairError::Contended)
    }

    async fn attempt(&mut self) -> Result<Option<String>, PairError> {
        // Before the Secret: a bundle that another replica publishes after its write is then never
        // met with an older Secret, and one that it publishes later makes the patch a conflict.
        let configurations = self.configurations.read().await;
        let now = self.now().await;
        let secret = answered(self.secrets.get_opt(&self.sharing.secret.name)).await?;
        let stored = secret
            .as_ref()
            .map(|secret| secret.data.as_ref().map(Material::read).unwrap_or_default());
        if let Some(stored) = &stored {
            self.adopt(stored, now);
        }
        let stored = match self.write(secret, stored.as_ref(), now).await? {
            Some(written) => {
                self.adopt(&written, now);
                Some(written)
            }
            None => stored,
        };
        let bundle = stored.map(|stored| stored.bundle()).unwrap_or_default();
        let unpublished = match configurations {
            Err(error) => Some(format!("webhook configurations cannot be read: {error}")),
            Ok((found, missing)) => {
                let mut unpublished =
                    self.configurations.publish(&found, &bundle, &self.rotations).await?;
                if let Some(name) = missing.first() {
                    unpublished.get_or_insert_with(|| {
                        format!("no webhook configuration is called \"{name}\"")
                    });
                }
                unpublished
            }
        };
        match (&self.published, &unpublished) {
            (_, Some(_)) => self.published = None,
            (Some((known, _)), None) if *known == bundle => {}
            (_, None) => self.published = Some((bundle, Instant::now())),
        }
        self.rotations.published(unpublished.is_none());
        Ok(unpublished)
    }

    /// Does the step that is due; `None` where there is none.
    async fn write(
        &mut self,
        secret: Option<Secret>,
        stored: Option<&Material>,
        now: Timestamp,
    ) -> Result<Option<Material>, PairError> {
        let published = self
            .published
            .as_ref()
            .filter(|(bundle, _)| stored.is_some_and(|stored| stored.bundle() == *bundle));
        let view = View {
            stored,
            held: self.held.as_ref(),
            published: published.map(|(_, since)| since.elapsed()),
            names: &self.sharing.names,
            lifetimes: self.sharing.lifetimes,
        };
        let step = next_step(&view, now);
        if step == Step::Rest {
            return Ok(None);
        }
        let after = take(step, &view, now)?;
        let mut secret = secret.unwrap_or_else(|| Secret {
            metadata: ObjectMeta {
                name: Some(self.sharing.secret.name.clone()),
                ..ObjectMeta::default()
            },
            type_: Some("Opaque".to_owned()),
            ..Secret::default()
        });
        after.write(secret.data.get_or_insert_with(BTreeMap::new));
        let written = match stored {
            Some(_) => {
                answered(self.secrets.replace(
                    &self.sharing.secret.name,
                    &PostParams::default(),
                    &secret,
                ))
                .await
            }
            None => answered(self.secrets.create(&PostParams::default(), &secret)).await,
        };
        self.rotations.count(step, &written);
        written?;
        let authorities: Vec<_> =
            after.trusted.iter().map(material::Authority::fingerprint).collect();
        info!(secret = %self.sharing.secret, step = step.as_str(), ?authorities, "shared certificates changed");
        Ok(Some(after))
    }

    /// Takes what the Secret holds, unless it is of no use and what is held is.
    fn adopt(&mut self, stored: &Material, now: Timestamp) {
        let useful = |material: &Material| material.sound(&material.trusted, now).is_some();
        let holds = self.held.as_ref().is_some_and(useful);
        if useful(stored) || (!holds && stored.leaf.is_some()) {
            self.held = Some(stored.clone());
        }
        if let Some(first) = self.held.as_ref().and_then(|held| held.trusted.first()) {
            self.rotations.authority_expiry(first.validity.until);
        }
    }

    /// The time of the API server: it is the one that checks the dates. Else that of this machine.
    async fn now(&self) -> Timestamp {
        let request = axum::http::Request::get("/version").body(kube::client::Body::empty());
        let date = async {
            let answer = answered(self.client.send(request.ok()?)).await.ok()?;
            let date = answer.headers().get(axum::http::header::DATE)?.to_str().ok()?;
            Some(rfc2822::parse(date).ok()?.timestamp())
        };
        date.await.unwrap_or_else(Timestamp::now)
    }
}

#[cfg(test)]
mod tests;
