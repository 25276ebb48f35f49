//! One pod: resized, watched to its end, and put back where that is wanted.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::manifest::unstructured::Unstructured;
use crate::operate::ask::{self, Refusal};
use crate::operate::change::{changes, listed, patch, put_back};
use crate::operate::outcome::{Before, Outcome, State, outcome};
use crate::operate::probe::{Breach, Probes};
use crate::operate::sight::PodWatch;
use crate::operate::watched::{FIRST, watch_out};

use super::options::{OnFailure, Options};
use super::plan::{PodPlan, Turn, effects, restarting};
use super::room::{self, Room};

/// What became of one pod. The names of its fields stay as they are.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodResult {
    /// The pod.
    pub(super) pod: String,
    /// Whether it has what was wanted, in the end.
    pub(super) done: bool,
    /// What became of it; `None` where nothing was stored.
    pub(super) outcome: Option<Outcome>,
    /// Who said no.
    pub(super) refusal: Option<Refusal>,
    /// What was warned of.
    pub(super) warnings: Vec<String>,
    /// The condition of the probes that it broke.
    pub(super) breach: Option<Breach>,
    /// Whether it took longer than it may.
    pub(super) timed_out: bool,
    /// How long it took, in seconds.
    pub(super) seconds: u64,
    /// What its node lacks, where it waits for room.
    pub(super) room: Option<Room>,
    /// Whether it was put back.
    pub(super) put_back: Option<PutBack>,
}

/// What came of putting a pod back. The names of its fields stay as they are.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutBack {
    /// Whether it has what it had.
    pub(super) done: bool,
    /// What became of it, or who said no.
    pub(super) why: String,
}

impl PodResult {
    fn new(pod: &str) -> Self {
        Self {
            pod: pod.to_owned(),
            done: false,
            outcome: None,
            refusal: None,
            warnings: Vec::new(),
            breach: None,
            timed_out: false,
            seconds: 0,
            room: None,
            put_back: None,
        }
    }
}

/// Resizes one pod.
///
/// # Errors
///
/// Where the API server does not answer, or the pod cannot be watched.
pub(super) async fn resize(
    cluster: &Cluster,
    options: &Options,
    plan: &PodPlan,
    probes: &Probes,
) -> anyhow::Result<PodResult> {
    let started = Instant::now();
    let mut result = PodResult::new(&plan.pod);
    let mut watch = PodWatch::start(cluster, &plan.pod)?;
    let now = watch.first(FIRST).await?.pod.clone();
    let Some(now) = now else {
        result.outcome =
            Some(outcome(&before(plan, plan.before.clone(), plan.wanted.clone()), None, None));
        return Ok(result);
    };
    let stored = match plan.turn {
        Turn::UnderWay => now.clone(),
        _ => {
            let patch = patch(&plan.before, &plan.wanted);
            let answer = ask::resize(cluster, &plan.pod, &patch, false).await?;
            result.warnings = answer.warnings;
            match answer.result {
                Ok(stored) => stored,
                Err(refusal) => {
                    result.refusal = Some(changed_since(plan, &now, refusal));
                    return Ok(result);
                }
            }
        }
    };
    let before = before(plan, now, stored);
    let limit = Instant::now().checked_add(options.timeout).unwrap_or(started);
    let told = tokio::select! {
        told = watch_out(&mut watch, &before, limit, options.settle) => told?,
        breach = probes.broken() => {
            result.breach = Some(breach);
            let sight = watch.sight();
            outcome(&before, sight.pod.as_ref(), sight.events.as_deref())
        }
    };
    result.timed_out = !told.state.is_final() && result.breach.is_none();
    result.done = told.state.is_success() && result.breach.is_none();
    if told.state == State::Deferred {
        result.room = room::of(cluster, &before.wanted).await;
    }
    let state = told.state;
    result.outcome = Some(told);
    if !result.done && options.on_failure == OnFailure::Revert && state.can_be_put_back() {
        // one that was only watched had other values before, which nobody here knows
        result.put_back = if plan.turn == Turn::Resize {
            Some(back(cluster, &mut watch, plan, options.timeout).await?)
        } else {
            None
        };
    }
    result.seconds = started.elapsed().as_secs();
    Ok(result)
}

/// Puts a pod back that was resized before.
///
/// # Errors
///
/// Where the API server does not answer, or the pod cannot be watched.
pub(super) async fn revert(
    cluster: &Cluster,
    options: &Options,
    plan: &PodPlan,
) -> anyhow::Result<PutBack> {
    let mut watch = PodWatch::start(cluster, &plan.pod)?;
    watch.first(FIRST).await?;
    back(cluster, &mut watch, plan, options.timeout).await
}

fn before(plan: &PodPlan, now: Unstructured, stored: Unstructured) -> Before {
    let generation = stored.number("/metadata/generation").unwrap_or_default();
    let restarting = if plan.turn == Turn::Resize { plan.restarting() } else { BTreeSet::new() };
    Before::of(&now, stored, generation, restarting)
}

/// A patch whose tests fail says little of why.
fn changed_since(plan: &PodPlan, now: &Unstructured, refusal: Refusal) -> Refusal {
    let is_other = now.text("/metadata/uid") != plan.before.text("/metadata/uid");
    let since = changes(&plan.before, now);
    let why = match (is_other, since.is_empty()) {
        (true, _) => "another pod has its name now".to_owned(),
        (false, false) => format!("somebody changed it since the plan: {}", listed(&since)),
        (false, true) => return refusal,
    };
    Refusal { message: why, ..refusal }
}

/// Asks for what the pod had, and watches until it has it.
async fn back(
    cluster: &Cluster,
    watch: &mut PodWatch,
    plan: &PodPlan,
    limit: Duration,
) -> anyhow::Result<PutBack> {
    let failed = |why: String| PutBack { done: false, why };
    let Some(now) = watch.sight().pod.clone() else {
        return Ok(failed("the pod is gone".to_owned()));
    };
    let wanted = put_back(&plan.before, &now);
    let changed = changes(&now, &wanted);
    if changed.is_empty() {
        return Ok(PutBack { done: true, why: "it has what it had".to_owned() });
    }
    let restarting = restarting(&effects(&now, &wanted, &[]));
    let answer = ask::resize(cluster, &plan.pod, &patch(&now, &wanted), false).await?;
    let stored = match answer.result {
        Ok(stored) => stored,
        Err(refusal) => return Ok(failed(refusal.message)),
    };
    let generation = stored.number("/metadata/generation").unwrap_or_default();
    let before = Before::of(&now, stored, generation, restarting);
    let limit = Instant::now().checked_add(limit).unwrap_or_else(Instant::now);
    let told = watch_out(watch, &before, limit, Duration::ZERO).await?;
    let why = format!("{}: {}", listed(&changed), told.state.words());
    Ok(PutBack { done: told.state.is_success(), why })
}
