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

use crate::cluster::target::Target;
use crate::cluster::{self, Cluster};
use crate::operate::act::{Act, announce, halted};
use crate::operate::consent;
use crate::operate::ending::Ending;
use crate::operate::keeper::Keeper;
use crate::operate::probe::ProbeReport;
use crate::operate::trace::{self, Deed};
use crate::operate::who::Who;
use crate::signals::{pause, stop_signal};

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
        let act = Act { cluster: &cluster, target: &target, format: options.output.format };
        let report = Run { cluster: &cluster, act, options }.report().await?;
        act.end(&report, text::summary)?;
        Ok(report.result.exit_code())
    })
}

/// One run.
struct Run<'a> {
    cluster: &'a Cluster,
    act: Act<'a>,
    options: &'a Options,
}

impl Run<'_> {
    /// Plans, asks, and acts.
    async fn report(&self) -> anyhow::Result<Report> {
        let (keeper, pods) = self.act.found().await?;
        let planning = Planning { cluster: self.cluster, options: self.options, keeper: &keeper };
        let Planned { plan, demands, is_refused } =
            planning.plan(pods, !self.act.target.is_pod()).await?;
        let (namespace, target) = (&self.cluster.namespace, self.act.target.to_string());
        self.act.say(&text::plan(&plan, &target, namespace, self.options))?;
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
        let asking_once = self.options.cluster.client_asking_once().await?;
        let who = Who::ask(self.cluster).await;
        // from here on nothing ends before it is given back
        let lease = match self.act.lease(&keeper, &who, self.options.no_lease).await? {
            Ok(lease) => lease,
            Err(held) => return Ok(report.end(Ending::NotStarted, held.to_string())),
        };
        let steps = Steps {
            cluster: self.cluster,
            options: self.options,
            keeper: &keeper,
            demands: &demands,
            asking_once,
            probes: &probes,
            stop: &stop,
            lease: lease.as_ref(),
        };
        let mut report = report;
        let acted = self.measured(&mut report, &steps).await;
        let told = self.tell(&mut report, probes.finish().await);
        if let Err(error) = told.and(acted) {
            (report.result, report.why) = (Ending::Failed, format!("{error:#}"));
        }
        self.trace(&report, &keeper, &who).await;
        if let Some(lease) = lease {
            lease.release().await;
        }
        Ok(report)
    }

    /// Acts, while the probes run from before the first change to after the last.
    async fn measured(&self, report: &mut Report, steps: &Steps<'_>) -> anyhow::Result<()> {
        let work = async {
            if report.plan.is_rollout() {
                self.roll(report, steps).await
            } else {
                self.turns(report, steps).await
            }
        };
        let acted = steps.probes.around(self.options.probes.margin(), work).await;
        acted.unwrap_or_else(|unready| {
            (report.result, report.why) = (Ending::NotStarted, unready.to_string());
            Ok(())
        })
    }

    /// What the probes measured. A condition that broke at last fails what was done.
    fn tell(&self, report: &mut Report, measured: ProbeReport) -> anyhow::Result<()> {
        if measured.is_empty() {
            return Ok(());
        }
        if let Some(breach) = measured.broken().first().filter(|_| report.result == Ending::Done) {
            (report.result, report.why) = (Ending::Failed, breach.to_string());
        }
        self.act.tell(&measured, &self.options.probes, "restart")?;
        report.probes = Some(measured);
        Ok(())
    }

    /// The whole workload at once, by its controller.
    async fn roll(&self, report: &mut Report, steps: &Steps<'_>) -> anyhow::Result<()> {
        steps.probes.mark(format!("rollout of {}", self.act.target));
        let result = steps.rollout(report.plan.to_do().count()).await?;
        self.act.say(&text::result(&result))?;
        report.result = ending(&result, false);
        if result.was_touched() {
            report.not_touched.clear();
        }
        report.add(result);
        Ok(())
    }

    /// One pod after the other.
    async fn turns(&self, report: &mut Report, steps: &Steps<'_>) -> anyhow::Result<()> {
        let turns: Vec<PodPlan> = report.plan.to_do().cloned().collect();
        report.result = Ending::Done;
        for (number, turn) in turns.iter().enumerate() {
            if number > 0 {
                pause(self.options.cool_down, steps.stop).await;
            }
            if let Some(halted) = halted(steps.lease, steps.stop, steps.probes).await {
                (report.result, report.why) = halted;
                break;
            }
            announce(steps.probes, turn.at_hand(), number, turns.len());
            let result = match steps.pod(turn).await {
                Ok(result) => result,
                Err(error) => {
                    // it may have been asked for: it was not left alone
                    report.not_touched.retain(|pod| *pod != turn.pod);
                    return Err(error);
                }
            };
            steps.probes.mark(format!("pod/{}: {}", turn.pod, result.fate.words()));
            self.act.say(&text::result(&result))?;
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
    async fn trace(&self, report: &Report, keeper: &Keeper, who: &Who) {
        if !report.pods.iter().any(PodResult::was_touched) {
            return;
        }
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
        Fate::Stopped => Ending::Stopped,
        Fate::Blocked if any_before => Ending::Stopped,
        Fate::Blocked => Ending::NotStarted,
        Fate::Refused | Fate::RefusedByBudget if !any_before => Ending::Denied,
        _ => Ending::Failed,
    }
}
