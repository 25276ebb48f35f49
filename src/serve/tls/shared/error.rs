//! What can go wrong with the shared pair.

use crate::serve::request::RequestError;

/// Why the pair is not as it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum PairError {
    /// The API server did not do it.
    #[error("{0}")]
    Request(#[from] RequestError),
    /// A webhook configuration is not the one that was read.
    #[error("a webhook configuration was changed meanwhile")]
    Conflict,
    /// Other replicas were always faster.
    #[error("others change it all the time")]
    Contended,
    /// A certificate cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Unmade(#[from] rcgen::Error),
}
