//! The programs of the cluster: etcd, the API server and Restraint, each a process, ended with this
//! one.

#[path = "../../../tests/e2e/cluster/commands.rs"]
mod commands;

use std::fs::{self, File};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::KeyPair;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::certificate::Certificate;

use super::caller::Caller;
use super::objects::Objects;
use super::{Operation, Policy};

/// What everybody shows to be let in: an administrator's.
pub(super) const TOKEN: &str = "admin-token";

/// Far above what anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The processes; those that were started last end first.
#[derive(Debug)]
pub(super) struct Programs {
    restraint: Process,
    apiserver: Process,
    etcd: Process,
    address: SocketAddr,
    certificate: Certificate,
    _folder: TempDir,
}

/// A process, killed when dropped.
#[derive(Debug)]
struct Process(Child);

impl Programs {
    /// Starts them, and returns when every namespace answers as it should.
    pub(super) async fn start(
        assets: &Path,
        restraint: &Path,
        objects: &Objects,
        callers: usize,
    ) -> anyhow::Result<Self> {
        let holder = tempfile::Builder::new().prefix("restraint-bench-").tempdir()?;
        let folder = holder.path();
        let [clients, peers, secure, webhook] = free_ports()?;
        let certificate = Certificate::make(folder)?;
        write_files(folder, &certificate, secure)?;
        let etcd = Process::start(
            &mut commands::etcd(assets, folder, clients, peers),
            &folder.join("etcd.log"),
        )?;
        let mut apiserver = Process::start(
            &mut commands::apiserver(
                assets,
                folder,
                &certificate.certificate,
                &certificate.key,
                clients,
                secure,
            ),
            &folder.join("apiserver.log"),
        )?;
        let kubectl = |arguments: &[&str], input: &str| kubectl(assets, folder, arguments, input);
        eventually("the API server is ready", || {
            apiserver.still_runs(&folder.join("apiserver.log"))?;
            Ok(kubectl(&["get", "--raw", "/readyz"], "").is_ok())
        })
        .await?;
        let authority = STANDARD.encode(fs::read(&certificate.certificate)?);
        for manifest in objects.manifests(callers, webhook, &authority) {
            eventually("objects are created", || {
                Ok(kubectl(&["apply", "--filename", "-"], &manifest).is_ok())
            })
            .await
            .or_else(|error| {
                kubectl(&["apply", "--filename", "-"], &manifest)?;
                Err(error)
            })?;
        }
        let restraint = Process::start(
            &mut serve(restraint, folder, &certificate, webhook)?,
            &folder.join("restraint.log"),
        )?;
        let address = SocketAddr::from(([127, 0, 0, 1], secure));
        let programs = Self { restraint, apiserver, etcd, address, certificate, _folder: holder };
        programs.wait_for_policies(objects).await?;
        Ok(programs)
    }

    /// A new connection to the API server.
    pub(super) async fn caller(&self) -> anyhow::Result<Caller> {
        Caller::connect(self.address, &self.certificate.read()?).await
    }

    /// How long each has been on a processor so far: the API server, etcd, Restraint.
    pub(super) fn on_processor(&self) -> anyhow::Result<[Duration; 3]> {
        Ok([
            self.apiserver.on_processor()?,
            self.etcd.on_processor()?,
            self.restraint.on_processor()?,
        ])
    }

    /// The API server takes note of policies and hooks in its own time: a new pod gets a
    /// `resizePolicy` then, in the namespaces that have any.
    async fn wait_for_policies(&self, objects: &Objects) -> anyhow::Result<()> {
        let mut caller = self.caller().await?;
        for policy in Policy::ALL {
            let begun = Instant::now();
            loop {
                let answer =
                    caller.call(&objects.request(Operation::CreateDryRun, policy, 0)()).await?;
                let pod: Value = serde_json::from_slice(&answer)?;
                let amended = pod
                    .pointer("/spec/containers/0/resizePolicy/1/restartPolicy")
                    .and_then(Value::as_str);
                if (amended == Some("RestartContainer")) == (policy != Policy::None) {
                    break;
                }
                ensure!(
                    begun.elapsed() < PATIENCE,
                    "{} does not act: {amended:?}",
                    policy.as_str()
                );
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }
}

impl Process {
    fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
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

    /// In hundredths of a second, as the kernel says it of a whole process with the threads that
    /// ended.
    fn on_processor(&self) -> anyhow::Result<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))
            .context("a program has ended")?;
        let (_, fields) =
            text.rsplit_once(')').context("the kernel's account is not understood")?;
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Ok(Duration::from_millis(ticks * 10))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn eventually(
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
fn free_ports() -> anyhow::Result<[u16; 4]> {
    let listen = || TcpListener::bind("127.0.0.1:0");
    let listeners = [listen()?, listen()?, listen()?, listen()?];
    let mut ports = [0; 4];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

fn write_files(folder: &Path, certificate: &Certificate, port: u16) -> anyhow::Result<()> {
    let accounts = KeyPair::generate()?;
    fs::write(folder.join("accounts.key"), accounts.serialize_pem())?;
    fs::write(folder.join("accounts.pub"), accounts.public_key_pem())?;
    fs::write(folder.join("tokens.csv"), format!("{TOKEN},admin,admin,\"system:masters\"\n"))?;
    // any 32 bytes
    fs::write(folder.join("seal"), STANDARD.encode([7; 32]))?;
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

fn serve(
    program: &Path,
    folder: &Path,
    certificate: &Certificate,
    port: u16,
) -> anyhow::Result<Command> {
    ensure!(
        program.is_file(),
        "there is no {}: build it with `cargo build --profile dist --bin restraint`",
        program.display()
    );
    let mut command = Command::new(program);
    command.args([
        "serve",
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--admin",
        "127.0.0.1:0",
        "--log-format",
        "json",
    ]);
    command.arg("--tls-cert").arg(&certificate.certificate).arg("--tls-key").arg(&certificate.key);
    command
        .arg("--seal-key")
        .arg(folder.join("seal"))
        .arg("--kubeconfig")
        .arg(folder.join("kubeconfig"))
        .env_remove("RUST_LOG");
    Ok(command)
}
