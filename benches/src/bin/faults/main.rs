//! What Restraint bears: overload, hostile peers, a full disk, a clock that jumps. Each scenario
//! starts the real binary, does its worst, prints figures, and says which promise was broken.

#[expect(dead_code, reason = "what is tried here is not the caller, who believes whoever answers")]
#[path = "../../certificate.rs"]
mod certificate;
mod clock;
mod cluster;
mod crowd;
mod descriptors;
mod garbage;
mod logs;
mod outcome;
mod overload;
mod peer;
mod plot;
mod rotation;
mod server;
mod soak;
mod stopping;
#[path = "../../trusting.rs"]
mod trusting;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Parser, ValueEnum};

use outcome::Outcome;

// as Restraint has it
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code where a promise was broken.
const BROKEN: u8 = 1;

/// The exit code where nothing could be tried.
const COULD_NOT_RUN: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Twice the capacity is offered.
    Overload,
    /// Thousands of idle and slow connections.
    Crowd,
    /// Bodies that are huge, truncated, deeply nested, or lie about themselves.
    Garbage,
    /// Certificates and policies change under load.
    Rotation,
    /// Nobody reads the log, or the disk is full.
    Logs,
    /// File descriptors run out.
    Descriptors,
    /// The clock jumps.
    Clock,
    /// One of two replicas stops, or is killed.
    Stopping,
    /// Hours of mixed reviews; not among the others unless named.
    Soak,
    /// A real cluster with an installation of the chart, `cap: enforce`; not among the others unless named.
    Cluster,
}

/// Tries what Restraint bears.
#[derive(Debug, Parser)]
struct Cli {
    /// Scenarios [default: all but soak and cluster].
    scenarios: Vec<Scenario>,

    /// The program to try [default: target/dist/restraint].
    #[arg(long, value_name = "PATH")]
    restraint: Option<PathBuf>,

    /// The kubeconfig of an administrator: of the installation for `cluster`, of what to audit for `soak`.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    #[command(flatten)]
    soak: soak::Options,

    #[command(flatten)]
    cluster: cluster::Options,

    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BROKEN),
        Err(error) => {
            eprintln!("faults: {error:#}");
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<bool> {
    if cfg!(debug_assertions) {
        bail!("this build says nothing about speed: run it with --release");
    }
    let program = cli.restraint.clone().unwrap_or_else(default_program);
    // a cluster has its own
    if cli.scenarios != [Scenario::Cluster] && !program.is_file() {
        bail!(
            "there is no {}: build it with `cargo build --profile dist --bin restraint`, or name another with --restraint",
            program.display()
        );
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let all: Vec<_> = Scenario::value_variants()
        .iter()
        .copied()
        .filter(|scenario| !matches!(scenario, Scenario::Soak | Scenario::Cluster))
        .collect();
    let mut outcomes = Vec::new();
    for scenario in if cli.scenarios.is_empty() { &all } else { &cli.scenarios } {
        let name = scenario
            .to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default();
        let mut outcome = Outcome::new(name);
        runtime.block_on(async {
            match scenario {
                Scenario::Overload => overload::run(&program, &mut outcome).await,
                Scenario::Crowd => crowd::run(&program, &mut outcome).await,
                Scenario::Garbage => garbage::run(&program, &mut outcome).await,
                Scenario::Rotation => rotation::run(&program, &mut outcome).await,
                Scenario::Logs => logs::run(&program, &mut outcome).await,
                Scenario::Descriptors => descriptors::run(&program, &mut outcome).await,
                Scenario::Clock => clock::run(&program, &mut outcome).await,
                Scenario::Stopping => stopping::run(&program, &mut outcome).await,
                Scenario::Soak => {
                    soak::run(&program, &cli.soak, cli.kubeconfig.as_deref(), &mut outcome).await
                }
                Scenario::Cluster => {
                    cluster::run(&cli.cluster, cli.kubeconfig.as_deref(), &mut outcome).await
                }
            }
        })?;
        if !cli.json {
            print!("{outcome}");
        }
        outcomes.push(outcome);
    }
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&outcomes)?);
    }
    Ok(outcomes.iter().all(Outcome::is_kept))
}

/// Where the main crate's build for images lies.
fn default_program() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    target.join("dist/restraint")
}
