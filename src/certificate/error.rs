//! What can be wrong with certificates and keys.

use thiserror::Error;

/// Why key material cannot be used, and what to do about it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum KeyMaterialError {
    /// A file cannot be read.
    #[error(
        "cannot read {what} \"{origin}\": {cause}; check the path, the volume and that this user may read it"
    )]
    Unreadable {
        /// What was looked for.
        what: PemKind,
        /// The file.
        origin: String,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The text has no block of the kind that is needed.
    #[error("no {what} in \"{origin}\"; it must have a PEM block {}", what.block())]
    Missing {
        /// What was looked for.
        what: PemKind,
        /// Where it was looked for.
        origin: String,
    },
    /// The text is not PEM, or holds something that is not what its label says.
    #[error("damaged {what} in \"{origin}\": {cause}; write it anew, as PEM")]
    Damaged {
        /// What was looked for.
        what: PemKind,
        /// Where it was looked for.
        origin: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Certificate and key are each well, but not of one another: a rotation is half done, or the
    /// chain is upside down.
    #[error(
        "key \"{key}\" does not belong to the first certificate in \"{certificate}\"; \
         if a rotation is under way it will pass, else put the leaf first and write both files anew"
    )]
    Mismatched {
        /// Where the certificate came from.
        certificate: String,
        /// Where the key came from.
        key: String,
    },
    /// The TLS library refuses the material, for instance a kind of key it does not speak.
    #[error("cannot use {what} \"{origin}\": {cause}")]
    Unusable {
        /// What was refused.
        what: PemKind,
        /// Where it came from.
        origin: String,
        /// The library's reason.
        cause: String,
    },
    /// A certificate cannot be made.
    #[error(
        "cannot make a certificate for {names:?}: {cause}; names are DNS names or IP addresses"
    )]
    Unmade {
        /// The names it was to carry.
        names: Vec<String>,
        /// The library's reason.
        cause: String,
    },
}

/// A kind of key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PemKind {
    /// The server's certificate chain.
    Certificate,
    /// The server's private key.
    Key,
    /// The authorities that client certificates must come from.
    ClientAuthority,
    /// The authorities that the server's certificate must come from.
    Authority,
}

impl PemKind {
    fn block(self) -> &'static str {
        match self {
            Self::Certificate | Self::ClientAuthority | Self::Authority => "\"BEGIN CERTIFICATE\"",
            Self::Key => "\"BEGIN PRIVATE KEY\" (or RSA or EC; not encrypted)",
        }
    }
}

impl std::fmt::Display for PemKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
            Self::ClientAuthority => "client authority",
            Self::Authority => "authority",
        })
    }
}
