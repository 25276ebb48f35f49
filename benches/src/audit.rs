//! What an audit of a large cluster takes, with a real API server: wall time, processor time and
//! memory.
//!
//! The cluster is written into etcd before the API server starts: making it through the API would
//! take longer than everything else.

mod fleet;
mod store;

use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::account::Memory;
use crate::control_plane::{ControlPlane, assets};
use crate::machine::Machine;
use crate::measure::show;
use crate::report::mebibytes;
use crate::{page, until_interrupted};
use fleet::{Fleet, Written};
use store::Store;

/// How often the kernel is asked for the peak of memory.
const LOOK: Duration = Duration::from_millis(2);

/// The most seconds that it should take.
const SECONDS: f64 = 30.0;

/// The most memory that it should take, in MiB.
const MEBIBYTES: f64 = 100.0;

/// The cluster, and how the figures are printed.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The cluster.
    #[command(flatten)]
    fleet: Fleet,

    /// Print JSON instead of Markdown.
    #[arg(long)]
    json: bool,

    /// Write the figures into docs/performance.md.
    #[arg(long)]
    write: bool,
}

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    machine: Machine,
    written: Written,
    findings: usize,
    /// Bytes of the report.
    report: u64,
    seconds: f64,
    /// Seconds on a processor: Restraint, the API server.
    processor: [f64; 2],
    mebibytes: f64,
}

/// Measures and prints. Whether the goals are met.
pub(crate) fn run(options: &Options, restraint: &Path) -> anyhow::Result<bool> {
    let assets = assets()?;
    let machine = Machine::look(None);
    let measured = until_interrupted(async {
        show("starting etcd");
        let mut control_plane = ControlPlane::store(&assets)?;
        let mut store = Store::connect(control_plane.etcd_port).await?;
        let written = options.fleet.write(&mut store).await?;
        show("starting kube-apiserver");
        control_plane.serve().await?;
        measure(restraint, &control_plane, machine, written).await
    });
    show("");
    let measured = measured?;
    page::print(&measured, options.json)?;
    if options.write {
        page::write_block("audit", &measured.to_string())?;
    }
    Ok(measured.seconds <= SECONDS && measured.mebibytes <= MEBIBYTES)
}

async fn measure(
    restraint: &Path,
    control_plane: &ControlPlane,
    machine: Machine,
    written: Written,
) -> anyhow::Result<Measured> {
    let path = control_plane.folder().join("report.json");
    let log = control_plane.folder().join("audit.log");
    let mut command = Command::new(restraint);
    command
        .args(["audit", "-A", "-o", "json", "--strict", "--kubeconfig"])
        .arg(control_plane.folder().join("kubeconfig"))
        .arg("--file")
        .arg(&path)
        .env("NO_PROXY", "*")
        .env("no_proxy", "*")
        .env_remove("RESTRAINT_POLICIES")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?);
    show("auditing");
    let [served, _] = control_plane.on_processor()?;
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let begun = Instant::now();
    let mut child =
        command.spawn().with_context(|| format!("cannot start {}", restraint.display()))?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(Memory::of(child.id()).unwrap_or_default().peak);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        sleep(LOOK).await;
    };
    let seconds = begun.elapsed().as_secs_f64();
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let [serving, _] = control_plane.on_processor()?;
    ensure!(status.success(), "the audit ended with {status}: {}", fs::read_to_string(&log)?);
    let text = fs::read_to_string(&path)?;
    let report: Value = serde_json::from_str(&text)?;
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64);
    ensure!(
        number("/totals/pods") == Some(written.pods as u64),
        "the report has {:?} pods of {}",
        number("/totals/pods"),
        written.pods
    );
    Ok(Measured {
        machine,
        findings: report.get("findings").and_then(Value::as_array).map_or(0, Vec::len),
        report: text.len() as u64,
        written,
        seconds,
        processor: [
            on_processor(&after) - on_processor(&before),
            serving.saturating_sub(served).as_secs_f64(),
        ],
        mebibytes: mebibytes(peak),
    })
}

fn on_processor(usage: &Usage) -> f64 {
    let times = [usage.user_time(), usage.system_time()];
    times.iter().map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6).sum()
}

impl fmt::Display for Measured {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, written, findings, report, seconds, processor, mebibytes } = self;
        let [own, server] = processor;
        let met = |is_met: bool| if is_met { "met" } else { "**missed**" };
        writeln!(out, "{machine}\n")?;
        writeln!(out, "{written}; {findings} findings, a report of {report} bytes\n")?;
        writeln!(out, "| | figure | goal | |\n|---|--:|--:|---|")?;
        writeln!(
            out,
            "| wall time | {seconds:.1} s | {SECONDS} s | {} |",
            met(*seconds <= SECONDS)
        )?;
        writeln!(out, "| processor time | {own:.1} s | | |")?;
        writeln!(out, "| processor time of the API server | {server:.1} s | | |")?;
        writeln!(
            out,
            "| most memory | {mebibytes:.1} MiB | {MEBIBYTES} MiB | {} |",
            met(*mebibytes <= MEBIBYTES)
        )
    }
}
