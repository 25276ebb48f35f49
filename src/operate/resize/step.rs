//! One pod: resized, watched to its end, and put back where that is wanted.

use std::collections::BTreeSet;

use serde::Serialize;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::manifest::unstructured::Unstructured;
use crate::operate::ask::{self, Refusal};
use crate::operate::change::{changes, listed, patch};
use crate::operate::outcome::{Before, Outcome, State, outcome};
use crate::operate::probe::{Breach, Probes};
use crate::operate::sight::PodWatch;
use crate::operate::watched::{FIRST, watch_out};

use super::back::{PutBack, back};
use super::options::{OnFailure, Options};
use super::plan::{PodPlan, Turn};
use super::room::{Nodes, Room};

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
    /// The pod with what was asked for, as it was stored.
    #[serde(skip)]
    pub(super) stored: Option<Unstructured>,
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
            stored: None,
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
    let asked = match plan.turn {
        Turn::UnderWay => Ok(now.clone()),
        _ => {
            let patch = patch(&plan.before, &plan.wanted);
            let answer = ask::resize(cluster, &plan.pod, &patch, false).await;
            let answer = answer.map(|answer| {
                result.warnings = answer.warnings;
                answer.result
            });
            match answer {
                Ok(Ok(stored)) => Ok(result.stored.insert(stored).clone()),
                Ok(Err(refusal)) => {
                    result.refusal = Some(changed_since(plan, &now, refusal));
                    return Ok(result);
                }
                // it may be stored all the same
                Err(error) => {
                    result.stored = Some(plan.wanted.clone());
                    Err(error)
                }
            }
        }
    };
    let before = before(plan, now, asked.as_ref().unwrap_or(&plan.wanted).clone());
    let limit = Instant::now().checked_add(options.timeout).unwrap_or(started);
    let told = tokio::select! {
        told = async {
            asked?;
            watch_out(&mut watch, &before, limit, options.settle).await
        } => told.unwrap_or_else(|error| Outcome::unknown(&error)),
        breach = probes.broken() => {
            result.breach = Some(breach);
            let sight = watch.sight();
            outcome(&before, sight.pod.as_ref(), sight.events.as_deref())
        }
    };
    let is_late = Instant::now() >= limit;
    result.timed_out = !told.state.is_final() && result.breach.is_none() && is_late;
    result.done = told.state.is_success() && result.breach.is_none();
    if told.state == State::Deferred {
        let wanted = &before.wanted;
        result.room = Nodes::of(cluster, std::iter::once(wanted)).await.room(wanted);
    }
    let state = told.state;
    result.outcome = Some(told);
    // one that was only watched had other values before, which nobody here knows
    let stored = result.stored.as_ref().filter(|_| state.can_be_put_back());
    if let Some(stored) = stored.filter(|_| options.on_failure == OnFailure::Revert)
        && !result.done
    {
        result.put_back = Some(back(cluster, plan, stored, options.timeout).await);
    }
    result.seconds = started.elapsed().as_secs();
    Ok(result)
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
