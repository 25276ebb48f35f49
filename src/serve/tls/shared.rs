//! An authority and a serving certificate in a Secret that all replicas share. Whoever comes first
//! makes them, and whoever notices first renews them. The authorities to trust are written into our
//! webhook configurations.
//!
//! Nobody leads. Every replica does the same: it reads, decides what is to be done, and writes on
//! the condition that nothing changed meanwhile.

mod bundle;
mod material;
mod step;

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{BoxStream, select_all};
use futures_util::{Stream, StreamExt, future};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use crate::certificate::Identity;
use crate::cluster::SecretName;
use crate::serve::admin::Health;
use crate::serve::metrics::Rotations;
use crate::serve::secret::{Unanswered, asked, hint};
use crate::serve::tasks::blocking;

use super::{Certificates, Reload};
use bundle::Configurations;
use material::Material;
pub use step::Lifetimes;
use step::{View, next_step, take};

pub(in crate::serve) use step::Step;

/// The shortest time between two looks: replicas that disagree must not keep the API server busy.
const BREATH: Duration = Duration::from_millis(500);

/// How often to begin anew because another replica was faster.
const ATTEMPTS: usize = 5;

/// What is shared, and with whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// The Secret.
    pub secret: SecretName,
    /// The DNS names and addresses that the certificate must have.
    pub names: Vec<String>,
    /// The webhook configurations whose `caBundle` is ours to write.
    pub configurations: Vec<String>,
    /// How long new certificates are valid.
    pub lifetimes: Lifetimes,
}

/// The Secret, what was last taken from it, and what callers were told.
pub struct SharedPair {
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

/// Why the pair is not as it should be.
#[derive(Debug, thiserror::Error)]
enum PairError {
    #[error("{0}")]
    Unanswered(#[from] Unanswered),
    #[error("a webhook configuration was changed meanwhile")]
    Outrun,
    #[error("others change it all the time")]
    Contended,
    #[error("a certificate cannot be made: {0}")]
    Unmade(#[from] rcgen::Error),
}

/// What a look came to.
struct Look {
    /// Why the bundle is not where it should be, if so.
    unpublished: Option<String>,
}

impl SharedPair {
    /// The Secret, not read yet.
    pub fn new(client: Client, sharing: Sharing, rotations: Rotations) -> Self {
        let secrets = Api::namespaced(client.clone(), &sharing.secret.namespace);
        let configurations = Configurations::new(&client, sharing.configurations.clone());
        Self { client, secrets, configurations, sharing, rotations, held: None, published: None }
    }

    /// Follows the Secret and the configurations for ever, puts what the Secret holds in force and
    /// reports each outcome. Readiness waits for the first. Whatever goes wrong later, what is in
    /// force stays.
    pub async fn follow(
        mut self,
        certificates: Arc<Certificates>,
        health: Arc<Health>,
        report: impl Fn(&Reload),
    ) {
        let mut hints = pin!(self.hints());
        let (mut complaint, mut unpublished) = (None, None);
        loop {
            let look = self.look().await;
            if let Some(identity) = self.identity() {
                let replaced = {
                    let certificates = Arc::clone(&certificates);
                    blocking(move || certificates.replace(identity)).await
                };
                let Some(outcome) = replaced else { return };
                report(&outcome);
                health.certificate_served();
            }
            let failure = look.as_ref().err().map(ToString::to_string);
            if let Some(failure) = &failure {
                health.certificate_unread(failure.clone());
                if complaint.is_none() {
                    warn!(secret = %self.sharing.secret, "certificates cannot be read or written; those in force stay, and it is tried again: {failure}");
                }
            }
            complaint = failure;
            if let Ok(Look { unpublished: why }) = look {
                health.bundle(
                    why.as_ref().map_or_else(
                        || "published".to_owned(),
                        |why| format!("not published: {why}"),
                    ),
                );
                if let Some(why) = why.as_ref().filter(|_| why != unpublished) {
                    warn!("callers may not trust this server: {why}");
                }
                unpublished = why;
            }
            let _ = timeout(
                self.sharing.lifetimes.notice(),
                future::join(sleep(BREATH), hint(&mut hints)),
            )
            .await;
        }
    }

    /// Says when the Secret or a configuration may have changed.
    fn hints(&self) -> impl Stream<Item = Result<(), watcher::Error>> + use<> {
        let secrets = Api::<PartialObjectMeta<Secret>>::namespaced(
            self.client.clone(),
            &self.sharing.secret.namespace,
        );
        let mut watches = vec![changes(secrets, &self.sharing.secret.name)];
        for name in &self.sharing.configurations {
            watches.push(changes(
                Api::<PartialObjectMeta<ValidatingWebhookConfiguration>>::all(self.client.clone()),
                name,
            ));
            watches.push(changes(
                Api::<PartialObjectMeta<MutatingWebhookConfiguration>>::all(self.client.clone()),
                name,
            ));
        }
        select_all(watches)
    }

    fn identity(&self) -> Option<Identity> {
        Some(self.held.as_ref()?.leaf.as_ref()?.identity.clone())
    }

    /// Reads everything, does what is due, and begins anew where another replica was faster.
    async fn look(&mut self) -> Result<Look, PairError> {
        for _ in 0..ATTEMPTS {
            match self.attempt().await {
                Err(PairError::Outrun) => {}
                Err(PairError::Unanswered(error)) if error.is_race() => {}
                looked => return looked,
            }
        }
        Err(PairError::Contended)
    }

    async fn attempt(&mut self) -> Result<Look, PairError> {
        // Before the Secret: a bundle that another replica publishes after its write is then never
        // met with an older Secret, and one that it publishes later makes the patch a conflict.
        let configurations = self.configurations.read().await;
        let now = self.now().await;
        let secret = asked(self.secrets.get_opt(&self.sharing.secret.name)).await?;
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
                let mut unpublished = self.publish(&found, &bundle).await?;
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
        Ok(Look { unpublished })
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
                asked(self.secrets.replace(
                    &self.sharing.secret.name,
                    &PostParams::default(),
                    &secret,
                ))
                .await
            }
            None => asked(self.secrets.create(&PostParams::default(), &secret)).await,
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

    /// Writes the bundle where it is missing; the first reason why it cannot be.
    async fn publish(
        &self,
        found: &[bundle::Found],
        bundle: &str,
    ) -> Result<Option<String>, PairError> {
        let mut refused = None;
        for configuration in found {
            let Some(patch) = configuration.patch(bundle) else { continue };
            let outcome = match self.configurations.write(configuration, patch).await {
                // a `test` that fails
                Err(error) if error.is_race() || error.code() == Some(422) => Err(None),
                outcome => outcome.map_err(Some),
            };
            self.rotations.bundle_written(&outcome);
            let (kind, name) = (configuration.kind(), configuration.name());
            match outcome {
                Ok(()) => info!(kind, name, "ca bundle written"),
                Err(None) => return Err(PairError::Outrun),
                Err(Some(error)) => drop(refused.get_or_insert_with(|| {
                    format!("{kind} \"{name}\" cannot be patched: {error}")
                })),
            }
        }
        Ok(refused)
    }

    /// The time of the API server: it is the one that checks the dates. Else that of this machine.
    async fn now(&self) -> Timestamp {
        let request = axum::http::Request::get("/version").body(kube::client::Body::empty());
        let date = async {
            let answer = asked(self.client.send(request.ok()?)).await.ok()?;
            let date = answer.headers().get(axum::http::header::DATE)?.to_str().ok()?;
            Some(rfc2822::parse(date).ok()?.timestamp())
        };
        date.await.unwrap_or_else(Timestamp::now)
    }
}

/// The changes of the object called `name`.
fn changes<K>(
    objects: Api<PartialObjectMeta<K>>,
    name: &str,
) -> BoxStream<'static, Result<(), watcher::Error>>
where
    K: Resource<DynamicType = ()> + Clone + fmt::Debug + Send + Sync + 'static,
{
    let only = watcher::Config::default().fields(&format!("metadata.name={name}"));
    watcher(objects, only).default_backoff().map(|event| event.map(drop)).boxed()
}

#[cfg(test)]
mod tests;
