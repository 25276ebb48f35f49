//! Where an identity comes from.

use std::path::PathBuf;

use super::error::KeyMaterialError;
use super::identity::Identity;

/// Where a server's identity comes from.
#[derive(Debug, Clone)]
pub(crate) enum IdentitySource {
    /// Two PEM files, which may change.
    Files {
        /// The chain, leaf first.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// Held in memory.
    Held(Identity),
}

impl IdentitySource {
    /// The identity as it is there now. Blocks on file reads.
    ///
    /// # Errors
    /// Where it cannot be read or used.
    pub(crate) fn load(&self) -> Result<Identity, KeyMaterialError> {
        match self {
            Self::Files { certificate, key } => Identity::from_files(certificate, key),
            Self::Held(identity) => Ok(identity.clone()),
        }
    }

    /// The files that may change.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        match self {
            Self::Files { certificate, key } => vec![certificate.clone(), key.clone()],
            Self::Held(_) => Vec::new(),
        }
    }
}
