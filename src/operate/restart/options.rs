//! The flags of `restraint restart`.

use std::time::Duration;

use clap::Args;

use crate::cluster::ClusterOptions;
use crate::operate::limits::duration;
use crate::operate::probe::ProbeOptions;
use crate::terminal::Output;

use super::runbook::Check;
use super::way::Way;

/// What to restart, and how.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The pod or workload: pod/NAME, deploy/NAME, sts/NAME or ds/NAME.
    #[arg(required = true, num_args = 1..=2, value_name = "TARGET")]
    pub(super) target: Vec<String>,

    /// Restart containers in place: same pod, address, node and volumes. Their memory request grows
    /// by 4 KiB, which restarts a container whose memory resize policy is RestartContainer.
    #[arg(long, conflicts_with_all = ["evict", "rollout"], help_heading = "Ways")]
    in_place: bool,

    /// Evict pods: their controller makes others. A disruption budget may refuse it.
    #[arg(long, conflicts_with = "rollout", help_heading = "Ways")]
    evict: bool,

    /// Let the workload's controller replace all pods, as `kubectl rollout restart` does.
    #[arg(long, help_heading = "Ways")]
    rollout: bool,

    /// Restart this container, in place; may be repeated [default: every one that can].
    #[arg(
        long = "container",
        value_name = "NAME",
        conflicts_with_all = ["evict", "rollout"],
        help_heading = "Ways"
    )]
    pub(super) containers: Vec<String>,

    /// Go on although this line of the runbook is red; may be repeated.
    #[arg(long, value_name = "CHECK", value_enum, help_heading = "Runbook")]
    pub(super) skip: Vec<Check>,

    /// How many other pods have to be ready.
    #[arg(long, default_value = "1", value_name = "NUMBER", help_heading = "Runbook")]
    pub(super) min_ready: usize,

    /// How much of its cpu and memory another pod may use, in percent of its limit, or its request.
    #[arg(
        long,
        default_value = "80",
        value_name = "PERCENT",
        value_parser = clap::value_parser!(u8).range(1..=100),
        help_heading = "Runbook"
    )]
    pub(super) max_usage: u8,

    /// How long containers need to end by themselves, after preStop.
    #[arg(
        long,
        default_value = "2s",
        value_name = "DURATION",
        value_parser = duration,
        help_heading = "Runbook"
    )]
    pub(super) drain: Duration,

    /// How long a disruption budget, or a red line before a later pod, is waited for; 0s stops at
    /// once.
    #[arg(
        long,
        default_value = "1m",
        value_name = "DURATION",
        value_parser = duration,
        help_heading = "Runbook"
    )]
    pub(super) wait: Duration,

    /// Print the plan and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Do not ask.
    #[arg(long)]
    pub(super) yes: bool,

    /// How long a pod may take; a rollout so long for each pod.
    #[arg(long, default_value = "5m", value_name = "DURATION", value_parser = duration)]
    pub(super) timeout: Duration,

    /// How long a pod has to be ready, without a crash, before it counts.
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = duration)]
    pub(super) ready_for: Duration,

    /// How long to wait between pods.
    #[arg(long, default_value = "0s", value_name = "DURATION", value_parser = duration)]
    pub(super) cool_down: Duration,

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

impl Options {
    /// The way that is asked for; `None` for the gentlest that works.
    pub(super) fn way(&self) -> Option<Way> {
        let ways =
            [(self.in_place, Way::InPlace), (self.evict, Way::Evict), (self.rollout, Way::Rollout)];
        let named = (!self.containers.is_empty()).then_some(Way::InPlace);
        ways.into_iter().find_map(|(asked, way)| asked.then_some(way)).or(named)
    }
}
