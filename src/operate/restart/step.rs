//! One step: a pod, or a whole workload that is rolled out, restarted and watched to its end.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::manifest::unstructured::Unstructured;
use crate::operate::act::interrupted;
use crate::operate::ask;
use crate::operate::change::patch;
use crate::operate::keeper::Keeper;
use crate::operate::lease::Lease;
use crate::operate::limits::words;
use crate::operate::outcome::{Before, Outcome, outcome};
use crate::operate::probe::{PodAtHand, Probes};
use crate::operate::sight::{PodWatch, Watched};
use crate::operate::watched::{FIRST, watch_out};
use crate::signals::{pause, stopped};
use crate::terminal;

use super::around::Around;
use super::configuration::read_anew;
use super::eviction::{Answer, Place, PodsWatch, evict, place};
use super::options::Options;
use super::plan::PodPlan;
use super::result::{Fate, PodResult, ready_since, restarted};
use super::rollout::{self, Progress};
use super::runbook::{Demands, Line, obstacle, runbook};
use super::way::Way;

/// How often what keeps a pod waiting is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// What every step needs.
pub(super) struct Steps<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) options: &'a Options,
    pub(super) keeper: &'a Keeper,
    pub(super) demands: &'a Demands,
    /// A client that asks once: an eviction that is refused is an answer.
    pub(super) asking_once: Client,
    pub(super) probes: &'a Probes,
    pub(super) stop: &'a Receiver<bool>,
    pub(super) lease: Option<&'a Lease>,
}

/// What a pod is like right before its turn.
struct Looked {
    /// It; `None` where it is gone.
    now: Option<Pod>,
    runbook: Vec<Line>,
    /// Why it has no turn although the runbook may turn green.
    stopped: Option<String>,
}

impl Steps<'_> {
    /// Restarts one pod, once its runbook is green.
    ///
    /// # Errors
    ///
    /// Where the API server does not answer, or the pod cannot be watched.
    pub(super) async fn pod(&self, plan: &PodPlan) -> anyhow::Result<PodResult> {
        let started = Instant::now();
        let Looked { now, runbook, stopped } = self.green(plan).await?;
        let not_begun = |fate: Fate, why: String| PodResult {
            why,
            ..PodResult::new(&plan.pod, plan.way, fate)
        };
        let mut result = match (now, stopped, obstacle(&runbook)) {
            (None, ..) => not_begun(Fate::Gone, String::new()),
            (Some(_), Some(why), _) => not_begun(Fate::Stopped, why),
            (Some(_), None, Some(why)) => not_begun(Fate::Blocked, why),
            (Some(now), None, None) => match plan.way {
                Way::InPlace => self.in_place(plan).await?,
                Way::Evict | Way::Rollout => self.evict(plan, &now).await?,
            },
        };
        if result.done {
            result.configuration = read_anew(self.cluster, &plan.before, &plan.containers).await;
        }
        result.runbook = runbook;
        result.seconds = started.elapsed().as_secs();
        Ok(result)
    }

    /// The pod as it is and its runbook, as soon as that is green or `--wait` is over.
    async fn green(&self, plan: &PodPlan) -> anyhow::Result<Looked> {
        let limit = self.limit(self.options.wait);
        loop {
            let around = Around::look(self.cluster, self.keeper).await?;
            let Some(now) = around.pod(&plan.pod).cloned() else {
                return Ok(Looked { now: None, runbook: Vec::new(), stopped: None });
            };
            let runbook = runbook(&now, &plan.containers, &around, self.demands);
            let Some(why) = obstacle(&runbook) else {
                return Ok(Looked { now: Some(now), runbook, stopped: None });
            };
            let waited = self.waits(limit, &why).await;
            if waited != Ok(true) {
                return Ok(Looked { now: Some(now), runbook, stopped: waited.err() });
            }
        }
    }

    /// Waits for a moment, unless the time is up. `Err` says why nothing more is begun.
    async fn waits(&self, limit: Instant, why: &str) -> Result<bool, String> {
        if Instant::now() >= limit {
            return Ok(false);
        }
        terminal::progress_remark(&format!("  waiting: {why}"));
        pause(LOOK, self.stop).await;
        match interrupted(self.lease, self.stop).await {
            Some((_, why)) => Err(why),
            None => Ok(true),
        }
    }

    fn limit(&self, length: Duration) -> Instant {
        Instant::now().checked_add(length).unwrap_or_else(Instant::now)
    }

    async fn in_place(&self, plan: &PodPlan) -> anyhow::Result<PodResult> {
        let started = Instant::now();
        let mut result = PodResult::new(&plan.pod, plan.way, Fate::Gone);
        let Some(wanted) = &plan.wanted else { return Ok(result) };
        let mut watch = PodWatch::start(self.cluster, &plan.pod)?;
        let Some(now) = watch.first(FIRST).await?.pod.clone() else { return Ok(result) };
        if now.text("/metadata/uid") != plan.before.text("/metadata/uid") {
            result.why = "another pod has its name now".to_owned();
            return Ok(result);
        }
        let change = patch(&plan.before, wanted);
        let answer = ask::resize(self.cluster, &plan.pod, &change, false).await?;
        result.warnings = answer.warnings;
        let stored = match answer.result {
            Ok(stored) => stored,
            Err(refusal) => {
                (result.fate, result.message) = (Fate::Refused, refusal.message);
                return Ok(result);
            }
        };
        let generation = stored.number("/metadata/generation").unwrap_or_default();
        let containers: BTreeSet<String> = plan.containers.iter().cloned().collect();
        let before = Before::of(&now, stored, generation, containers);
        let limit = self.limit(self.options.timeout);
        let told = tokio::select! {
            told = self.well(&mut watch, &before, limit) => told?,
            breach = self.probes.broken() => {
                result.breach = Some(breach);
                let sight = watch.sight();
                outcome(&before, sight.pod.as_ref(), sight.events.as_deref())
            }
        };
        let sight = watch.sight().pod.as_ref();
        let is_ready = sight.is_some_and(|pod| ready_since(pod).is_some());
        (result.fate, result.why, result.message) =
            (Fate::of(told.state), told.why.clone(), told.message.clone());
        if result.fate == Fate::Restarted && !is_ready {
            result.fate = Fate::NotReady;
        }
        if let Some(pod) = sight {
            result.restarted = restarted(&now, pod, &told);
        }
        result.done = result.fate == Fate::Restarted && result.breach.is_none();
        result.timed_out = !result.done && result.breach.is_none() && Instant::now() >= limit;
        result.ready_seconds = result.done.then(|| self.since(started));
        Ok(result)
    }

    /// Watches until the pod was ready for long enough. One that was not ready before has to become
    /// it.
    async fn well(
        &self,
        watch: &mut PodWatch,
        before: &Before,
        limit: Instant,
    ) -> anyhow::Result<Outcome> {
        if !before.was_ready {
            let ready = watch
                .until(limit, |sight| {
                    let told = outcome(before, sight.pod.as_ref(), sight.events.as_deref());
                    let is_ready = sight.pod.as_ref().is_some_and(|pod| ready_since(pod).is_some());
                    if told.state.is_success() && is_ready
                        || told.state.is_final() && !told.state.is_success()
                    {
                        return ControlFlow::Break(());
                    }
                    ControlFlow::Continue(())
                })
                .await?;
            if ready == Watched::TimedOut {
                let sight = watch.sight();
                return Ok(outcome(before, sight.pod.as_ref(), sight.events.as_deref()));
            }
        }
        watch_out(watch, before, limit, self.options.ready_for).await
    }

    /// The seconds from `started` until it was ready for the last `--ready-for`.
    fn since(&self, started: Instant) -> u64 {
        started.elapsed().saturating_sub(self.options.ready_for).as_secs()
    }

    async fn evict(&self, plan: &PodPlan, now: &Pod) -> anyhow::Result<PodResult> {
        let started = Instant::now();
        let mut result = PodResult::new(&plan.pod, plan.way, Fate::Gone);
        if now.metadata.uid != plan.object.metadata.uid {
            result.why = "another pod has its name now".to_owned();
            return Ok(result);
        }
        let mut watch = PodsWatch::start(self.cluster, self.keeper);
        let first = watch
            .until(self.limit(FIRST), |pods| ControlFlow::Break(pods.keys().cloned().collect()))
            .await?;
        let Watched::Ended(known) = first else {
            anyhow::bail!("the API server does not show the pods of {}", self.keeper.target())
        };
        let refused = self.gone(now).await?;
        if let Some((fate, message)) = refused {
            (result.fate, result.message) = (fate, message);
            return Ok(result);
        }
        let limit = self.limit(self.options.timeout);
        let told = tokio::select! {
            told = self.replaced(&mut watch, now, &known, limit) => told?,
            breach = self.probes.broken() => {
                result.breach = Some(breach);
                Place::Empty
            }
        };
        (result.fate, result.replacement, result.why) = match told {
            Place::Ready(pod) => (Fate::Replaced, Some(pod), String::new()),
            Place::Starting(pod) => (Fate::NotReady, Some(pod), "it is not ready".to_owned()),
            Place::Crashed(pod, why) => (Fate::Crashed, Some(pod), why),
            Place::Going => (Fate::NotReplaced, None, "it has not ended yet".to_owned()),
            Place::Empty => (Fate::NotReplaced, None, "no pod has its place".to_owned()),
        };
        result.done = result.fate == Fate::Replaced && result.breach.is_none();
        result.timed_out = !result.done && result.breach.is_none() && Instant::now() >= limit;
        result.ready_seconds = result.done.then(|| self.since(started));
        Ok(result)
    }

    /// Evicts it, and waits for the disruption budget as long as `--wait` says. Who says no, if
    /// somebody does.
    async fn gone(&self, pod: &Pod) -> anyhow::Result<Option<(Fate, String)>> {
        let limit = self.limit(self.options.wait);
        loop {
            match evict(&self.asking_once, &self.cluster.namespace, pod, false).await? {
                Answer::Evicted => return Ok(None),
                Answer::Refused(message) => return Ok(Some((Fate::Refused, message))),
                Answer::Budget(message) => match self.waits(limit, &message).await {
                    Ok(true) => {}
                    Ok(false) => return Ok(Some((Fate::RefusedByBudget, message))),
                    Err(why) => return Ok(Some((Fate::Stopped, format!("{why}: {message}")))),
                },
            }
        }
    }

    /// Watches until a pod that took its place was ready for long enough.
    async fn replaced(
        &self,
        watch: &mut PodsWatch,
        evicted: &Pod,
        known: &BTreeSet<String>,
        limit: Instant,
    ) -> anyhow::Result<Place> {
        let is_stateful = self.keeper.kind == "StatefulSet";
        let mut last = Place::Going;
        loop {
            let found = watch
                .until(limit, |pods| {
                    last = place(evicted, known, is_stateful, pods);
                    match &last {
                        Place::Ready(_) | Place::Crashed(..) => ControlFlow::Break(last.clone()),
                        _ => ControlFlow::Continue(()),
                    }
                })
                .await?;
            let Watched::Ended(Place::Ready(name)) = found else { return Ok(last) };
            self.probes.follow(Some(PodAtHand { name: name.clone(), ip: None }));
            let until = self.limit(self.options.ready_for);
            let after = watch
                .until(until, |pods| {
                    last = place(evicted, known, is_stateful, pods);
                    if last == Place::Ready(name.clone()) {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(())
                    }
                })
                .await?;
            if after == Watched::TimedOut || Instant::now() >= limit {
                return Ok(last);
            }
        }
    }

    /// Rolls the workload out.
    ///
    /// # Errors
    ///
    /// Where the API server does not answer, or the workload cannot be watched.
    pub(super) async fn rollout(&self, pods: usize) -> anyhow::Result<PodResult> {
        let started = Instant::now();
        let target = self.keeper.target();
        let mut result = PodResult::new(&target, Way::Rollout, Fate::Stalled);
        let generation = match rollout::begin(self.cluster, self.keeper, false).await? {
            Ok(generation) => generation,
            Err(message) => {
                (result.fate, result.message) = (Fate::Refused, message);
                return Ok(result);
            }
        };
        let count = u32::try_from(pods.max(1)).unwrap_or(u32::MAX);
        let limit = self.limit(self.options.timeout.saturating_mul(count));
        let mut said = String::new();
        tokio::select! {
            told = self.rolled(generation, limit, &mut said) => match told? {
                Progress::Done => result.done = true,
                Progress::Stalled(message) => result.message = message,
                Progress::UnderWay(why) => result.why = why,
            },
            breach = self.probes.broken() => result.breach = Some(breach),
            () = stopped(self.stop.clone()) => {
                result.why = "it was told to stop; the controller goes on with it".to_owned();
            }
        }
        if result.done {
            result.fate = Fate::RolledOut;
            result.ready_seconds = Some(self.since(started));
        } else if result.breach.is_some() {
            result.why = "the controller goes on with it".to_owned();
        }
        result.timed_out = !result.done && Instant::now() >= limit;
        result.seconds = started.elapsed().as_secs();
        Ok(result)
    }

    /// Watches until the rollout was complete for long enough.
    async fn rolled(
        &self,
        generation: i64,
        limit: Instant,
        said: &mut String,
    ) -> anyhow::Result<Progress> {
        let mut last = Progress::UnderWay(String::new());
        loop {
            let mut look = |workload: &Unstructured| {
                last = rollout::progress(workload, generation);
                if let Progress::UnderWay(why) = &last {
                    if said != why {
                        terminal::progress_remark(&format!("  {why}"));
                        said.clone_from(why);
                    }
                    return ControlFlow::Continue(());
                }
                ControlFlow::Break(())
            };
            let found = rollout::until(self.cluster, self.keeper, limit, &mut look).await?;
            if found == Watched::TimedOut || last != Progress::Done {
                return Ok(last);
            }
            let until = self.limit(self.options.ready_for);
            let after = rollout::until(self.cluster, self.keeper, until, |workload| {
                last = rollout::progress(workload, generation);
                if last == Progress::Done {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })
            .await?;
            if after == Watched::TimedOut || Instant::now() >= limit {
                return Ok(last);
            }
        }
    }
}

/// What a rollout is waited for, in words.
pub(super) fn rollout_limit(options: &Options, pods: usize) -> String {
    let count = u32::try_from(pods.max(1)).unwrap_or(u32::MAX);
    words(options.timeout.saturating_mul(count))
}
