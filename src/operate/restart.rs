//! `restraint restart`: restarts the pods of a workload, one at a time, with a runbook before each.

mod around;
mod configuration;
mod eviction;
mod nudge;
mod options;
mod plan;
mod planning;
mod report;
mod result;
mod rollout;
mod runbook;
mod step;
mod text;
mod touches;
mod way;

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::sync::watch::Receiver;

use crate::cluster::target::Target;
use crate::cluster::{self, Cluster};
use crate::explain::live;
use crate::operate::consent;
use crate::operate::keeper::Keeper;
use crate::operate::lease::{Held, Lease};
use crate::operate::probe::{self, Phase, ProbeReport};
use crate::operate::resize::report::Ending;
use crate::operate::trace::{self, Deed};
use crate::operate::who::Who;
use crate::signals::{stop_signal, stopped};
use crate::terminal::{self, OutputFormat};

pub use options::Options;
use plan::PodPlan;
use planning::{Planned, Planning};
use report::Report;
use result::{Fate, PodResult};
use runbook::{obstacle, skips};
use step::Steps;

/// Restarts. The exit code tells what came of it: `docs/operating.md`.
///
/// # Errors
///
/// Where nothing could be tried: bad input, no cluster, no such pod or container, a missing right.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let target = Target::parse(&options.target)?;
    cluster::block_on(async {
        let cluster = options.cluster.connect(options.namespace.as_deref()).await?;
        let run = Run { cluster: &cluster, options, target: &target };
        let report = run.report().await?;
        if options.output.format == OutputFormat::Json {
            terminal::print_json(&report)?;
        } else {
            terminal::print(&text::summary(&report))?;
        }
        Ok(report.result.exit_code())
    })
}

/// One run.
struct Run<'a> {
    cluster: &'a Cluster,
    options: &'a Options,
    target: &'a Target,
}

impl Run<'_> {
    /// Plans, asks, and acts.
    async fn report(&self) -> anyhow::Result<Report> {
        let (keeper, pods) = self.found().await?;
        let planning = Planning { cluster: self.cluster, options: self.options, keeper: &keeper };
        let Planned { plan, demands, is_refused } =
            planning.plan(pods, !self.target.is_pod()).await?;
        let (namespace, target) = (&self.cluster.namespace, self.target.to_string());
        self.say(&text::plan(&plan, &target, namespace, self.options))?;
        let report = Report::new(namespace, target, plan);
        if let Some(why) = report.plan.no_way.first().cloned() {
            let result = if is_refused { Ending::Denied } else { Ending::NotStarted };
            return Ok(report.end(result, why));
        }
        let why = report.plan.to_do().next().and_then(blocked);
        if let Some(why) = why {
            return Ok(report.end(Ending::NotStarted, why));
        }
        if self.options.dry_run {
            return Ok(report);
        }
        if report.plan.to_do().next().is_none() {
            return Ok(report.end(Ending::Done, "there is no pod that runs"));
        }
        if !consent::is_agreed("do this?", self.options.yes)? {
            return Ok(report.end(Ending::NotStarted, "not agreed to"));
        }
        let first = report.plan.to_do().next().map(PodPlan::at_hand);
        let probes = &self.options.probes;
        let probes = probes.start(&self.options.cluster, self.cluster, first).await?;
        let stop = stop_signal()?;
        let lease = match self.lease(&keeper).await {
            Ok(lease) => lease,
            Err(error) => match error.downcast::<Held>() {
                Ok(held) => return Ok(report.end(Ending::NotStarted, held.to_string())),
                Err(error) => return Err(error),
            },
        };
        let steps = Steps {
            cluster: self.cluster,
            options: self.options,
            keeper: &keeper,
            demands: &demands,
            asking_once: self.options.cluster.client_asking_once().await?,
            probes: &probes,
            stop: &stop,
        };
        let mut report = report;
        let acted = self.measured(&mut report, lease.as_ref(), &steps).await;
        let measured = probes.finish().await;
        if !measured.is_empty() {
            self.tell(&mut report, measured)?;
        }
        if let Err(error) = acted {
            (report.result, report.why) = (Ending::Failed, format!("{error:#}"));
        }
        self.trace(&report, &keeper).await;
        if let Some(lease) = lease {
            lease.release().await;
        }
        Ok(report)
    }

    /// The workload and its pods.
    async fn found(&self) -> anyhow::Result<(Keeper, Vec<Pod>)> {
        let object = live::read(self.cluster, self.target.object()).await?;
        let keeper = Keeper::of(self.cluster, &object).await;
        let pods = self.cluster.pods_of(self.target).await?;
        Ok((keeper, pods))
    }

    async fn lease(&self, keeper: &Keeper) -> anyhow::Result<Option<Lease>> {
        if self.options.no_lease {
            return Ok(None);
        }
        let holder = Who::ask(self.cluster).await.holder();
        Lease::take(self.cluster, &keeper.uid, holder).await.map(Some)
    }

    /// Acts, while the probes run from before the first change to after the last.
    async fn measured(
        &self,
        report: &mut Report,
        lease: Option<&Lease>,
        steps: &Steps<'_>,
    ) -> anyhow::Result<()> {
        let margin = self.options.probes.margin();
        if let Err(unready) = steps.probes.baseline(margin).await {
            (report.result, report.why) = (Ending::NotStarted, unready.to_string());
            return Ok(());
        }
        steps.probes.phase(Phase::During);
        let acted = if report.plan.is_rollout() {
            self.roll(report, steps).await
        } else {
            self.act(report, lease, steps).await
        };
        steps.probes.phase(Phase::After);
        // what breaks now is in the report as well
        let _ = steps.probes.settle(margin).await;
        acted
    }

    /// What the probes measured. A condition that broke at last fails what was done.
    fn tell(&self, report: &mut Report, measured: ProbeReport) -> anyhow::Result<()> {
        if let Some(breach) = measured.broken().first().filter(|_| report.result == Ending::Done) {
            (report.result, report.why) = (Ending::Failed, breach.to_string());
        }
        self.say(&probe::render(&measured))?;
        let heading = format!("restart of {}", self.target);
        if let Err(error) = self.options.probes.write_page(&heading, &measured) {
            terminal::remark(&format!("note: the page is missing: {error:#}"));
        }
        report.probes = Some(measured);
        Ok(())
    }

    /// The whole workload at once, by its controller.
    async fn roll(&self, report: &mut Report, steps: &Steps<'_>) -> anyhow::Result<()> {
        steps.probes.mark(format!("rollout of {}", self.target));
        let result = steps.rollout(report.plan.to_do().count()).await?;
        self.say(&text::result(&result))?;
        report.result = ending(&result, false);
        if result.was_touched() {
            report.not_touched.clear();
        }
        report.add(result);
        Ok(())
    }

    /// One pod after the other.
    async fn act(
        &self,
        report: &mut Report,
        lease: Option<&Lease>,
        steps: &Steps<'_>,
    ) -> anyhow::Result<()> {
        let turns: Vec<PodPlan> = report.plan.to_do().cloned().collect();
        report.result = Ending::Done;
        for (number, turn) in turns.iter().enumerate() {
            if number > 0 {
                pause(self.options.cool_down, steps.stop).await;
            }
            let lost = lease.is_some_and(Lease::is_lost);
            if lost || *steps.stop.borrow() {
                let why = if lost { "somebody else took the lease" } else { "it was told to stop" };
                (report.result, report.why) = (Ending::Stopped, why.to_owned());
                break;
            }
            if let Some(breach) = steps.probes.breach() {
                (report.result, report.why) = (Ending::Failed, breach.to_string());
                break;
            }
            steps.probes.follow(Some(turn.at_hand()));
            let turn_of =
                format!("pod/{} ({} of {})", turn.pod, number.saturating_add(1), turns.len());
            terminal::progress_remark(&turn_of);
            steps.probes.mark(turn_of);
            let result = steps.pod(turn).await?;
            steps.probes.mark(format!("pod/{}: {}", turn.pod, result.fate.words()));
            self.say(&text::result(&result))?;
            let done = result.done;
            if !done {
                report.result = ending(&result, report.pods.iter().any(|pod| pod.done));
                report.why = format!("pod/{}: {}", result.pod, result.fate.words());
            }
            report.add(result);
            if !done {
                break;
            }
        }
        Ok(())
    }

    /// An Event on the workload.
    async fn trace(&self, report: &Report, keeper: &Keeper) {
        if !report.pods.iter().any(PodResult::was_touched) {
            return;
        }
        let who = Who::ask(self.cluster).await;
        let done = report.pods.iter().filter(|pod| pod.done).count();
        let way = report.pods.first().map_or("", |pod| pod.way.words());
        let note = if report.plan.is_rollout() {
            let done = if done > 0 { "complete" } else { "not complete" };
            format!("{:?}: rolled out, {done}", who.user)
        } else {
            let all = report.plan.to_do().count();
            format!("{:?}: {done} of {all} pods restarted, {way}", who.user)
        };
        let is_warning = report.result != Ending::Done;
        let deed = Deed { reason: "Restarted", action: "Restart", is_warning };
        trace::tell(self.cluster, keeper, deed, note).await;
    }

    /// Text for people: on standard output, where that is not for programs.
    fn say(&self, text: &str) -> anyhow::Result<()> {
        if self.options.output.format == OutputFormat::Json {
            terminal::print_on_stderr(text)
        } else {
            terminal::print(text)
        }
    }
}

/// What the runbook of the first pod says against it, with the way out.
fn blocked(pod: &PodPlan) -> Option<String> {
    let why = obstacle(&pod.runbook)?;
    Some(format!("the runbook of pod/{} is red: {why}; {} goes on", pod.pod, skips(&pod.runbook)))
}

/// What a pod that was not restarted means for the whole.
fn ending(result: &PodResult, any_before: bool) -> Ending {
    match result.fate {
        _ if result.done => Ending::Done,
        Fate::Blocked if any_before => Ending::Stopped,
        Fate::Blocked => Ending::NotStarted,
        Fate::Refused | Fate::RefusedByBudget if !any_before => Ending::Denied,
        _ => Ending::Failed,
    }
}

async fn pause(length: Duration, stop: &Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        () = stopped(stop.clone()) => {}
    }
}
