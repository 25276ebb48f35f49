//! What a review costs: Restraint beside a floor and beside kube's own types, in one run.
//!
//! Three servers of one worker thread share one processor, another one sends; they take turns in short rounds. What a
//! review costs is the processor time of the server, in the kernel and out of it, over the number of reviews.

mod bodies;
mod cases;
mod certificate;
mod json;
mod load;
mod machine;
mod measure;
mod processor;
mod report;
mod serve;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use cases::Size;
use certificate::Certificate;
use machine::Machine;
use measure::{Plan, show};
use processor::Processors;
use report::Report;
use serve::Rival;

// as Restraint has it, so that no server gains by its allocator alone
#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code where a target is missed.
const MISSED: u8 = 1;

/// The exit code where nothing could be measured.
const COULD_NOT_RUN: u8 = 2;

/// Measures what a review costs.
#[derive(Debug, Parser)]
struct Cli {
    /// The program to measure [default: target/release/restraint].
    #[arg(long, value_name = "PATH")]
    restraint: Option<PathBuf>,

    /// Seconds that a round gives to each row.
    #[arg(long, default_value_t = 1.0, value_name = "SECONDS")]
    seconds: f64,

    /// Rounds.
    #[arg(long, default_value_t = 7, value_name = "COUNT")]
    rounds: usize,

    /// Sizes of reviews.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["5k", "20k", "150k"], value_name = "SIZES")]
    sizes: Vec<Size>,

    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,

    /// Be one of the servers: what this program starts itself as.
    #[arg(long, value_enum, hide = true, requires = "folder")]
    serve: Option<Rival>,

    /// Where that server's certificate lies.
    #[arg(long, hide = true)]
    folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match (cli.serve, &cli.folder) {
        (Some(rival), Some(folder)) => serve::run(rival, &Certificate::of(folder)).map(|()| true),
        _ => run(&cli),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(MISSED),
        Err(error) => {
            eprintln!("restraint-benches: {error:#}");
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// Measures, prints, and says whether every target is met.
fn run(cli: &Cli) -> anyhow::Result<bool> {
    if cfg!(debug_assertions) {
        bail!("this build says nothing about speed: run it with --release");
    }
    let folder = tempfile::tempdir()?;
    let certificate = Certificate::make(folder.path())?;
    let restraint = cli.restraint.clone().unwrap_or_else(default_program);
    let plan = Plan {
        restraint: &restraint,
        certificate: &certificate,
        processors: Processors::choose()?,
        share: Duration::try_from_secs_f64(cli.seconds).context("--seconds")?,
        rounds: cli.rounds.max(1),
    };
    let cases = cases::all(&cli.sizes)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        // The sender never sleeps: waking it would be charged to the server, and more often to a slow one than to a fast one.
        tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        tokio::select! {
            report = measure(&plan, cases) => report,
            // ended from here, so that the servers are ended too
            _ = terminate.recv() => bail!("interrupted"),
            _ = interrupt.recv() => bail!("interrupted"),
        }
    });
    show("");
    let report = report?;
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(report.is_met())
}

async fn measure(plan: &Plan<'_>, cases: Vec<cases::Case>) -> anyhow::Result<Report> {
    let machine = Machine::look();
    Ok(Report::new(machine, &plan.costs(cases).await?, plan.memory().await?))
}

/// Where the main crate's release build lies.
fn default_program() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    target.join("release/restraint")
}
