//! `restraint serve` as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

use crate::admin::Exposition;
use crate::client::{Client, Raw};

/// Far above what anything here takes: reaching it is a failure, not a measurement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// How often to look at what is awaited.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// What a kubelet tells every container.
pub(crate) const IN_POD: (&str, &str) = ("KUBERNETES_SERVICE_HOST", "127.0.0.1");

/// Looks again and again until something is there.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "still not: {what}");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

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
        self.issue_for(&["localhost", "127.0.0.1"])
    }

    /// A certificate for these names and its key, as PEM.
    pub(crate) fn issue_for(&self, names: &[&str]) -> (String, String) {
        self.issue_until(2200, names)
    }

    /// The same, valid until that year begins.
    pub(crate) fn issue_until(&self, year: i32, names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut parameters =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
                .unwrap();
        parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
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
    /// Starts `restraint serve` with these flags, on free ports, with a certificate made for the
    /// test.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_logging("debug,hyper=off,rustls=off,h2=off", flags)
    }

    /// The same, with what `RUST_LOG` asks for.
    pub(crate) fn start_logging(log: &str, flags: &[&str]) -> Self {
        Self::start_with(&[("RUST_LOG", log)], flags)
    }

    /// The same, as in a pod: it waits for policies that are sound.
    pub(crate) fn start_in_pod(flags: &[&str]) -> Self {
        Self::start_with(&[IN_POD], flags)
    }

    fn start_with(variables: &[(&str, &str)], flags: &[&str]) -> Self {
        let authority = Authority::new();
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = authority.issue();
        let (certificate_path, key_path) =
            (folder.path().join("tls.crt"), folder.path().join("tls.key"));
        std::fs::write(&certificate_path, certificate).unwrap();
        std::fs::write(&key_path, key).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_restraint"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--admin",
                "127.0.0.1:0",
                "--log-format",
                "json",
                "--drain-delay",
                "0",
            ])
            .arg("--tls-cert")
            .arg(certificate_path)
            .arg("--tls-key")
            .arg(key_path)
            .args(flags)
            .env("RESTRAINT_REQUEST_DEADLINE", "60000") // a flag overrides it
            .env_remove("KUBERNETES_SERVICE_HOST")
            .env_remove("RUST_LOG")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        follow(BufReader::new(child.stdout.take().unwrap()), sender.clone());
        follow(BufReader::new(child.stderr.take().unwrap()), sender);
        let mut server =
            Self { child, lines, authority, folder, reviews: unknown(), admin: unknown() };
        let serving = server.line("serving");
        let address = |field: &str| serving[field].as_str().unwrap().parse().unwrap();
        (server.reviews, server.admin) = (address("address"), address("admin"));
        server
    }

    /// The next log line whose message begins so; earlier ones are dropped.
    pub(crate) fn line(&self, message: &str) -> Value {
        loop {
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|error| panic!("no line {message:?}: {error}"));
            if line["message"].as_str().is_some_and(|text| text.starts_with(message)) {
                return line;
            }
        }
    }

    /// Every line that was printed and not yet read, up to the end of the server.
    pub(crate) fn last_lines(&self) -> Vec<Value> {
        let next = || match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the server does not end"),
        };
        std::iter::from_fn(next).collect()
    }

    /// Connects to the port for reviews.
    pub(crate) async fn client(&self) -> Client {
        Client::over_tls(self.reviews, &self.authority.pem()).await
    }

    /// Begins a request to `/validate` with these headers; the server waits for its body.
    pub(crate) async fn begin(&self, headers: &str) -> Raw {
        Raw::begin(self.reviews, &self.authority.pem(), headers).await
    }

    /// Connects to the port for reviews, to write bytes.
    pub(crate) async fn raw(&self) -> Raw {
        Raw::over_tls(self.reviews, &self.authority.pem()).await
    }

    /// Connects to the admin port.
    pub(crate) async fn admin_client(&self) -> Client {
        Client::plain(self.admin).await
    }

    /// What the admin port answers.
    pub(crate) async fn admin(&self, path: &str) -> (StatusCode, String) {
        self.admin_client().await.get(path).await
    }

    /// The metrics as they stand.
    pub(crate) async fn metrics(&self) -> Exposition {
        let (status, text) = self.admin("/metrics").await;
        assert_eq!(status, StatusCode::OK);
        Exposition::parse(&text)
    }

    /// What the policies in force and the cap come to, in short.
    pub(crate) async fn digest(&self) -> String {
        self.metrics().await.label("restraint_policies_info", "digest").expect("a digest")
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
        let sent =
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(BETWEEN_LOOKS);
        }
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

/// Reads lines as they come, so that the server never waits for its reader.
fn follow(reader: impl BufRead + Send + 'static, sender: Sender<Value>) {
    std::thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
            let _ = sender.send(value); // keeps reading when nobody listens any more
        }
    });
}
