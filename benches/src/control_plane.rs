//! The control plane of a cluster: etcd and the API server, each a process, ended with this one.

#[path = "../../tests/e2e/cluster/commands.rs"]
mod commands;

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rcgen::KeyPair;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::account;
use crate::certificate::Certificate;

/// What everybody shows to be let in: an administrator's.
pub(crate) const TOKEN: &str = "admin-token";

/// Far above what anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Names the folder with the programs of the cluster, as it does for other tools.
const ASSETS: &str = "KUBEBUILDER_ASSETS";

/// The folder with etcd, kube-apiserver and kubectl.
pub(crate) fn assets() -> anyhow::Result<PathBuf> {
    let assets = std::env::var_os(ASSETS).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    assets.with_context(|| {
        format!("{ASSETS} does not name a folder with etcd, kube-apiserver and kubectl")
    })
}

/// The processes; the one that was started last ends first.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    apiserver: Option<Process>,
    etcd: Process,
    assets: PathBuf,
    /// Where etcd listens.
    pub(crate) etcd_port: u16,
    /// Where the API server listens.
    pub(crate) port: u16,
    pub(crate) certificate: Certificate,
    holder: TempDir,
}

/// A process, killed when dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl ControlPlane {
    /// Starts etcd alone, with nothing in it.
    pub(crate) fn store(assets: &Path) -> anyhow::Result<Self> {
        let holder = tempfile::Builder::new().prefix("restraint-bench-").tempdir()?;
        let folder = holder.path();
        let [etcd_port, peers, port] = free_ports()?;
        let certificate = Certificate::make(folder)?;
        write_files(folder, &certificate, port)?;
        let etcd = Process::start(
            &mut commands::etcd(assets, folder, etcd_port, peers),
            &folder.join("etcd.log"),
        )?;
        let assets = assets.to_owned();
        Ok(Self { apiserver: None, etcd, assets, etcd_port, port, certificate, holder })
    }

    /// Starts the API server, and returns when it is ready.
    pub(crate) async fn serve(&mut self) -> anyhow::Result<()> {
        let folder = self.folder();
        let log = folder.join("apiserver.log");
        let mut command = commands::apiserver(
            &self.assets,
            folder,
            &self.certificate.certificate,
            &self.certificate.key,
            self.etcd_port,
            self.port,
        );
        let mut apiserver = Process::start(&mut command, &log)?;
        eventually("the API server is ready", || {
            apiserver.still_runs(&log)?;
            Ok(self.kubectl(&["get", "--raw", "/readyz"], "").is_ok())
        })
        .await?;
        self.apiserver = Some(apiserver);
        Ok(())
    }

    /// Where its files are; `kubeconfig` is an administrator's.
    pub(crate) fn folder(&self) -> &Path {
        self.holder.path()
    }

    pub(crate) fn kubectl(&self, arguments: &[&str], input: &str) -> anyhow::Result<()> {
        kubectl(&self.assets, self.folder(), arguments, input)
    }

    /// How long each has been on a processor so far: the API server, etcd.
    pub(crate) fn on_processor(&self) -> anyhow::Result<[Duration; 2]> {
        let apiserver = self.apiserver.as_ref().context("the API server was not started")?;
        Ok([apiserver.on_processor()?, self.etcd.on_processor()?])
    }
}

impl Process {
    pub(crate) fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let file = File::create(log)?;
        // a proxy that serves the machine must not get between programs on it
        command.env("NO_PROXY", "*").env("no_proxy", "*");
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        Ok(Self(
            command
                .spawn()
                .with_context(|| format!("cannot start {}", command.get_program().display()))?,
        ))
    }

    fn still_runs(&mut self, log: &Path) -> anyhow::Result<()> {
        if let Some(status) = self.0.try_wait()? {
            bail!("it ended with {status}:\n{}", fs::read_to_string(log)?);
        }
        Ok(())
    }

    /// How long it has been on a processor so far.
    pub(crate) fn on_processor(&self) -> anyhow::Result<Duration> {
        account::on_processor(self.0.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until `look` sees it.
pub(crate) async fn eventually(
    what: &str,
    mut look: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    while !look()? {
        ensure!(begun.elapsed() < PATIENCE, "waited {} s for this: {what}", PATIENCE.as_secs());
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

fn kubectl(assets: &Path, folder: &Path, arguments: &[&str], input: &str) -> anyhow::Result<()> {
    let mut command = Command::new(assets.join("kubectl"));
    command
        .args(arguments)
        .env("HOME", folder)
        .env("KUBECONFIG", folder.join("kubeconfig"))
        .env("NO_PROXY", "*")
        .env("no_proxy", "*");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start kubectl")?;
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes())); // it need not read all of it
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "kubectl {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Ports that nobody listens on.
pub(crate) fn free_ports<const COUNT: usize>() -> anyhow::Result<[u16; COUNT]> {
    let mut ports = [0; COUNT];
    let mut listeners = Vec::new();
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

fn write_files(folder: &Path, certificate: &Certificate, port: u16) -> anyhow::Result<()> {
    let accounts = KeyPair::generate()?;
    fs::write(folder.join("accounts.key"), accounts.serialize_pem())?;
    fs::write(folder.join("accounts.pub"), accounts.public_key_pem())?;
    fs::write(folder.join("tokens.csv"), format!("{TOKEN},admin,admin,\"system:masters\"\n"))?;
    let server = format!("https://127.0.0.1:{port}");
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bench", "cluster": {"server": server, "certificate-authority": certificate.certificate}}],
        "users": [{"name": "bench", "user": {"token": TOKEN}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "current-context": "bench",
    });
    Ok(fs::write(folder.join("kubeconfig"), kubeconfig.to_string())?)
}
