//! What approving and revoking have in common: the pods, and how they are changed.

use clap::Args;

use crate::cluster::ClusterOptions;
use crate::terminal::Output;

/// Which pods to change, and how.
#[derive(Clone, Debug, Args)]
pub(super) struct TargetOptions {
    /// The pod or workload: pod/NAME, deploy/NAME, sts/NAME or ds/NAME.
    #[arg(required = true, num_args = 1..=2, value_name = "TARGET")]
    pub(super) target: Vec<String>,

    /// Ask the API server and the webhook, and store nothing.
    #[arg(long, value_name = "server", hide_possible_values = true)]
    pub(super) dry_run: Option<DryRun>,

    /// Namespace [default: the context's].
    #[arg(short, long, value_name = "NAME")]
    pub(super) namespace: Option<String>,

    /// How results are printed.
    #[command(flatten)]
    pub(super) output: Output,

    /// Which cluster, and as whom.
    #[command(flatten)]
    pub(super) cluster: ClusterOptions,
}

/// Who does a dry run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum DryRun {
    /// The API server.
    Server,
}
