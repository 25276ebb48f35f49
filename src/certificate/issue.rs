//! Making authorities and certificates: P-256, with the extensions that callers check.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// The most that a certificate is valid before it is made: a caller's clock may be behind.
const HEAD_START: SignedDuration = SignedDuration::from_hours(1);

/// A certificate and its key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// From when until when a certificate is valid, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl Validity {
    /// From `now` on, for so long.
    pub(crate) fn starting(now: Timestamp, lifetime: SignedDuration) -> Self {
        let (now, lifetime) = (now.as_second(), lifetime.as_secs());
        Self {
            from: now.saturating_sub(HEAD_START.as_secs().min(lifetime / 10)),
            until: now.saturating_add(lifetime),
        }
    }

    /// The part of it that lies within another.
    pub(crate) fn within(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }

    /// Whether it is valid at `now`.
    pub(crate) fn holds(self, now: Timestamp) -> bool {
        (self.from..=self.until).contains(&now.as_second())
    }

    /// Whether two thirds of it have passed at `now`.
    pub(crate) fn is_due(self, now: Timestamp) -> bool {
        let length = self.until.saturating_sub(self.from);
        now.as_second() >= self.until.saturating_sub(length / 3)
    }
}

/// An authority for serving certificates.
pub(crate) fn authority(name: &str, validity: Validity) -> Result<Issued, rcgen::Error> {
    let mut parameters = parameters(Vec::new(), name, validity)?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    Ok(Issued { certificate: parameters.self_signed(&key)?.pem(), key: key.serialize_pem() })
}

/// A serving certificate for these DNS names and addresses, that `authority` vouches for.
pub(crate) fn leaf(
    names: &[String],
    validity: Validity,
    authority: &Issued,
) -> Result<Issued, rcgen::Error> {
    let issuer =
        Issuer::from_ca_cert_pem(&authority.certificate, KeyPair::from_pem(&authority.key)?)?;
    let mut parameters = parameters(names.to_vec(), "restraint", validity)?;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    Ok(Issued { certificate: parameters.signed_by(&key, &issuer)?.pem(), key: key.serialize_pem() })
}

fn parameters(
    names: Vec<String>,
    common_name: &str,
    validity: Validity,
) -> Result<CertificateParams, rcgen::Error> {
    let moment = |seconds: i64| {
        let since = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        since
            .try_into()
            .ok()
            .and_then(|since| date_time_ymd(1970, 1, 1).checked_add(since))
            .ok_or(rcgen::Error::Time)
    };
    let mut parameters = CertificateParams::new(names)?;
    (parameters.not_before, parameters.not_after) =
        (moment(validity.from)?, moment(validity.until)?);
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    Ok(parameters)
}
