//! The flags of `restraint doctor`.

use clap::{Args, ValueEnum};

use crate::cluster::{ClusterOptions, NamespacedName};
use crate::terminal::{Color, Output};

/// What to check, and how to report it.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Namespace of Restraint [default: all namespaces].
    #[arg(short, long, value_name = "NAME")]
    pub(super) namespace: Option<String>,

    /// Name of the installation, which is that of its Service [default: all installations].
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,

    /// Secret with the serving certificate [default: the one in the Deployment].
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub(super) tls_secret: Option<NamespacedName>,

    /// Warn about certificates that expire within this many days.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(0..=3650))]
    pub(super) expiry_days: u16,

    /// Measure the latency that Restraint adds: creates a pod, resizes it in dry runs, and deletes it
    /// again.
    #[arg(long)]
    pub(super) probe: bool,

    /// Namespace for the pod of --probe; Restraint has to cover it [default: the context's].
    #[arg(long, value_name = "NAME", requires = "probe")]
    pub(super) probe_namespace: Option<String>,

    /// How many resizes of each kind to measure.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) probe_count: u16,

    /// The weakest severity that fails the command.
    #[arg(
        long,
        default_value = "problem",
        value_name = "problem|warning|never",
        hide_possible_values = true
    )]
    pub(super) fail_on: FailOn,

    /// How results are printed.
    #[command(flatten)]
    pub(super) output: Output,

    /// Whether text is coloured.
    #[arg(
        long,
        default_value = "auto",
        value_name = "auto|always|never",
        hide_possible_values = true
    )]
    pub(super) color: Color,

    /// Which cluster, and as whom.
    #[command(flatten)]
    pub(super) cluster: ClusterOptions,
}

/// The weakest severity that fails the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// A problem.
    Problem,
    /// A warning or a problem.
    Warning,
    /// Nothing.
    Never,
}
