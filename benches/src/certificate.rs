//! The certificate that every server shows: P-256, for loopback, made for one run.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The files of a certificate and its key.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// PEM file with the certificate.
    pub(crate) certificate: PathBuf,
    /// PEM file with its key.
    pub(crate) key: PathBuf,
}

impl Certificate {
    /// The one in `folder`.
    pub(crate) fn of(folder: &Path) -> Self {
        Self { certificate: folder.join("tls.crt"), key: folder.join("tls.key") }
    }

    /// Makes one in `folder`: for this machine, and for the Service by which an API server asks.
    pub(crate) fn make(folder: &Path) -> anyhow::Result<Self> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let certificate = CertificateParams::new(
            ["localhost", "127.0.0.1", "restraint.restraint-bench.svc"].map(str::to_owned),
        )?
        .self_signed(&key)?;
        let files = Self::of(folder);
        std::fs::write(&files.certificate, certificate.pem())
            .context("cannot write the certificate")?;
        std::fs::write(&files.key, key.serialize_pem()).context("cannot write the key")?;
        Ok(files)
    }

    /// The certificate itself, for whoever is to trust it.
    pub(crate) fn read(&self) -> anyhow::Result<CertificateDer<'static>> {
        CertificateDer::from_pem_file(&self.certificate)
            .with_context(|| format!("cannot read {}", self.certificate.display()))
    }

    /// The key, for the server.
    pub(crate) fn read_key(&self) -> anyhow::Result<PrivateKeyDer<'static>> {
        PrivateKeyDer::from_pem_file(&self.key)
            .with_context(|| format!("cannot read {}", self.key.display()))
    }
}
