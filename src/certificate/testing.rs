//! What the tests of this folder's neighbours share: volumes as the kubelet writes them,
//! certificates, a deadline.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::{env, fs, process};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};

use super::{IdentitySource, provider};

/// Far above what anything here takes: reaching it is a failure, not a measurement.
pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("should have happened by now")
}

/// A directory for one test, gone with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("restraint-{}-{}", process::id(), COUNT.fetch_add(1, Relaxed));
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a volume's files in the kubelet's own steps: a new directory, and one rename that
    /// shows it.
    pub(crate) fn publish(&self, files: &[(&str, &str)]) {
        let before = fs::read_link(self.path("..data")).ok();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let fresh = format!("..{}", COUNT.fetch_add(1, Relaxed));
        for (name, text) in files {
            self.write(&format!("{fresh}/{name}"), text);
        }
        symlink(&fresh, self.path("..data_tmp")).unwrap();
        fs::rename(self.path("..data_tmp"), self.path("..data")).unwrap();
        for (name, _) in files {
            let first = Path::new(name).iter().next().unwrap();
            let _ = symlink(Path::new("..data").join(first), self.0.join(first));
        }
        if let Some(before) = before {
            fs::remove_dir_all(self.0.join(before)).unwrap();
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A certificate and its key as PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pair {
    pub(crate) fn write(&self, folder: &Folder) -> IdentitySource {
        IdentitySource::Files {
            certificate: folder.write("tls.crt", &self.certificate),
            key: folder.write("tls.key", &self.key),
        }
    }
}

/// An authority that lives for one test.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn issue(&self, common_name: &str, names: &[&str], until_year: i32) -> Pair {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.not_after = date_time_ymd(until_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        Pair {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// A pair for `localhost` and its addresses.
    pub(crate) fn server(&self) -> Pair {
        self.issue("server", &["localhost", "127.0.0.1", "::1"], 4000)
    }
}

/// What a client brings.
pub(crate) struct Client<'a> {
    pub(crate) trusts: &'a str,
    pub(crate) shows: Option<&'a Pair>,
    pub(crate) version: &'static SupportedProtocolVersion,
    pub(crate) protocol: &'a [u8],
}

impl<'a> Client<'a> {
    pub(crate) fn of(trusts: &'a str) -> Self {
        Self { trusts, shows: None, version: &TLS13, protocol: b"http/1.1" }
    }

    pub(crate) fn old(self) -> Self {
        Self { version: &TLS12, ..self }
    }

    pub(crate) fn http2(self) -> Self {
        Self { protocol: b"h2", ..self }
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.trusts.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match self.shows {
            None => builder.with_no_client_auth(),
            Some(pair) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        config.alpn_protocols = vec![self.protocol.to_vec()];
        Arc::new(config)
    }
}

/// Shakes hands in memory, and brings a byte across: a refused client certificate shows only then.
pub(crate) fn meet(
    server: Arc<ServerConfig>,
    client: &Client<'_>,
    name: &str,
) -> Result<ClientConnection, rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(client.config(), name)?;
    let mut server = ServerConnection::new(server)?;
    client.writer().write_all(b"x").unwrap();
    while client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(client)
}
