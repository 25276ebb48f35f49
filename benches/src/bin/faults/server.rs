//! Restraint as a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::certificate::Certificate;

/// A running server, killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) certificate: Certificate,
    _folder: TempDir,
}

/// Where the log goes.
#[derive(Debug)]
pub(crate) enum Log {
    /// To a reader that drops it.
    Read,
    /// To a device that is full.
    Full,
    /// To a pipe that nobody reads any more after the start.
    Stuck,
}

static STARTED: AtomicUsize = AtomicUsize::new(0);

impl Server {
    /// Starts it with these flags.
    pub(crate) fn start(program: &Path, flags: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        Self::start_as(&mut command, flags, &Log::Read)
    }

    /// Starts what `command` begins with.
    pub(crate) fn start_as(
        command: &mut Command,
        flags: &[&str],
        log: &Log,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let certificate = Certificate::make(folder.path())?;
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("RESTRAINT_"))
        {
            command.env_remove(name);
        }
        command
            .args(["serve", "--log-format", "json"])
            .args(flags)
            .env_remove("RUST_LOG")
            .env_remove("KUBERNETES_SERVICE_HOST");
        command
            .arg("--tls-cert")
            .arg(&certificate.certificate)
            .arg("--tls-key")
            .arg(&certificate.key);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let (address, admin, child) = match log {
            Log::Full => {
                // it cannot say where it listens
                let [address, admin] = ports();
                command.args(["--listen", &address.to_string(), "--admin", &admin.to_string()]);
                command.stderr(
                    fs::File::options()
                        .write(true)
                        .open("/dev/full")
                        .context("there is no /dev/full")?,
                );
                (address, admin, command.spawn()?)
            }
            Log::Read | Log::Stuck => {
                command
                    .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
                    .stderr(Stdio::piped());
                let mut child = command
                    .spawn()
                    .with_context(|| format!("cannot start {}", command.get_program().display()))?;
                let mut reader = BufReader::new(child.stderr.take().context("there is no log")?);
                let (address, admin) = serving(&mut reader)?;
                match log {
                    // kept open, for as long as this program lives
                    Log::Stuck => std::mem::forget(reader),
                    _ => drop(std::thread::spawn(move || {
                        drop(std::io::copy(&mut reader, &mut std::io::sink()))
                    })),
                }
                (address, admin, child)
            }
        };
        Ok(Self { child, address, admin, certificate, _folder: folder })
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn ready(&self) -> anyhow::Result<()> {
        for _ in 0..600 {
            if self.get("/readyz").await.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 ")) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the server did not become ready")
    }

    /// The answer of the admin port.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<String> {
        get(self.admin, path).await
    }

    /// The sum of a metric over its labels.
    pub(crate) async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.get("/metrics").await?;
        let values = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
        Ok(values.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// The memory it holds, in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        resident(self.child.id()).context("the server has ended")
    }

    /// How many files it has open.
    pub(crate) fn descriptors(&self) -> anyhow::Result<usize> {
        let folder = format!("/proc/{}/fd", self.child.id());
        Ok(fs::read_dir(folder).context("the server has ended")?.count())
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill(Pid::from_raw(i32::try_from(self.child.id())?), signal)?)
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// How it ended, if it does within so long.
    pub(crate) async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        tokio::time::timeout(within, async {
            loop {
                if let Ok(Some(status)) = self.child.try_wait() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The memory that a process holds, in bytes.
pub(crate) fn resident(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("the kernel does not say VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// The answer to a request without a body.
pub(crate) async fn get(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let mut tcp = TcpStream::connect(address).await?;
    tcp.write_all(
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes(),
    )
    .await?;
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Addresses that were free a moment ago.
fn ports() -> [SocketAddr; 2] {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap_or(0);
    [0, 1].map(|_| {
        let port = first.saturating_add(u16::try_from(STARTED.fetch_add(1, Relaxed)).unwrap_or(0));
        SocketAddr::from(([127, 0, 0, 1], port))
    })
}

fn serving(log: &mut impl BufRead) -> anyhow::Result<(SocketAddr, SocketAddr)> {
    let mut seen = String::new();
    loop {
        let mut text = String::new();
        if log.read_line(&mut text)? == 0 {
            let mut rest = String::new();
            log.read_to_string(&mut rest)?;
            bail!("restraint did not start:\n{seen}{rest}");
        }
        if let Ok(line) = serde_json::from_str::<Value>(&text)
            && line.get("message").is_some_and(|message| message == "serving")
        {
            let address =
                |field: &str| line.get(field).and_then(Value::as_str).unwrap_or_default().parse();
            return Ok((address("address")?, address("admin")?));
        }
        seen.push_str(&text);
    }
}
