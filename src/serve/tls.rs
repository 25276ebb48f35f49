//! Who the server is, to whom it speaks, and how that changes while it runs.
//!
//! The whole [`ServerConfig`] is swapped at once, so key pair and client authorities cannot come
//! from two rotations. Connections that are open keep what they began with.

mod clients;
pub mod shared;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use tracing::{info, warn};

use crate::certificate::{Identity, IdentitySource, Leaf, TlsError, What};
use crate::certificate::identity::Contents;

use super::follow::{Follow, Pace};
use super::tasks::blocking;
pub use clients::Clients;
pub use shared::{Lifetimes, SharedPair, Sharing};

/// The key material in force.
#[derive(Debug)]
pub struct Certificates {
    source: Mutex<IdentitySource>,
    clients: Option<Clients>,
    in_force: ArcSwap<InForce>,
}

#[derive(Debug)]
struct InForce {
    config: Arc<ServerConfig>,
    leaf: Arc<Leaf>,
    contents: [Option<Contents>; 2],
}

/// What a look at the key material came to.
#[derive(Debug)]
pub enum Reload {
    /// It is what is in force.
    Unchanged,
    /// It was new, and is in force for connections from now on.
    Swapped,
    /// It cannot be used; what was in force stays.
    Refused(TlsError),
}

impl Certificates {
    /// Loads key material for the first time. With `clients`, only who shows a certificate of
    /// theirs is served.
    ///
    /// An expired certificate is served, and logged as a warning.
    ///
    /// # Errors
    /// Where something cannot be read or used.
    pub fn load(source: IdentitySource, clients: Option<Clients>) -> Result<Self, TlsError> {
        let in_force = InForce::load(&source, clients.as_ref())?;
        in_force.leaf.announce();
        Ok(Self { source: Mutex::new(source), clients, in_force: ArcSwap::from_pointee(in_force) })
    }

    /// The configuration for a new connection.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.in_force.load().config)
    }

    /// What the certificate in force says.
    pub fn leaf(&self) -> Arc<Leaf> {
        Arc::clone(&self.in_force.load().leaf)
    }

    /// Looks at the source again, and puts it in force if it is new and sound. Blocks on file
    /// reads.
    pub fn reload(&self) -> Reload {
        // Held throughout: of two reloads at a time the earlier read could otherwise win.
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        self.adopt(&source)
    }

    /// Puts another identity in force, and makes it the source. Blocks on the read of the client
    /// authority.
    pub fn replace(&self, identity: Identity) -> Reload {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let next = IdentitySource::Held(identity);
        let outcome = self.adopt(&next);
        if !matches!(outcome, Reload::Refused(_)) {
            *source = next;
        }
        outcome
    }

    /// Reloads whenever the files may have changed, at once for a start, and reports each outcome.
    /// Never returns while there are files to follow: drop it to stop.
    pub async fn follow(self: Arc<Self>, pace: Pace, mut report: impl FnMut(&Reload)) {
        let paths = self.paths();
        if paths.is_empty() {
            return;
        }
        let mut follow = Follow::start(paths, pace);
        let mut complaint = None;
        loop {
            let certificates = Arc::clone(&self);
            let Some(outcome) = blocking(move || certificates.reload()).await else {
                return;
            };
            // A refusal comes back with each poll; one line says it all.
            let refused = match &outcome {
                Reload::Refused(error) => Some(error.to_string()),
                Reload::Unchanged | Reload::Swapped => None,
            };
            if let Some(refused) = refused.as_ref().filter(|_| refused != complaint) {
                warn!("key material refused, the old stays in force: {refused}");
            }
            complaint = refused;
            report(&outcome);
            follow.changed().await;
        }
    }

    fn adopt(&self, source: &IdentitySource) -> Reload {
        match InForce::load(source, self.clients.as_ref()) {
            Err(error) => Reload::Refused(error),
            Ok(next) if next.contents == self.in_force.load().contents => Reload::Unchanged,
            Ok(next) => {
                next.leaf.announce();
                self.in_force.store(Arc::new(next));
                Reload::Swapped
            }
        }
    }

    fn paths(&self) -> Vec<PathBuf> {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let mut paths = source.paths();
        paths.extend(self.clients.iter().map(|clients| clients.authority.clone()));
        paths
    }
}

impl InForce {
    fn load(source: &IdentitySource, clients: Option<&Clients>) -> Result<Self, TlsError> {
        let identity = source.load()?;
        let builder = ServerConfig::builder_with_provider(crate::certificate::provider())
            .with_safe_default_protocol_versions()
            .map_err(|cause| TlsError::Unusable {
                what: What::Certificate,
                origin: identity.leaf.fingerprint.clone(),
                cause: cause.to_string(),
            })?;
        let (builder, clients) = match clients.map(Clients::verifier).transpose()? {
            Some((verifier, contents)) => {
                (builder.with_client_cert_verifier(verifier), Some(contents))
            }
            None => (builder.with_no_client_auth(), None),
        };
        let mut config =
            builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.pair)));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // API servers resume no session: tickets and memory for it would be for nobody.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self {
            config: Arc::new(config),
            leaf: identity.leaf,
            contents: [Some(identity.contents), clients],
        })
    }
}

impl Leaf {
    fn announce(&self) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        info!(
            names = ?self.names,
            not_after = self.not_after,
            fingerprint = self.fingerprint,
            "certificate in force"
        );
        if let Some(fault) = self.fault(now) {
            warn!("callers will refuse this server: {fault}");
        }
    }
}

#[cfg(test)]
mod tests;
