//! What resizing and restarting have in common around their steps.

use anyhow::anyhow;
use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;
use tokio::sync::watch::Receiver;

use crate::cluster::Cluster;
use crate::cluster::target::Target;
use crate::explain::live;
use crate::manifest::unstructured::Unstructured;
use crate::terminal::{self, OutputFormat, plain};

use super::ending::Ending;
use super::keeper::Keeper;
use super::lease::{Held, Lease};
use super::probe::{self, PodAtHand, ProbeOptions, ProbeReport, Probes};
use super::who::Who;

/// On what a command acts, and how it speaks.
#[derive(Clone, Copy)]
pub(super) struct Act<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) target: &'a Target,
    pub(super) format: OutputFormat,
}

impl Act<'_> {
    /// The workload and its pods.
    ///
    /// # Errors
    ///
    /// Where there is none of this name, or the API server does not answer.
    pub(super) async fn found(&self) -> anyhow::Result<(Keeper, Vec<Pod>)> {
        let object = live::read(self.cluster, self.target.object()).await?;
        let keeper = Keeper::of(self.cluster, &object).await;
        let pods = self.cluster.pods_of(self.target).await?;
        Ok((keeper, pods))
    }

    /// The Lease of the workload, unless it is done without; `Err` in it where somebody else holds
    /// it.
    ///
    /// # Errors
    ///
    /// Where the API server does not let it be taken.
    pub(super) async fn lease(
        &self,
        keeper: &Keeper,
        who: &Who,
        without: bool,
    ) -> anyhow::Result<Result<Option<Lease>, Held>> {
        if without {
            return Ok(Ok(None));
        }
        let taken = Lease::take(self.cluster, &keeper.uid, who.holder()).await?;
        Ok(taken.map(Some))
    }

    /// Text for people: on standard output, where that is not for programs.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(super) fn say(&self, text: &str) -> anyhow::Result<()> {
        match self.format {
            OutputFormat::Json => terminal::print_on_stderr(text),
            OutputFormat::Text => terminal::print(text),
        }
    }

    /// What the probes measured, and the page of it, if one is wanted. `deed` is what was done.
    ///
    /// # Errors
    ///
    /// Where it cannot be written; that the page cannot is a remark.
    pub(super) fn tell(
        &self,
        measured: &ProbeReport,
        options: &ProbeOptions,
        deed: &str,
    ) -> anyhow::Result<()> {
        self.say(&probe::render(measured))?;
        let heading = format!("{deed} of {}", self.target);
        if let Err(error) = options.write_page(&heading, measured) {
            terminal::remark(&format!("note: the page is missing: {error:#}"));
        }
        Ok(())
    }

    /// The end: `report` for programs, or its `summary`.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(super) fn end<R: Serialize>(
        &self,
        report: &R,
        summary: impl FnOnce(&R) -> String,
    ) -> anyhow::Result<()> {
        match self.format {
            OutputFormat::Json => terminal::print_json(report),
            OutputFormat::Text => terminal::print(&summary(report)),
        }
    }
}

/// Why the next pod does not have its turn, if it does not.
pub(super) async fn halted(
    lease: Option<&Lease>,
    stop: &Receiver<bool>,
    probes: &Probes,
) -> Option<(Ending, String)> {
    if let Some(interrupted) = interrupted(lease, stop).await {
        return Some(interrupted);
    }
    probes.breach().map(|breach| (Ending::Failed, breach.to_string()))
}

/// Why nothing more is begun, if so: somebody stops it, or it is not alone any more.
pub(super) async fn interrupted(
    lease: Option<&Lease>,
    stop: &Receiver<bool>,
) -> Option<(Ending, String)> {
    if *stop.borrow() {
        return Some((Ending::Stopped, "it was told to stop".to_owned()));
    }
    let lost = lease?.lost().await?;
    Some((Ending::Stopped, lost.to_string()))
}

/// Says whose turn it is: the pod of this number, from 0, of `all`.
pub(super) fn announce(probes: &Probes, pod: PodAtHand, number: usize, all: usize) {
    let turn = format!("pod/{} ({} of {all})", pod.name, number.saturating_add(1));
    probes.follow(Some(pod));
    terminal::progress_remark(&turn);
    probes.mark(turn);
}

/// The first line of a plan: how many of all pods have a turn.
pub(super) fn headline(target: &str, namespace: &str, (count, all): (usize, usize)) -> String {
    format!("plan for {} in namespace {namespace}: {count} of {all} pods\n", plain(target))
}

/// `pod` as a tree.
///
/// # Errors
///
/// Where it is none.
pub(super) fn as_stored(cluster: &Cluster, pod: &Pod) -> anyhow::Result<Unstructured> {
    Unstructured::of(serde_json::to_value(pod)?, &cluster.namespace)
        .ok_or_else(|| anyhow!("the API server answered with no pod"))
}
