//! What the Secret holds, as far as it can be used. Reading it never fails: what is missing or
//! damaged is not there.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use rcgen::{KeyPair, PublicKeyData};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::certificate::identity::{Identity, Pem};
use crate::certificate::issue::{Issued, Validity};
use crate::certificate::trust::vouches;

/// The authorities to trust; the first one issues.
pub(super) const AUTHORITIES: &str = "ca.crt";
/// The key of the authority that issues.
pub(super) const AUTHORITY_KEY: &str = "ca.key";
/// The serving certificate.
pub(super) const CERTIFICATE: &str = "tls.crt";
/// Its key.
pub(super) const KEY: &str = "tls.key";
/// The last serving certificate of the authority before, without its key: until it ends that
/// authority is trusted.
pub(super) const PREVIOUS: &str = "previous.crt";

/// The most authorities that are read: more than rotations can leave behind.
const MOST: usize = 16;

/// An authority's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    der: CertificateDer<'static>,
    pub(super) validity: Validity,
}

/// A serving certificate with its key.
#[derive(Clone)]
pub(super) struct Leaf {
    pub(super) identity: Identity,
    pub(super) issued: Issued,
}

/// A certificate that served before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Previous {
    pub(super) certificate: String,
    pub(super) until: i64,
}

/// What the Secret holds.
#[derive(Clone, Default)]
pub(super) struct Material {
    /// Who is trusted: first who issues, then who did before.
    pub(super) trusted: Vec<Authority>,
    /// The key of the first, where it fits.
    pub(super) key: Option<String>,
    pub(super) leaf: Option<Leaf>,
    pub(super) previous: Option<Previous>,
}

impl Authority {
    fn read(der: CertificateDer<'static>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(&der).ok()?;
        let is_authority = parsed
            .basic_constraints()
            .ok()
            .flatten()
            .is_some_and(|constraints| constraints.value.ca);
        let validity = validity(&parsed);
        is_authority.then_some(Self { der, validity })
    }

    /// The first in a PEM text.
    pub(super) fn from_pem(text: &str) -> Option<Self> {
        Self::read(CertificateDer::from_pem_slice(text.as_bytes()).ok()?)
    }

    pub(super) fn pem(&self) -> String {
        pem(&self.der)
    }

    /// A name for logs.
    pub(super) fn fingerprint(&self) -> String {
        digest(&SHA256, &self.der)
            .as_ref()
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02X}"))
            .collect::<Vec<_>>()
            .join(":")
    }

    fn fits(&self, key: &str) -> bool {
        let Ok(pair) = KeyPair::from_pem(key) else { return false };
        X509Certificate::from_der(&self.der)
            .is_ok_and(|(_, parsed)| parsed.public_key().raw == pair.subject_public_key_info())
    }

    /// Whether it vouches for this leaf.
    fn issued(&self, leaf: &Leaf) -> bool {
        let chain = leaf.identity.pair.cert.get(..1).unwrap_or_default();
        // dates are looked at elsewhere
        vouches(&self.der, chain, leaf.validity().from)
    }
}

impl Leaf {
    /// Reads a pair that belongs together.
    pub(super) fn read(issued: Issued) -> Option<Self> {
        let pem = |origin: &str, text: &str| Pem {
            origin: origin.to_owned(),
            text: text.as_bytes().to_vec(),
        };
        let identity =
            Identity::from_pem(&pem(CERTIFICATE, &issued.certificate), &pem(KEY, &issued.key))
                .ok()?;
        Some(Self { identity, issued })
    }

    pub(super) fn validity(&self) -> Validity {
        let leaf = self.identity.leaf();
        Validity { from: leaf.not_before, until: leaf.not_after }
    }

    /// Whether it is for all of these.
    pub(super) fn names(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.identity.leaf().names.contains(name))
    }
}

impl Material {
    pub(super) fn read(data: &BTreeMap<String, ByteString>) -> Self {
        let text = |name: &str| {
            data.get(name).and_then(|ByteString(bytes)| String::from_utf8(bytes.clone()).ok())
        };
        let mut trusted: Vec<Authority> = Vec::new();
        let authorities = text(AUTHORITIES).unwrap_or_default();
        for der in CertificateDer::pem_slice_iter(authorities.as_bytes()).filter_map(Result::ok) {
            trusted.extend(
                Authority::read(der)
                    .filter(|authority| trusted.len() < MOST && !trusted.contains(authority)),
            );
        }
        let key =
            text(AUTHORITY_KEY).filter(|key| trusted.first().is_some_and(|first| first.fits(key)));
        let leaf = text(CERTIFICATE)
            .zip(text(KEY))
            .and_then(|(certificate, key)| Leaf::read(Issued { certificate, key }));
        let previous = text(PREVIOUS).and_then(|certificate| {
            let der = CertificateDer::from_pem_slice(certificate.as_bytes()).ok()?;
            let until =
                X509Certificate::from_der(&der).ok().map(|(_, parsed)| validity(&parsed).until)?;
            Some(Previous { certificate, until })
        });
        Self { trusted, key, leaf, previous }
    }

    /// Puts it into a Secret's data, beside what others keep there.
    pub(super) fn write(&self, data: &mut BTreeMap<String, ByteString>) {
        let mut put = |name: &str, text: Option<String>| match text {
            Some(text) => drop(data.insert(name.to_owned(), ByteString(text.into_bytes()))),
            None => drop(data.remove(name)),
        };
        put(AUTHORITIES, Some(self.bundle()));
        put(AUTHORITY_KEY, self.key.clone());
        put(CERTIFICATE, self.leaf.as_ref().map(|leaf| leaf.issued.certificate.clone()));
        put(KEY, self.leaf.as_ref().map(|leaf| leaf.issued.key.clone()));
        put(PREVIOUS, self.previous.as_ref().map(|previous| previous.certificate.clone()));
    }

    /// Everybody who is trusted, as PEM: what belongs into a `caBundle`.
    pub(super) fn bundle(&self) -> String {
        self.trusted.iter().map(Authority::pem).collect()
    }

    /// What issues, if it can at `now`.
    pub(super) fn issuer(&self, now: Timestamp) -> Option<Issuer<'_>> {
        let authority = self.trusted.first().filter(|first| first.validity.holds(now))?;
        Some(Issuer { authority, key: self.key.as_deref()? })
    }

    /// The leaf, where callers who trust `trusted` accept it at `now`, and the place of who vouches
    /// for it.
    pub(super) fn sound(&self, trusted: &[Authority], now: Timestamp) -> Option<(&Leaf, usize)> {
        let leaf = self.leaf.as_ref().filter(|leaf| leaf.validity().holds(now))?;
        let place = trusted
            .iter()
            .position(|authority| authority.validity.holds(now) && authority.issued(leaf))?;
        Some((leaf, place))
    }
}

/// An authority that can issue.
pub(super) struct Issuer<'m> {
    pub(super) authority: &'m Authority,
    key: &'m str,
}

impl Issuer<'_> {
    pub(super) fn issued(&self) -> Issued {
        Issued { certificate: self.authority.pem(), key: self.key.to_owned() }
    }
}

fn validity(certificate: &X509Certificate<'_>) -> Validity {
    let validity = certificate.validity();
    Validity { from: validity.not_before.timestamp(), until: validity.not_after.timestamp() }
}

fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for (index, character) in encoded.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text + "\n-----END CERTIFICATE-----\n"
}
