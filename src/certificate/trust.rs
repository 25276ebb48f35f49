//! Who vouches for a certificate, as callers of the service find out.

use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;

/// Whether `authority` vouches for the first of `chain`, by way of the others, at `time` (seconds
/// since 1970). The time is that of the chain: whether the authority's own has come or passed is
/// looked at elsewhere.
pub(crate) fn vouches(
    authority: &CertificateDer<'static>,
    chain: &[CertificateDer<'static>],
    time: i64,
) -> bool {
    let mut roots = RootCertStore::empty();
    let Some((leaf, between)) =
        chain.split_first().filter(|_| roots.add(authority.clone()).is_ok())
    else {
        return false;
    };
    let Ok(parsed) = ParsedCertificate::try_from(leaf) else { return false };
    let Ok(time) = u64::try_from(time) else { return false };
    let time = UnixTime::since_unix_epoch(Duration::from_secs(time));
    let algorithms = default_provider().signature_verification_algorithms.all;
    verify_server_cert_signed_by_trust_anchor(&parsed, &roots, between, time, algorithms).is_ok()
}
