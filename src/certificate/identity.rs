//! Reading certificates and keys.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256, digest};
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::error::{KeyMaterialError, PemKind};
use super::provider;

/// A piece of PEM and where it came from.
#[derive(Clone)]
pub(crate) struct Pem {
    /// A path, or what else messages should call it.
    pub origin: String,
    /// The text.
    pub text: Vec<u8>,
}

impl Pem {
    pub(crate) fn read(path: &Path, what: PemKind) -> Result<Self, KeyMaterialError> {
        let origin = path.display().to_string();
        match std::fs::read(path) {
            Ok(text) => Ok(Self { origin, text }),
            Err(cause) => Err(KeyMaterialError::Unreadable { what, origin, cause }),
        }
    }

    pub(crate) fn certificates(
        &self,
        what: PemKind,
    ) -> Result<Vec<CertificateDer<'static>>, KeyMaterialError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.text)
            .collect::<Result<_, _>>()
            .map_err(|cause| self.damaged(what, cause))?;
        if chain.is_empty() {
            return Err(self.missing(what));
        }
        Ok(chain)
    }

    /// Its certificates, and what they say.
    ///
    /// # Errors
    /// Where there is none, or one is damaged.
    pub(crate) fn read_certificates(
        &self,
        what: PemKind,
    ) -> Result<Vec<(CertificateDer<'static>, Leaf)>, KeyMaterialError> {
        let read = |der: CertificateDer<'static>| Leaf::read(&der, self).map(|leaf| (der, leaf));
        self.certificates(what)?.into_iter().map(read).collect()
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, KeyMaterialError> {
        PrivateKeyDer::from_pem_slice(&self.text).map_err(|cause| match cause {
            PemError::NoItemsFound => self.missing(PemKind::Key),
            cause => self.damaged(PemKind::Key, cause),
        })
    }

    fn missing(&self, what: PemKind) -> KeyMaterialError {
        KeyMaterialError::Missing { what, origin: self.origin.clone() }
    }

    pub(crate) fn damaged(&self, what: PemKind, cause: impl ToString) -> KeyMaterialError {
        KeyMaterialError::Damaged { what, origin: self.origin.clone(), cause: cause.to_string() }
    }

    pub(crate) fn unusable(&self, what: PemKind, cause: impl ToString) -> KeyMaterialError {
        KeyMaterialError::Unusable { what, origin: self.origin.clone(), cause: cause.to_string() }
    }
}

/// A certificate chain and the key it was issued for: who this server is.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) pair: Arc<CertifiedKey>,
    pub(crate) leaf: Arc<Leaf>,
    pub(crate) contents: Contents,
}

impl Identity {
    /// Reads a chain (leaf first) and its key.
    ///
    /// # Errors
    /// Where either is absent or damaged, or where they do not belong together.
    pub(crate) fn from_pem(certificate: &Pem, key: &Pem) -> Result<Self, KeyMaterialError> {
        let chain = certificate.certificates(PemKind::Certificate)?;
        let leaf = chain
            .first()
            .ok_or_else(|| certificate.missing(PemKind::Certificate))
            .and_then(|leaf| Leaf::read(leaf, certificate))?;
        let signer = provider()
            .key_provider
            .load_private_key(key.key()?)
            .map_err(|cause| key.unusable(PemKind::Key, cause))?;
        let pair = CertifiedKey::new(chain, signer);
        match pair.keys_match() {
            Ok(()) => {}
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                return Err(KeyMaterialError::Mismatched {
                    certificate: certificate.origin.clone(),
                    key: key.origin.clone(),
                });
            }
            Err(cause) => return Err(certificate.unusable(PemKind::Certificate, cause)),
        }
        Ok(Self {
            pair: Arc::new(pair),
            leaf: Arc::new(leaf),
            contents: Contents::of([&certificate.text, &key.text]),
        })
    }

    /// Reads a chain and its key from files.
    ///
    /// # Errors
    /// As [`Identity::from_pem`], and where a file cannot be read.
    pub(crate) fn from_files(certificate: &Path, key: &Path) -> Result<Self, KeyMaterialError> {
        Self::from_pem(
            &Pem::read(certificate, PemKind::Certificate)?,
            &Pem::read(key, PemKind::Key)?,
        )
    }

    /// What its certificate says.
    pub(crate) fn leaf(&self) -> &Leaf {
        &self.leaf
    }
}

/// What the server's own certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Valid from, in seconds since 1970.
    pub not_before: i64,
    /// Valid until, in seconds since 1970.
    pub not_after: i64,
    /// The DNS names and addresses it is for, sorted.
    pub names: Vec<String>,
    /// SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` shows it.
    pub fingerprint: String,
}

impl Leaf {
    fn read(certificate: &CertificateDer<'_>, pem: &Pem) -> Result<Self, KeyMaterialError> {
        let (_, parsed) = X509Certificate::from_der(certificate)
            .map_err(|cause| pem.damaged(PemKind::Certificate, cause))?;
        Ok(Self {
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            names: alternative_names(&parsed),
            fingerprint: digest(&SHA256, certificate)
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect::<Vec<_>>()
                .join(":"),
        })
    }

    /// What makes callers refuse this certificate at `now` (seconds since 1970), if anything does.
    ///
    /// Such a certificate is served all the same: a caller's error says more than a closed port.
    pub(crate) fn fault(&self, now: i64) -> Option<String> {
        if now > self.not_after {
            let since = now.saturating_sub(self.not_after);
            return Some(format!("certificate expired {since} s ago"));
        }
        if now < self.not_before {
            let until = self.not_before.saturating_sub(now);
            return Some(format!(
                "certificate is not valid for another {until} s; is a clock wrong?"
            ));
        }
        self.names.is_empty().then(|| {
            "certificate names no host: subjectAltName is needed, CN is ignored".to_owned()
        })
    }
}

/// The DNS names and addresses in a certificate's subjectAltName, sorted.
pub(crate) fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let mut names: Vec<_> = extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(octets) => address(octets).map(|address| address.to_string()),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(octets)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
        .ok()
}

/// What files held, as a digest: enough to see a change without keeping a key's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contents([u8; 32]);

impl Contents {
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a Vec<u8>>) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            // Each part's own digest, so that bytes cannot move from one part to the next unseen.
            context.update(digest(&SHA256, part).as_ref());
        }
        let mut contents = [0; 32];
        for (to, from) in contents.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self(contents)
    }
}
