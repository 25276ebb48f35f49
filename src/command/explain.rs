//! `restraint explain`: files, the cluster, printing.

mod change;
mod pod;
mod rule;

use std::process::ExitCode;
use std::{fs, io};

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::manifest::encoding;
use crate::manifest::unstructured::Unstructured;

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
    /// What a rule looks at, why, and what to do about its findings.
    Rule(rule::Options),

    /// What a change does to running processes.
    ///
    /// Every difference between two sets of objects, the gravest first: pods that are replaced,
    /// containers that restart, resizes in place, files that change under a process, and what
    /// nobody notices. Ends with 1 where the API server or Restraint would refuse something.
    Change(change::Options),

    /// What happened to a pod: what keeps it from running, its ends, and its resizes.
    ///
    /// Of each container the API keeps the last two ends, and events for about an hour: what cannot
    /// be known is said to be unknown.
    Pod(pod::Options),
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
        Topic::Pod(options) => pod::run(options),
    }
}

/// The objects in a file, or on standard input.
fn read(path: &str, namespace: &str) -> anyhow::Result<Vec<Unstructured>> {
    let decoded = if path == "-" {
        encoding::read(io::stdin().lock()).context("standard input cannot be read")?
    } else {
        fs::File::open(path)
            .and_then(encoding::read)
            .with_context(|| format!("{path:?} cannot be read"))?
    };
    Unstructured::read(&decoded.text, namespace).with_context(|| format!("{path:?} cannot be read"))
}
