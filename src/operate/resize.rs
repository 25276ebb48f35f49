//! `restraint resize`: resizes running pods in place, one at a time.

mod back;
mod managers;
mod options;
mod persist;
mod plan;
mod report;
mod room;
mod step;
mod text;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::watch::Receiver;

use crate::cluster::kind::Kind;
use crate::cluster::target::Target;
use crate::cluster::{self, Cluster};
use crate::explain::wanted::Wish;
use crate::manifest::unstructured::Unstructured;
use crate::operate::act::{Act, announce, halted, interrupted};
use crate::operate::change::{Change, listed};
use crate::operate::ending::Ending;
use crate::operate::keeper::Keeper;
use crate::operate::lease::{self, Lease};
use crate::operate::probe::{ProbeReport, Probes};
use crate::operate::rights::{self, Right};
use crate::operate::trace::{self, Deed};
use crate::operate::who::Who;
use crate::operate::{consent, order};
use crate::signals::{pause, stop_signal};

use back::back;
use options::OnFailure;
pub use options::Options;
use persist::Persistence;
use plan::{Plan, PodPlan, Turn};
use report::{Report, Reverted};

/// Resizes. The exit code tells what came of it: `docs/operating.md`.
///
/// # Errors
///
/// Where nothing could be tried: bad input, no cluster, no such pod or container, a missing right.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let target = Target::parse(&options.target)?;
    let wishes = options.amounts.wishes()?;
    if wishes.is_empty() {
        bail!("nothing is asked for: give --memory, --cpu, --request-memory or --request-cpu");
    }
    if let Some(fault) = wishes.iter().find_map(Wish::fault) {
        bail!("{fault}");
    }
    cluster::block_on(async {
        let cluster = options.cluster.connect(options.namespace.as_deref()).await?;
        let act = Act { cluster: &cluster, target: &target, format: options.output.format };
        let run = Run { cluster: &cluster, act, options, wishes: &wishes };
        let report = run.report().await?;
        act.end(&report, text::summary)?;
        Ok(report.result.exit_code())
    })
}

/// One run.
struct Run<'a> {
    cluster: &'a Cluster,
    act: Act<'a>,
    options: &'a Options,
    wishes: &'a [Wish],
}

impl Run<'_> {
    /// Plans, asks, and acts.
    async fn report(&self) -> anyhow::Result<Report> {
        let (keeper, pods) = self.act.found().await?;
        let rights = self.rights(&keeper);
        rights::require(self.cluster, &rights).await?;
        let plan = self.plan(&keeper, pods, &rights).await?;
        let (namespace, target) = (&self.cluster.namespace, self.act.target.to_string());
        self.act.say(&text::plan(&plan, &target, namespace, self.options))?;
        let mut report = Report::new(namespace, target, plan);
        if report.result == Ending::Denied || self.options.dry_run {
            return Ok(report);
        }
        if report.plan.to_do().next().is_none() && report.plan.persist.is_none() {
            report.result = Ending::Done;
            return Ok(report);
        }
        if let Some(why) = self.obstacle(&report.plan) {
            (report.result, report.why) = (Ending::NotStarted, why);
            return Ok(report);
        }
        if !consent::is_agreed("do this?", self.options.yes)? {
            (report.result, report.why) = (Ending::NotStarted, "not agreed to".to_owned());
            return Ok(report);
        }
        let first = report.plan.to_do().next().map(PodPlan::at_hand);
        let probes = &self.options.probes;
        let probes = probes.start(&self.options.cluster, self.cluster, first).await?;
        let stop = stop_signal()?;
        let who = Who::ask(self.cluster).await;
        let lease = match self.act.lease(&keeper, &who, self.options.no_lease).await? {
            Ok(lease) => lease,
            Err(held) => {
                (report.result, report.why) = (Ending::NotStarted, held.to_string());
                return Ok(report);
            }
        };
        let acted = self.measured(&mut report, lease.as_ref(), &stop, probes).await;
        if let Err(error) = acted {
            (report.result, report.why) = (Ending::Failed, format!("{error:#}"));
        }
        self.persist(&mut report, &keeper, lease.as_ref(), &stop).await;
        self.trace(&report, &keeper, &who).await;
        if let Some(lease) = lease {
            lease.release().await;
        }
        Ok(report)
    }

    /// What the whole of it takes.
    fn rights(&self, keeper: &Keeper) -> Vec<Right> {
        let mut rights = vec![
            Right::new("get", "", "pods"),
            Right::new("list", "", "pods"),
            Right::new("watch", "", "pods"),
            Right::new("patch", "", "pods/resize"),
        ];
        rights.extend(self.options.probes.rights());
        if !self.options.no_lease {
            rights.extend(lease::RIGHTS);
        }
        let kind = Kind::find(&keeper.kind).filter(|_| self.options.persist);
        rights.extend(kind.map(|kind| Right::new("patch", kind.group, kind.plural())));
        rights
    }

    async fn plan(
        &self,
        keeper: &Keeper,
        mut pods: Vec<Pod>,
        rights: &[Right],
    ) -> anyhow::Result<Plan> {
        let mut plans = PodPlan::of_each(self.cluster, &pods, self.wishes).await?;
        let grows = plans.iter().flat_map(|plan| &plan.changes).any(Change::is_growth);
        order::put_in_order(&mut pods, keeper.kind == "StatefulSet", grows);
        let place = |plan: &PodPlan| {
            pods.iter().position(|pod| pod.metadata.name.as_deref() == Some(&plan.pod))
        };
        plans.sort_by_key(place);
        let persist = match plans.first().filter(|_| self.options.persist) {
            Some(first) => {
                let persist = Persistence::of(keeper, (&first.before, &first.wanted), self.wishes)?;
                persist.write(self.cluster, keeper, true).await?;
                Some(persist)
            }
            None => None,
        };
        let (managers, mut unknown) = managers::find(self.cluster, keeper).await;
        unknown.extend(trace::silence(self.cluster).await?);
        let rights = rights.iter().map(ToString::to_string).collect();
        Ok(Plan { managers, pods: plans, persist, rights, unknown })
    }

    /// What keeps the plan from being carried out without more being said.
    fn obstacle(&self, plan: &Plan) -> Option<String> {
        let under_way = plan.pods.iter().find(|pod| pod.turn == Turn::UnderWay);
        if let Some(pod) = under_way.filter(|_| !self.options.resume) {
            return Some(format!(
                "pod/{} waits for these values already: --resume watches it",
                pod.pod
            ));
        }
        let manager = plan.managers.first().filter(|_| !self.options.yes)?;
        Some(format!("{} manages these numbers too: --yes goes on all the same", manager.name))
    }

    /// Acts, while the probes run from before the first change to after the last.
    async fn measured(
        &self,
        report: &mut Report,
        lease: Option<&Lease>,
        stop: &Receiver<bool>,
        probes: Probes,
    ) -> anyhow::Result<()> {
        let work = self.turns(report, lease, stop, &probes);
        let acted = match probes.around(self.options.probes.margin(), work).await {
            Ok(acted) => acted,
            Err(unready) => {
                (report.result, report.why) = (Ending::NotStarted, unready.to_string());
                Ok(())
            }
        };
        let measured = probes.finish().await;
        if !measured.is_empty() {
            self.tell(report, measured)?;
        }
        acted
    }

    /// What the probes measured. A condition that broke at last fails what was done.
    fn tell(&self, report: &mut Report, measured: ProbeReport) -> anyhow::Result<()> {
        if let Some(breach) = measured.broken().first().filter(|_| report.result == Ending::Done) {
            (report.result, report.why) = (Ending::Failed, breach.to_string());
        }
        self.act.tell(&measured, &self.options.probes, "resize")?;
        report.probes = Some(measured);
        Ok(())
    }

    /// One pod after the other, and for a while only where that is wanted.
    async fn turns(
        &self,
        report: &mut Report,
        lease: Option<&Lease>,
        stop: &Receiver<bool>,
        probes: &Probes,
    ) -> anyhow::Result<()> {
        let turns: Vec<PodPlan> = report.plan.to_do().cloned().collect();
        let acted = self.each(report, &turns, (lease, stop), probes).await;
        if let Some(after) = self.options.revert_after {
            self.revert(report, &turns, after, stop).await;
        }
        acted
    }

    async fn each(
        &self,
        report: &mut Report,
        turns: &[PodPlan],
        (lease, stop): (Option<&Lease>, &Receiver<bool>),
        probes: &Probes,
    ) -> anyhow::Result<()> {
        report.result = Ending::Done;
        for (number, turn) in turns.iter().enumerate() {
            if number > 0 {
                pause(self.options.cool_down, stop).await;
            }
            if let Some(halted) = halted(lease, stop, probes).await {
                (report.result, report.why) = halted;
                break;
            }
            announce(probes, turn.at_hand(), number, turns.len());
            report.begin(&turn.pod);
            let result = step::resize(self.cluster, self.options, turn, probes).await?;
            probes.mark(format!("pod/{}: {}", turn.pod, text::state(&result)));
            let said = text::result(&result);
            let (done, refused) = (result.done, result.refusal.is_some());
            report.pods.push(result);
            self.act.say(&said)?;
            if !done {
                report.result = match (refused, report.pods.iter().any(|pod| pod.done)) {
                    (true, false) => Ending::Denied,
                    _ => Ending::Failed,
                };
                if self.options.on_failure != OnFailure::Leave {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Puts back what was resized for a while. Whoever stops it has it put back at once.
    async fn revert(
        &self,
        report: &mut Report,
        turns: &[PodPlan],
        after: Duration,
        stop: &Receiver<bool>,
    ) {
        let kept: Vec<(&PodPlan, Unstructured)> =
            turns.iter().filter_map(|turn| Some((turn, report.kept(&turn.pod)?.clone()))).collect();
        if kept.is_empty() {
            return;
        }
        pause(after, stop).await;
        for (turn, stored) in kept.into_iter().rev() {
            let put_back = back(self.cluster, turn, &stored, self.options.timeout).await;
            if !put_back.done {
                report.result = Ending::Failed;
            }
            report.reverted.push(Reverted { pod: turn.pod.clone(), put_back });
        }
    }

    /// The template, once every pod is resized.
    async fn persist(
        &self,
        report: &mut Report,
        keeper: &Keeper,
        lease: Option<&Lease>,
        stop: &Receiver<bool>,
    ) {
        if report.result != Ending::Done {
            return;
        }
        let Some(persist) = &report.plan.persist else { return };
        if let Some((result, why)) = interrupted(lease, stop).await {
            let why = format!("every pod is resized, and the template is as it was: {why}");
            (report.result, report.why) = (result, why);
            return;
        }
        match persist.write(self.cluster, keeper, false).await {
            Ok(()) => report.persisted = true,
            Err(error) => {
                report.result = Ending::Failed;
                report.why = format!("every pod is resized, and {error:#}");
            }
        }
    }

    /// An Event on the workload.
    async fn trace(&self, report: &Report, keeper: &Keeper, who: &Who) {
        if report.pods.is_empty() {
            return;
        }
        let done = report.pods.iter().filter(|pod| pod.done).count();
        let changes = report.plan.to_do().find(|pod| !pod.changes.is_empty());
        let changes = changes.map(|pod| listed(&pod.changes)).unwrap_or_default();
        let all = report.plan.to_do().count();
        let own = report.pods.iter().filter_map(|pod| pod.put_back.as_ref());
        let later = report.reverted.iter().map(|reverted| &reverted.put_back);
        let back = own.chain(later).filter(|put_back| put_back.done).count();
        let note = format!(
            "{:?}: {changes}: {done} of {all} pods resized, {back} put back{}",
            who.user,
            if report.persisted { ", template written" } else { "" }
        );
        let deed = Deed {
            reason: "ResizedInPlace",
            action: "Resize",
            is_warning: report.result != Ending::Done,
        };
        trace::tell(self.cluster, keeper, deed, note).await;
    }
}
