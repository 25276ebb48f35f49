//! `restraint audit` as a service.

use std::collections::BTreeSet;
use std::process::{Command, ExitStatus};

use serde_json::Value;
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::deadline::eventually;
use crate::kubectl::Person;
use crate::process::Process;
use crate::replica::fetch;

/// A process that audits.
pub(crate) struct Auditor {
    process: Process,
    address: String,
    _folder: TempDir,
}

impl Auditor {
    /// Starts one that audits every second and keeps policy reports.
    pub(crate) fn start(cluster: &Cluster) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
        command.args(["audit", "--all-namespaces", "--every", "1s", "--listen", "127.0.0.1:0"]);
        // as the chart does: nobody has to know which installation there is
        let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");
        command.args(["--cap", "enforce", "--policies", policies]);
        command.args(["--policy-reports", "--log-format", "json", "--kubeconfig"]);
        command.arg(cluster.file(Person::Auditor.kubeconfig()));
        let mut process =
            Process::start("restraint audit", &mut command, folder.path().join("log"));
        let address = process.eventually("restraint audit serves", |log| {
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let line = { lines }.find(|line| line["message"] == "serving")?;
            line["address"].as_str().map(str::to_owned)
        });
        Self { process, address, _folder: folder }
    }

    /// Status and body of a page.
    pub(crate) fn page(&self, path: &str) -> (u16, String) {
        fetch(&self.address, path)
    }

    /// A metric without labels, or with exactly these: `audit_runs_total{result="failed"}`.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let (_, text) = self.page("/metrics");
        let value = text.lines().find_map(|line| {
            line.strip_prefix("restraint_")?.strip_prefix(series)?.strip_prefix(' ')
        });
        value.map_or(0.0, |value| value.parse().unwrap())
    }

    /// The namespaces whose findings are counted one by one.
    pub(crate) fn counted_namespaces(&self) -> BTreeSet<String> {
        let (_, text) = self.page("/metrics");
        let of = |line: &str| {
            let labels = line.strip_prefix("restraint_audit_findings{")?;
            Some(labels.split("namespace=\"").nth(1)?.split('"').next()?.to_owned())
        };
        text.lines().filter_map(of).collect()
    }

    /// Waits until an audit that began after this call has ended well.
    pub(crate) fn once_more(&self) {
        let done = || self.metric("audit_runs_total{result=\"success\"}");
        // one may be under way
        let enough = done() + 2.0;
        eventually("two more audits are done", || (done() >= enough).then_some(()));
    }

    /// Sends SIGTERM and waits for its end.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        self.process.signal("TERM");
        self.process.wait()
    }
}
