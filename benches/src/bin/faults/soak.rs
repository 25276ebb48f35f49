//! Mixed reviews at a steady rate for a long time, with memory, descriptors and latency over time.

use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::outcome::{Outcome, mebibytes, percentile};
use crate::peer::{CREATE, Caller, RESIZE, offer};
use crate::plot::{Series, draw};
use crate::server::Server;

/// How much is told apart in the plot.
const SLICES: u32 = 60;

pub(crate) async fn run(
    program: &Path,
    minutes: f64,
    rate: u32,
    plot: Option<&Path>,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let server = Server::start(program, &[])?;
    server.ready().await?;
    let caller = Caller::of(server.address);
    let slice = Duration::try_from_secs_f64(minutes * 60.0)? / SLICES;
    let (mut resident, mut files, mut middle, mut late) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut asked, mut failed, begun) = (0_usize, 0_usize, Instant::now());
    let (create, resize) = (Bytes::from_static(CREATE), Bytes::from_static(RESIZE));
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
        let now = begun.elapsed().as_secs_f64() / 60.0;
        #[expect(clippy::cast_precision_loss)]
        resident.push((now, server.resident()? as f64 / 1_048_576.0));
        files.push((now, f64::from(u32::try_from(server.descriptors()?)?)));
        middle.push((now, f64::from(percentile(&one.latencies, 0.5)) / 1000.0));
        late.push((now, f64::from(percentile(&one.latencies, 0.99)) / 1000.0));
        if std::io::stderr().is_terminal() {
            eprint!("\r{number} of {SLICES}");
        }
    }
    let ends = |series: &[(f64, f64)]| {
        let values: Vec<_> = series.iter().map(|(_, value)| *value).collect();
        let quarter = values.len() / 4;
        let mean = |some: &[f64]| {
            some.iter().sum::<f64>() / f64::from(u32::try_from(some.len().max(1)).unwrap_or(1))
        };
        (
            mean(values.get(quarter..2 * quarter).unwrap_or_default()),
            mean(values.get(3 * quarter..).unwrap_or_default()),
        )
    };
    outcome.figure(
        format!("{minutes} minutes at {rate} reviews/s"),
        format!("{asked} served, {failed} not"),
    );
    let ((early, last), (opened, open)) = (ends(&resident), ends(&files));
    outcome.figure("resident, second and last quarter", format!("{early:.1} MiB, {last:.1} MiB"));
    outcome.figure("descriptors, second and last quarter", format!("{opened:.0}, {open:.0}"));
    outcome.figure("resident at the end", mebibytes(server.resident()?));
    outcome.promise(failed == 0, format!("{failed} reviews were not served"));
    outcome.promise(last < early * 1.05, "memory is flat");
    outcome.promise(open < opened + 20.0, "descriptors are flat");
    if let Some(file) = plot {
        let panels = [
            Series { name: "resident, MiB", lines: vec![("", resident)] },
            Series { name: "open descriptors", lines: vec![("", files)] },
            Series { name: "latency, ms", lines: vec![("p50", middle), ("p99", late)] },
        ];
        std::fs::write(file, draw(&panels, "minutes"))?;
    }
    Ok(())
}
