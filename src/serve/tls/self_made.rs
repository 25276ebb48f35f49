use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::error::TlsError;
use super::identity::{Identity, Pem};

/// An identity made on the spot, for a laptop or a test, and the authority that vouches for it.
///
/// The authority's key is thrown away with the making, so it never vouches for anything else.
#[derive(Debug, Clone)]
pub struct SelfMade {
    /// The identity, for `localhost`, `127.0.0.1`, `::1` and the names asked for.
    pub identity: Identity,
    /// The authority's certificate as PEM: what `curl --cacert` or a `caBundle` takes.
    pub authority: String,
}

impl SelfMade {
    /// Makes an authority and a P-256 leaf that are valid for a year from now.
    ///
    /// # Errors
    /// Where a name is neither a DNS name nor an address.
    pub fn make(names: &[String]) -> Result<Self, TlsError> {
        let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
        all.extend(names.iter().filter(|name| !all.contains(name)).cloned().collect::<Vec<_>>());
        let (chain, key, authority) = issue(&all).map_err(|cause| TlsError::Unmade { names: names.to_vec(), cause: cause.to_string() })?;
        let pem = |text: String| Pem { origin: "self-made".to_owned(), text: text.into_bytes() };
        Ok(Self { identity: Identity::from_pem(&pem(chain), &pem(key))?, authority })
    }
}

/// The leaf, its key and the authority, each as PEM.
fn issue(names: &[String]) -> Result<(String, String, String), rcgen::Error> {
    let mut authority = params(Vec::new(), "restraint self-made authority")?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let mut leaf = params(names.to_vec(), "restraint")?;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &issuer)?;
    Ok((certificate.pem(), key.serialize_pem(), issuer.pem()))
}

fn params(names: Vec<String>, common_name: &str) -> Result<CertificateParams, rcgen::Error> {
    const HOUR: Duration = Duration::from_secs(3_600);
    const YEAR: Duration = Duration::from_secs(365 * 86_400);
    let mut params = CertificateParams::new(names)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let epoch = date_time_ymd(1970, 1, 1);
    // A caller's clock may be behind.
    params.not_before = epoch + now.saturating_sub(HOUR);
    params.not_after = epoch + now.saturating_add(YEAR);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}
