//! What a review costs: Restraint beside a floor and beside kube's own types, in one run; and what
//! it adds in a real API server, beside policies in CEL.
//!
//! Three servers of one worker thread share one processor, another one sends; they take turns in
//! short rounds. What a review costs is the processor time of the server, in the kernel and out of
//! it, over the number of reviews.

mod account;
mod audit;
mod bodies;
mod cases;
mod certificate;
mod cluster;
mod config_map;
mod control_plane;
mod load;
mod machine;
mod measure;
mod page;
mod peers;
mod plot;
mod processor;
mod replay;
mod report;
mod reviews;
mod serve;
mod server;
mod stages;
mod trusting;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use cases::{Size, What};
use certificate::Certificate;
use serve::Rival;

// as Restraint has it, so that no server gains by its allocator alone
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code where a target is missed.
const MISSED: u8 = 1;

/// The exit code where nothing could be measured.
const COULD_NOT_RUN: u8 = 2;

/// Measures what a review costs.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    options: reviews::Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures what pods and resizes cost in a real API server: without a policy, with policies in
    /// CEL, with Restraint. KUBEBUILDER_ASSETS names a folder with etcd, kube-apiserver and
    /// kubectl.
    Cluster(cluster::Options),
    /// Measures what an audit of a large cluster takes: time, processor time, memory.
    /// KUBEBUILDER_ASSETS as for `cluster`.
    Audit(audit::Options),
    /// Measures Restraint beside other admission servers that are running.
    Peers(peers::Options),
    /// Measures how fast `restraint replay` reads an audit log, and how much memory it takes.
    Replay(replay::Options),
    /// Decodes, judges and answers reviews so many times, and prints nothing: what
    /// `benches/instructions` counts.
    #[command(hide = true)]
    Repeat { size: Size, what: What, times: u32 },
    /// Is one of the servers: what this program starts itself as.
    #[command(hide = true)]
    Serve {
        rival: Rival,
        /// Where the certificate lies.
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Some(Command::Serve { rival, folder }) => {
            serve::run(*rival, &Certificate::of(folder)).map(|()| true)
        }
        Some(Command::Repeat { size, what, times }) => {
            stages::repeat(*size, *what, *times).map(|()| true)
        }
        // what is measured is another program
        Some(Command::Audit(options)) => audit::run(options, &cli.options.program()),
        _ if cfg!(debug_assertions) => {
            Err(anyhow::anyhow!("this build says nothing about speed: run it with --release"))
        }
        Some(Command::Cluster(options)) => cluster::run(options, &cli.options.program()),
        Some(Command::Peers(options)) => peers::run(options, &cli.options.program()),
        Some(Command::Replay(options)) => replay::run(options, &cli.options.program()),
        None => reviews::run(&cli.options),
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

/// Runs on this thread. Ended by a signal, it ends from here, so that the servers are ended too.
fn until_interrupted<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            outcome = work => outcome,
            _ = terminate.recv() => bail!("interrupted"),
            _ = interrupt.recv() => bail!("interrupted"),
        }
    })
}

/// Where the main crate's build for images lies.
fn default_program() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    target.join("dist/restraint")
}
