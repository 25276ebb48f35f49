//! Mixed reviews at a steady rate for a long time, with memory, descriptors and latency over time;
//! recorded, and beside an audit service, where the caller wants that.

mod auditor;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::outcome::{Outcome, mebibytes, percentile};
use crate::peer::{CREATE, Caller, RESIZE, offer};
use crate::plot::{Series, draw};
use crate::server::Server;
use auditor::Auditor;

/// How long, how much, and what beside it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Minutes that a soak lasts.
    #[arg(long, default_value_t = 60.0, value_name = "MINUTES")]
    minutes: f64,

    /// Reviews a second of a soak.
    #[arg(long, default_value_t = 500, value_name = "COUNT")]
    rate: u32,

    /// Record the reviews of a soak, as `restraint serve --record` does.
    #[arg(long)]
    record: bool,

    /// Beside a soak, audit the cluster of --kubeconfig this often, such as 15s.
    #[arg(long, value_name = "DURATION", requires = "kubeconfig")]
    audit_every: Option<String>,

    /// Where a soak draws its plot, an SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

/// The most that recordings may take, in MiB: little, so that files are dropped again and again.
const RECORDED: u64 = 64;

/// How much is told apart in the plot.
const SLICES: u32 = 60;

pub(crate) async fn run(
    program: &Path,
    options: &Options,
    kubeconfig: Option<&Path>,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let Options { minutes, rate, .. } = *options;
    let recordings = tempfile::tempdir()?;
    let (folder, limit) = (recordings.path().join("kept"), format!("{RECORDED}MiB"));
    let flags = ["--record", &folder.to_string_lossy(), "--record-limit", &limit];
    let server = Server::start(program, if options.record { &flags } else { &[] })?;
    server.ready().await?;
    let auditor = match (&options.audit_every, kubeconfig) {
        (Some(every), Some(kubeconfig)) => Some(Auditor::start(program, kubeconfig, every)?),
        _ => None,
    };
    let caller = Caller::of(server.address);
    let slice = Duration::try_from_secs_f64(minutes * 60.0)? / SLICES;
    let (mut seen, mut failed, begun) = (Seen::default(), 0_usize, Instant::now());
    let (create, resize) = (Bytes::from_static(CREATE), Bytes::from_static(RESIZE));
    let mut asked = 0_usize;
    for number in 1..=SLICES {
        let half = f64::from(rate) / 2.0;
        let (mut one, mut other) = tokio::join!(
            offer(&caller, "/mutate", &create, half, slice),
            offer(&caller, "/validate", &resize, half, slice)
        );
        one.latencies.append(&mut other.latencies);
        one.latencies.sort_unstable();
        asked += one.latencies.len();
        failed += one.failed + other.failed + one.shed.len() + other.shed.len();
        // connections that are churned, not only kept
        for _ in 0..20 {
            drop(caller.connect().await?);
        }
        seen.look(begun.elapsed(), &server, auditor.as_ref(), &one.latencies)?;
        if std::io::stderr().is_terminal() {
            eprint!("\r{number} of {SLICES}");
        }
    }
    outcome.figure(
        format!("{minutes} minutes at {rate} reviews/s"),
        format!("{asked} served, {failed} not"),
    );
    outcome.promise(failed == 0, format!("{failed} reviews were not served"));
    seen.report(outcome);
    outcome.figure("resident at the end", mebibytes(server.resident()?));
    if options.record {
        recorded(&server, &folder, outcome).await?;
    }
    if let Some(auditor) = auditor {
        outcome.figure("audits", auditor.audits().await?);
    }
    if let Some(file) = &options.plot {
        std::fs::write(file, seen.draw())?;
    }
    Ok(())
}

/// Values and the minutes at which they were seen.
type Line = Vec<(f64, f64)>;

/// What there was to see after each slice.
#[derive(Debug, Default)]
struct Seen {
    resident: Line,
    files: Line,
    middle: Line,
    late: Line,
    /// The resident memory of the audit service.
    audit: Line,
}

impl Seen {
    #[expect(clippy::cast_precision_loss)]
    fn look(
        &mut self,
        at: Duration,
        server: &Server,
        auditor: Option<&Auditor>,
        latencies: &[u32],
    ) -> anyhow::Result<()> {
        let now = at.as_secs_f64() / 60.0;
        let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
        self.resident.push((now, mib(server.resident()?)));
        self.files.push((now, f64::from(u32::try_from(server.descriptors()?)?)));
        self.middle.push((now, f64::from(percentile(latencies, 0.5)) / 1000.0));
        self.late.push((now, f64::from(percentile(latencies, 0.99)) / 1000.0));
        if let Some(auditor) = auditor {
            self.audit.push((now, mib(auditor.resident()?)));
        }
        Ok(())
    }

    fn report(&self, outcome: &mut Outcome) {
        let named = "second and last quarter";
        let (early, last) = quarters(&self.resident);
        outcome.figure(format!("resident, {named}"), format!("{early:.1} MiB, {last:.1} MiB"));
        outcome.promise(last < early * 1.05, "memory is flat");
        let (early, last) = quarters(&self.files);
        outcome.figure(format!("descriptors, {named}"), format!("{early:.0}, {last:.0}"));
        outcome.promise(last < early + 20.0, "descriptors are flat");
        if !self.audit.is_empty() {
            // an audit takes some MiB and gives them back: what counts is what stays
            let (early, last) = quarters_by(&self.audit, least);
            let value = format!("{early:.1} MiB, {last:.1} MiB");
            outcome.figure(format!("resident, the audit service, least of {named}"), value);
            outcome.promise(last < early * 1.1, "the audit service's memory is flat");
        }
    }

    fn draw(self) -> String {
        let mut resident = vec![("serve", self.resident)];
        if !self.audit.is_empty() {
            resident.push(("audit", self.audit));
        }
        let panels = [
            Series { name: "resident, MiB", lines: resident },
            Series { name: "open descriptors", lines: vec![("", self.files)] },
            Series { name: "latency, ms", lines: vec![("p50", self.middle), ("p99", self.late)] },
        ];
        draw(&panels, "minutes")
    }
}

/// The means of the second quarter, when all is warm, and of the last.
fn quarters(line: &Line) -> (f64, f64) {
    quarters_by(line, mean)
}

fn quarters_by(line: &Line, figure: fn(&[(f64, f64)]) -> f64) -> (f64, f64) {
    let quarter = line.len() / 4;
    let figure = |some: Option<&[(f64, f64)]>| figure(some.unwrap_or_default());
    (figure(line.get(quarter..2 * quarter)), figure(line.get(3 * quarter..)))
}

fn mean(some: &[(f64, f64)]) -> f64 {
    let count = f64::from(u32::try_from(some.len().max(1)).unwrap_or(1));
    some.iter().map(|(_, value)| value).sum::<f64>() / count
}

fn least(some: &[(f64, f64)]) -> f64 {
    some.iter().map(|(_, value)| *value).reduce(f64::min).unwrap_or_default()
}

/// What became of the reviews that were to be recorded, and what they take on the disk.
async fn recorded(server: &Server, folder: &Path, outcome: &mut Outcome) -> anyhow::Result<()> {
    let metrics = server.get("/metrics").await?;
    let counts = metrics.lines().filter_map(|line| line.strip_prefix("restraint_recordings_total"));
    outcome.figure("recordings", counts.collect::<Vec<_>>().join(", "));
    let mut size = 0;
    for file in std::fs::read_dir(folder)? {
        size += file?.metadata()?.len();
    }
    outcome.figure("on the disk", mebibytes(size));
    let most = RECORDED * 1024 * 1024;
    outcome.promise(size <= most, format!("recordings take at most {RECORDED} MiB"));
    Ok(())
}
