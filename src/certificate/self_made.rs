//! Certificates for a laptop or a test.

use jiff::{SignedDuration, Timestamp};

use super::error::KeyMaterialError;
use super::identity::{Identity, Pem};
use super::issue::{self, Issued, Validity};

/// How long a self-made identity is valid, unless somebody says otherwise.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// An identity made on the spot, for a laptop or a test, and its authority's certificate as PEM: the
/// form that `curl --cacert` and a `caBundle` take. It is for `localhost`, `127.0.0.1`, `::1` and
/// `names`, a P-256 leaf, and valid for a year from now.
///
/// The authority's key is thrown away, so it never vouches for anything else.
///
/// # Errors
///
/// Where a name is neither a DNS name nor an address.
pub(crate) fn make(names: &[String]) -> Result<(Identity, String), KeyMaterialError> {
    let (authority, Issued { certificate, key }) = issue(names, YEAR)?;
    let pem = |text: String| Pem { origin: "self-made".to_owned(), text: text.into_bytes() };
    Ok((Identity::from_pem(&pem(certificate), &pem(key))?, authority))
}

/// An authority's certificate, and what it issued for this machine and these names before its key
/// was thrown away.
pub(crate) fn issue(
    names: &[String],
    lifetime: SignedDuration,
) -> Result<(String, Issued), KeyMaterialError> {
    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    for name in names {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    let validity = Validity::starting(Timestamp::now(), lifetime);
    let made = issue::authority("restraint self-made authority", validity).and_then(|authority| {
        let leaf = issue::leaf(&all, validity, &authority)?;
        Ok((authority.certificate, leaf))
    });
    made.map_err(|cause| KeyMaterialError::Unmade {
        names: names.to_vec(),
        cause: cause.to_string(),
    })
}
