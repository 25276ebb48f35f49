//! The flags of `restraint resize`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cluster::ClusterOptions;
use crate::explain::wanted::AmountOptions;
use crate::operate::limits::duration;
use crate::operate::probe::ProbeOptions;
use crate::terminal::Output;

/// What to resize, and how.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The pod or workload: pod/NAME, deploy/NAME, sts/NAME or ds/NAME.
    #[arg(required = true, num_args = 1..=2, value_name = "TARGET")]
    pub(super) target: Vec<String>,

    /// What containers are to have.
    #[command(flatten)]
    pub(super) amounts: AmountOptions,

    /// Print the plan and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Do not ask, and go on where somebody else manages the numbers.
    #[arg(long)]
    pub(super) yes: bool,

    /// How long a pod may take.
    #[arg(long, default_value = "5m", value_name = "DURATION", value_parser = duration)]
    pub(super) timeout: Duration,

    /// How long a pod has to be well afterwards.
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = duration)]
    pub(super) settle: Duration,

    /// How long to wait between pods.
    #[arg(long, default_value = "0s", value_name = "DURATION", value_parser = duration)]
    pub(super) cool_down: Duration,

    /// What becomes of a pod that failed or took too long, and of the pods after it: "revert" puts
    /// back what it had and stops, "stop" leaves it and stops, "leave" leaves it and goes on.
    #[arg(
        long,
        default_value = "revert",
        value_name = "revert|stop|leave",
        hide_possible_values = true
    )]
    pub(super) on_failure: OnFailure,

    /// Put everything back after so long: for a while only.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) revert_after: Option<Duration>,

    /// Go on where an earlier run ended: pods that wait for these values already are watched.
    #[arg(long)]
    pub(super) resume: bool,

    /// At the end, write the same values into the workload's template. Its controller replaces the
    /// pods then, unless it is told to wait (OnDelete, a paused Deployment).
    #[arg(long, conflicts_with = "revert_after")]
    pub(super) persist: bool,

    /// Do without the Lease that keeps two people apart, where the right to it is missing.
    #[arg(long)]
    pub(super) no_lease: bool,

    /// What is asked while it happens.
    #[command(flatten)]
    pub(super) probes: ProbeOptions,

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

/// What becomes of a pod that failed, and of those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnFailure {
    /// It gets back what it had; the others are not touched.
    Revert,
    /// It stays as it is; the others are not touched.
    Stop,
    /// It stays as it is; the others have their turn.
    Leave,
}
