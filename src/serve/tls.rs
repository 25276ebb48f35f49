//! Who the server is, to whom it speaks, and how that changes while it runs.
//!
//! The whole [`ServerConfig`] is swapped at once, so key pair and client authorities cannot come
//! from two rotations. Connections that are open keep what they began with.

mod clients;
pub(super) mod files;
pub(super) mod shared;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use tracing::{info, warn};

use crate::certificate::identity::Contents;
use crate::certificate::{Identity, KeyMaterialError, Leaf, PemKind};

use crate::service::listener::Secured;

use super::followed::{Followed, Outcome};
use super::metrics::Metrics;
pub(super) use clients::Clients;

/// What connections are secured with: the server's identity, and which clients it speaks to.
#[derive(Debug)]
pub(super) struct KeyMaterial {
    config: Arc<ServerConfig>,
    leaf: Arc<Leaf>,
    contents: [Option<Contents>; 2],
}

impl Secured for Followed<KeyMaterial> {
    fn config(&self) -> Arc<ServerConfig> {
        self.load().config()
    }
}

impl KeyMaterial {
    /// Makes it of `identity`. With `clients`, only who shows a certificate of theirs is served;
    /// their authority is read anew, which blocks.
    ///
    /// An expired certificate is served.
    ///
    /// # Errors
    /// Where something cannot be read or used.
    pub(super) fn load(
        identity: Identity,
        clients: Option<&Clients>,
    ) -> Result<Self, KeyMaterialError> {
        let builder = ServerConfig::builder_with_provider(crate::certificate::provider())
            .with_safe_default_protocol_versions()
            .map_err(|cause| KeyMaterialError::Unusable {
                what: PemKind::Certificate,
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

    /// The configuration for a new connection.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// What the certificate says.
    pub(super) fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// In the words of readiness.
    pub(super) fn describe(&self) -> String {
        let leaf = &self.leaf;
        let expiry = jiff::Timestamp::from_second(leaf.not_after).unwrap_or(jiff::Timestamp::MAX);
        format!("for {}, expires {expiry}", leaf.names.join(", "))
    }

    /// Logs that it is in force, and why callers will refuse it, if they will.
    pub(super) fn log(&self) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        info!(
            names = ?self.leaf.names,
            not_after = self.leaf.not_after,
            fingerprint = self.leaf.fingerprint,
            "certificate in force"
        );
        if let Some(fault) = self.leaf.fault(now) {
            warn!("callers will refuse this server: {fault}");
        }
    }

    /// Counts what came of a look at it.
    fn count(&self, outcome: Outcome, metrics: &Metrics) {
        match outcome {
            Outcome::Unchanged => {}
            Outcome::Swapped => metrics.certificate_reload(true),
            Outcome::Refused => metrics.certificate_reload(false),
        }
        metrics.certificate_expiry(self.leaf.not_after);
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
