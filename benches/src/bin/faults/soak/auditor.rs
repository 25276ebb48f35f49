//! Restraint's audit as a service, as a process of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::server;

/// A running audit service, killed when dropped.
#[derive(Debug)]
pub(super) struct Auditor {
    child: Child,
    address: SocketAddr,
}

impl Auditor {
    /// Starts to audit the cluster of `kubeconfig`.
    pub(super) fn start(program: &Path, kubeconfig: &Path, every: &str) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(program)
            .args(["audit", "--all-namespaces", "--every", every])
            .args(["--listen", &address.to_string()])
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .env("NO_PROXY", "*")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, address })
    }

    /// The memory it holds, in bytes.
    pub(super) fn resident(&self) -> anyhow::Result<u64> {
        server::resident(self.child.id()).context("the audit service has ended")
    }

    /// How often it has audited, and with what success, as its metrics tell.
    pub(super) async fn audits(&self) -> anyhow::Result<String> {
        let metrics = server::get(self.address, "/metrics").await?;
        let counts =
            metrics.lines().filter_map(|line| line.strip_prefix("restraint_audit_runs_total"));
        Ok(counts.collect::<Vec<_>>().join(", "))
    }
}

impl Drop for Auditor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
