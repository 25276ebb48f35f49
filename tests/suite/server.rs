//! `restraint serve` as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;

/// Far above what anything here takes: reaching it is a failure, not a measurement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A certificate authority that lives for one test.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `localhost` and its key, as PEM.
    pub(crate) fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        (parameters.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// A running server, killed when dropped.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<Value>,
    authority: Authority,
    folder: TempDir,
    pub(crate) reviews: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Server {
    /// Starts `restraint serve` with these flags, on free ports, with a certificate made for the test.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let authority = Authority::new();
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = authority.issue();
        let (certificate_path, key_path) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
        std::fs::write(&certificate_path, certificate).unwrap();
        std::fs::write(&key_path, key).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_restraint"))
            .args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-format", "json", "--drain-delay", "0"])
            .arg("--tls-cert")
            .arg(certificate_path)
            .arg("--tls-key")
            .arg(key_path)
            .args(flags)
            .env("RUST_LOG", "debug,hyper=off,rustls=off,h2=off")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = follow(BufReader::new(child.stderr.take().unwrap()));
        let mut server = Self { child, lines, authority, folder, reviews: unknown(), admin: unknown() };
        let serving = server.line("serving");
        let address = |field: &str| serving[field].as_str().unwrap().parse().unwrap();
        (server.reviews, server.admin) = (address("address"), address("admin"));
        server
    }

    /// The next log line with this message; earlier ones are dropped.
    pub(crate) fn line(&self, message: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no line {message:?}: {error}"));
            if line["message"] == message {
                return line;
            }
        }
    }

    /// Connects to the port for reviews.
    pub(crate) async fn client(&self) -> Client {
        Client::over_tls(self.reviews, &self.authority.pem()).await
    }

    /// Connects to the admin port.
    pub(crate) async fn admin_client(&self) -> Client {
        Client::plain(self.admin).await
    }

    /// Where the server's certificate and key lie.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The authority behind the server's certificate.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unknown() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Reads log lines as they come, so that the server never waits for its reader.
fn follow(reader: impl BufRead + Send + 'static) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
            let _ = sender.send(value); // keeps reading when nobody listens any more
        }
    });
    receiver
}
