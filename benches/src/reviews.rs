//! Reviews, each sent straight to the servers.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use crate::cases::{self, Size, What};
use crate::certificate::Certificate;
use crate::load::stay_awake;
use crate::machine::Machine;
use crate::measure::{Plan, show};
use crate::processor::{Processors, pin};
use crate::report::Report;
use crate::{default_program, page, plot, stages, until_interrupted};

/// The plot, as the page shows it.
const PICTURE: &str =
    "![What a review costs beside the floor, and the p99 under load](performance.svg)";

/// What to measure, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The program to measure [default: target/dist/restraint].
    #[arg(long, value_name = "PATH", global = true)]
    restraint: Option<PathBuf>,

    /// Seconds that a round of the closed loop gives to each row.
    #[arg(long, default_value_t = 0.25, value_name = "SECONDS")]
    seconds: f64,

    /// Rounds of the closed loop.
    #[arg(long, default_value_t = 7, value_name = "COUNT")]
    rounds: usize,

    /// Seconds that a round of the open loop gives to each row.
    #[arg(long, default_value_t = 0.5, value_name = "SECONDS")]
    open_seconds: f64,

    /// Rounds of the open loop.
    #[arg(long, default_value_t = 3, value_name = "COUNT")]
    open_rounds: usize,

    /// Reviews sent while the memory is watched.
    #[arg(long, default_value_t = 1_000_000, value_name = "COUNT")]
    reviews: u64,

    /// Give kube's types the allocator that Restraint and the floor have, instead of the system's.
    #[arg(long)]
    kube_on_mimalloc: bool,

    /// Sizes of reviews.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["5k", "20k", "150k", "1m"], value_name = "SIZES")]
    sizes: Vec<Size>,

    /// What the reviews are about.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["create", "resize-allowed", "resize-denied", "ten-findings"], value_name = "REVIEWS")]
    about: Vec<What>,

    /// Print JSON instead of Markdown.
    #[arg(long)]
    json: bool,

    /// Write the figures into docs/performance.md, and the plot beside it.
    #[arg(long)]
    write: bool,
}

impl Options {
    /// The program to measure.
    pub(crate) fn program(&self) -> PathBuf {
        self.restraint.clone().unwrap_or_else(default_program)
    }
}

/// Measures, prints, and says whether every target is met.
pub(crate) fn run(options: &Options) -> anyhow::Result<bool> {
    let folder = tempfile::tempdir()?;
    let certificate = Certificate::make(folder.path())?;
    let restraint = options.program();
    let share = |seconds, flag| Duration::try_from_secs_f64(seconds).context(flag);
    let plan = Plan {
        restraint: &restraint,
        certificate: &certificate,
        kube_on_mimalloc: options.kube_on_mimalloc,
        processors: Processors::choose()?,
        share: share(options.seconds, "--seconds")?,
        rounds: options.rounds.max(1),
        open_share: share(options.open_seconds, "--open-seconds")?,
        open_rounds: options.open_rounds,
        reviews: options.reviews,
    };
    let cases = cases::all(&options.sizes, &options.about)?;
    let machine = Machine::look(Some(if options.kube_on_mimalloc {
        "mimalloc"
    } else {
        "the system's allocator"
    }));
    pin(plan.processors.servers)?;
    show("steps");
    let stages = stages::all(&cases, plan.share)?;
    let report = until_interrupted(async {
        stay_awake();
        let measured = plan.costs(cases).await?;
        let queued =
            if plan.open_rounds == 0 { Vec::new() } else { plan.latencies(&measured).await? };
        let memory = plan.memory().await?;
        Ok(Report::new(machine, &measured, stages, &queued, &memory))
    });
    show("");
    let report = report?;
    page::print(&report, options.json)?;
    if options.write {
        page::write_block("reviews", &format!("{PICTURE}\n\n{report}"))?;
        page::write_picture("performance.svg", &plot::draw(&report))?;
    }
    Ok(report.is_met())
}
