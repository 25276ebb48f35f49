//! A server as a process of its own: started, measured, ended.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::account::{self, Memory};
use crate::certificate::Certificate;
use crate::serve::Rival;

/// A running server, killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts this program again as `rival`.
    pub(crate) fn rival(rival: Rival, certificate: &Certificate) -> anyhow::Result<Self> {
        let name = match rival {
            Rival::Floor => "floor",
            Rival::Kube => "kube",
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", name]);
        Self::start(name, command, certificate)
    }

    /// Starts kube's types on the allocator that a program has unless it chooses another.
    pub(crate) fn kube_on_system_allocator(certificate: &Certificate) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("kube-on-system-allocator");
        if !program.is_file() {
            bail!(
                "there is no {}: build it with `cargo build --release --bins` in benches",
                program.display()
            );
        }
        Self::start("kube", Command::new(program), certificate)
    }

    fn start(name: &str, mut command: Command, certificate: &Certificate) -> anyhow::Result<Self> {
        command.args(certificate.certificate.parent());
        let mut child = spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address =
            line.trim().parse().with_context(|| format!("the server \"{name}\" did not start"))?;
        Ok(Self { child, address })
    }

    /// Starts Restraint with its default policies.
    pub(crate) fn restraint(program: &Path, certificate: &Certificate) -> anyhow::Result<Self> {
        if !program.is_file() {
            let way_out = "build it with `cargo build --profile dist --bin restraint`, or name another with --restraint";
            bail!("there is no {}: {way_out}", program.display());
        }
        let mut command = Command::new(program);
        command.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
            "--log-format",
            "json",
        ]);
        command
            .arg("--tls-cert")
            .arg(&certificate.certificate)
            .arg("--tls-key")
            .arg(&certificate.key)
            .env_remove("RUST_LOG");
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("RESTRAINT_"))
        {
            command.env_remove(name);
        }
        let mut child =
            spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()))?;
        let log = child.stderr.take().context("restraint has no log")?;
        let address = serving(BufReader::new(log))
            .with_context(|| format!("{} did not start", program.display()))?;
        Ok(Self { child, address })
    }

    /// How long it has been on a processor so far, in the kernel and out of it.
    pub(crate) fn on_processor(&self) -> anyhow::Result<Duration> {
        account::on_processor(self.process())
    }

    /// The memory it holds, in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        Ok(Memory::of(self.process())?.resident)
    }

    /// Its number.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every server has one worker thread.
fn spawn(command: &mut Command) -> anyhow::Result<Child> {
    command
        .env("TOKIO_WORKER_THREADS", "1")
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    message: String,
    #[serde(default)]
    address: String,
}

/// The address from the log; what follows is read and dropped, as a container runtime would read
/// it.
fn serving(mut log: impl BufRead + Send + 'static) -> anyhow::Result<SocketAddr> {
    let mut seen = String::new();
    loop {
        let mut text = String::new();
        if log.read_line(&mut text)? == 0 {
            bail!("it said:\n{seen}");
        }
        if let Ok(Line { message, address }) = serde_json::from_str(&text)
            && message == "serving"
        {
            std::thread::spawn(move || {
                let mut chunk = vec![0; 64 * 1024];
                while log.read(&mut chunk).is_ok_and(|length| length > 0) {}
            });
            return Ok(address.parse()?);
        }
        seen.push_str(&text);
    }
}
