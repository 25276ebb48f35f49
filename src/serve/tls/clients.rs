//! Mutual TLS: which clients are spoken to.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::certificate::error::{KeyMaterialError, PemKind};
use crate::certificate::identity::{Contents, Pem, alternative_names};
use crate::certificate::provider;

/// Which clients may speak to the server: mutual TLS. Without it anyone who reaches the port may.
///
/// The API server shows a certificate to a webhook only where its own start-up says so:
/// `--admission-control-config-file` names an AdmissionConfiguration whose webhook plugins have a
/// `kubeConfigFile`, with a user for this service's `<service>.<namespace>.svc` (or `*`) that has
/// `client-certificate` and `client-key`. Managed clusters rarely offer that; there, ask for no
/// client certificate and keep others away with a NetworkPolicy.
#[derive(Debug, Clone)]
pub(in crate::serve) struct Clients {
    /// A file of PEM certificates: the authorities that client certificates must come from.
    pub(in crate::serve) authority: PathBuf,
    /// Names of which a client certificate must carry one, as its CN or a DNS name. Empty: any will
    /// do, which is right only if the authority issues for API servers alone; a cluster's own
    /// authority issues for every node and user.
    pub(in crate::serve) names: Vec<String>,
}

impl Clients {
    /// Reads the authority anew.
    pub(super) fn verifier(
        &self,
    ) -> Result<(Arc<dyn ClientCertVerifier>, Contents), KeyMaterialError> {
        let what = PemKind::ClientAuthority;
        let pem = Pem::read(&self.authority, what)?;
        let mut roots = RootCertStore::empty();
        for certificate in pem.certificates(what)? {
            roots.add(certificate).map_err(|cause| pem.damaged(what, cause))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider())
            .build()
            .map_err(|cause| pem.unusable(what, cause))?;
        let contents = Contents::of([&pem.text]);
        if self.names.is_empty() {
            return Ok((verifier, contents));
        }
        let named = Named { chain: verifier, names: self.names.clone() };
        Ok((Arc::new(named), contents))
    }
}

/// Checks the chain as webpki does, then the name.
#[derive(Debug)]
struct Named {
    chain: Arc<dyn ClientCertVerifier>,
    names: Vec<String>,
}

impl ClientCertVerifier for Named {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chain.verify_client_cert(leaf, intermediates, now)?;
        let presented = presented_names(leaf)?;
        if presented.iter().any(|name| self.names.contains(name)) {
            return Ok(verified);
        }
        let stranger = Stranger { presented, expected: self.names.clone() };
        Err(CertificateError::Other(OtherError(Arc::new(stranger))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

fn presented_names(leaf: &CertificateDer<'_>) -> Result<Vec<String>, Error> {
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| CertificateError::BadEncoding)?;
    let common = parsed
        .subject()
        .iter_common_name()
        .filter_map(|name| name.as_str().ok().map(str::to_owned));
    Ok(common.chain(alternative_names(&parsed)).collect())
}

#[derive(Debug, thiserror::Error)]
#[error("client certificate is for {presented:?}, expected one of {expected:?}")]
struct Stranger {
    presented: Vec<String>,
    expected: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::super::testing::Served;
    use super::*;
    use crate::certificate::testing::{Authority, Client, Folder, Pair, meet};
    use crate::serve::followed::Outcome;

    #[test]
    fn a_client_certificate_is_required_where_an_authority_is_named() {
        let (folder, authority, stranger) = (Folder::new(), Authority::new(), Authority::new());
        let ours = authority.issue("kube-apiserver", &[], 4000);
        let named = authority.issue("someone", &["webhooks.example"], 4000);
        let theirs = stranger.issue("kube-apiserver", &[], 4000);
        let expired = authority.issue("kube-apiserver", &[], 2001);
        let file = folder.write("ca.crt", &authority.pem());
        let source = authority.server().write(&folder);
        let trusts = authority.pem();
        let require = |names: &[&str]| {
            let clients = Clients {
                authority: file.clone(),
                names: names.iter().map(|name| (*name).to_owned()).collect(),
            };
            Served::new(&source, Some(clients))
        };
        let admits = |served: &Served, shown: Option<&Pair>| {
            let (tls13, tls12) = (Client::of(&trusts), Client::of(&trusts).old());
            let [new, old] = [tls13, tls12].map(|client| {
                let client = Client { shows: shown, ..client };
                meet(served.in_force().config(), &client, "localhost").is_ok()
            });
            assert_eq!(new, old);
            new
        };

        let mut any = require(&[]);
        assert!(admits(&any, Some(&ours)) && admits(&any, Some(&named)));
        assert!(
            !admits(&any, None) && !admits(&any, Some(&theirs)) && !admits(&any, Some(&expired))
        );

        let one = require(&["kube-apiserver"]);
        assert!(admits(&one, Some(&ours)));
        assert!(!admits(&one, None) && !admits(&one, Some(&named)) && !admits(&one, Some(&theirs)));
        assert!(admits(&require(&["other", "webhooks.example"]), Some(&named)));

        // An authority is followed as the pair is.
        folder.write("ca.crt", "");
        assert_eq!(any.reload(), Outcome::Refused);
        assert!(admits(&any, Some(&ours)));
        folder.write("ca.crt", &stranger.pem());
        assert_eq!(any.reload(), Outcome::Swapped);
        assert!(!admits(&any, Some(&ours)) && admits(&any, Some(&theirs)));
    }
}
