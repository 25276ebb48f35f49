//! The commands and their flags.

use clap::{Parser, Subcommand};

use crate::serve;

/// Admission control for restarts and resizes in Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "restraint", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the admission webhook.
    ///
    /// Without arguments it runs on a laptop: default policies, a certificate made at start, loopback addresses.
    Serve(serve::Options),
}
