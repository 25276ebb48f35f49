//! The command: files, the cluster, printing.

use std::process::ExitCode;

use clap::{Args, Subcommand};

mod change;
mod live;
mod rule;

/// What to explain.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// What to explain.
    #[command(subcommand)]
    pub topic: Topic,
}

/// What can be explained.
#[derive(Clone, Debug, Subcommand)]
pub enum Topic {
    /// What a rule looks at, why, and how to put its findings right.
    Rule(rule::Options),

    /// What a change does to running processes.
    ///
    /// Every difference between two sets of objects, the gravest first: pods that are replaced, containers that restart,
    /// resizes in place, files that change under a process, and what nobody notices. Ends with 1 where the API server or
    /// Restraint would refuse something.
    Change(change::Options),
}

/// Explains.
///
/// # Errors
///
/// Where there is nothing to explain, or it cannot be read or printed.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    match &options.topic {
        Topic::Rule(options) => rule::run(options),
        Topic::Change(options) => change::run(options),
    }
}
