//! Certificates: reading, checking and making key pairs.

pub(crate) mod error;
pub(crate) mod identity;
pub(crate) mod issue;
pub(crate) mod self_made;
mod source;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod trust;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub(crate) use error::{KeyMaterialError, PemKind};
pub(crate) use identity::{Identity, Leaf, Pem};
pub(crate) use source::IdentitySource;

/// The crypto provider, named at each use: a default of the process would be whoever came first.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: std::sync::LazyLock<Arc<CryptoProvider>> =
        std::sync::LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    Arc::clone(&PROVIDER)
}
