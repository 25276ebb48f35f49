//! Putting a pod back: it gets what it had, and has as long for it as it had for the resize.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::cluster::error::error_message;
use crate::manifest::unstructured::Unstructured;
use crate::operate::act::as_stored;
use crate::operate::ask;
use crate::operate::change::{changes, listed, patch, put_back};
use crate::operate::outcome::Before;
use crate::operate::sight::PodWatch;
use crate::operate::watched::watch_out;

use super::plan::{PodPlan, effects, restarting};

/// The wait before it is asked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// What came of putting a pod back. The names of its fields stay as they are.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutBack {
    /// Whether it has what it had.
    pub(super) done: bool,
    /// What became of it, or who said no.
    pub(super) why: String,
}

/// What comes of asking once.
enum Attempt {
    /// It is stored.
    Stored(Box<Before>, String),
    /// It would come to the same if it were asked again.
    End(PutBack),
    /// Somebody wrote to the pod at the same time, or there was no answer.
    Again(String),
}

/// Asks for what the pod of `plan` had, and watches until it has it, or for as long as `length`.
/// What was changed since `stored` is somebody else's, and stays.
pub(super) async fn back(
    cluster: &Cluster,
    plan: &PodPlan,
    stored: &Unstructured,
    length: Duration,
) -> PutBack {
    let limit = Instant::now().checked_add(length).unwrap_or_else(Instant::now);
    let (before, said) = match asked(cluster, plan, stored, limit).await {
        Ok(asked) => asked,
        Err(end) => return end,
    };
    let told = match PodWatch::start(cluster, &plan.pod) {
        Ok(mut watch) => watch_out(&mut watch, &before, limit, Duration::ZERO).await,
        Err(error) => Err(error),
    };
    match told {
        Ok(told) if told.state.is_success() => {
            PutBack { done: true, why: format!("{said}: {}", told.state.words()) }
        }
        Ok(told) => {
            let end = if before.is_over(told.state) { "" } else { ", and the time is up" };
            PutBack::failed(format!("{said}: {}{end}: {}", told.state.words(), told.why))
        }
        Err(error) => PutBack::failed(format!("{said}: asked for, and then {error:#}")),
    }
}

/// Has it stored, and asks again until `limit` where that may help.
async fn asked(
    cluster: &Cluster,
    plan: &PodPlan,
    stored: &Unstructured,
    limit: Instant,
) -> Result<(Before, String), PutBack> {
    let mut is_first = true;
    loop {
        match attempt(cluster, plan, stored, is_first).await {
            Attempt::Stored(before, said) => return Ok((*before, said)),
            Attempt::End(end) => return Err(end),
            Attempt::Again(why) if Instant::now() >= limit => return Err(PutBack::failed(why)),
            Attempt::Again(_) => sleep(AGAIN).await,
        }
        is_first = false;
    }
}

/// Reads the pod as it is, and asks for what it had.
async fn attempt(
    cluster: &Cluster,
    plan: &PodPlan,
    stored: &Unstructured,
    is_first: bool,
) -> Attempt {
    let now = match cluster.pods().get_opt(&plan.pod).await {
        Ok(Some(pod)) => as_stored(cluster, &pod),
        Ok(None) => return Attempt::failed("the pod is gone"),
        Err(error) => return Attempt::Again(error_message(&error)),
    };
    let now = match now {
        Ok(now) => now,
        Err(error) => return Attempt::Again(format!("{error:#}")),
    };
    if now.text("/metadata/uid") != plan.before.text("/metadata/uid") {
        return Attempt::failed("another pod has its name now");
    }
    let wanted = put_back(&plan.before, &now);
    let back = changes(&now, &wanted);
    if back.is_empty() {
        return Attempt::End(PutBack { done: true, why: "it has what it had".to_owned() });
    }
    let others = changes(stored, &now);
    if !others.is_empty() {
        let others = listed(&others);
        return Attempt::failed(format!("left as it is: somebody changed it meanwhile: {others}"));
    }
    let answer = ask::resize(cluster, &plan.pod, &patch(&now, &wanted), false).await;
    match answer.map(|answer| answer.result) {
        Ok(Ok(stored)) => {
            let restarting = restarting(&effects(&now, &wanted, &[]));
            let generation = stored.number("/metadata/generation").unwrap_or_default();
            let before = Before::of_return(&now, stored, generation, restarting, plan.ready);
            Attempt::Stored(Box::new(before), listed(&back))
        }
        Ok(Err(refusal)) if is_passing(refusal.code, is_first) => Attempt::Again(refusal.message),
        Ok(Err(refusal)) => Attempt::failed(refusal.message),
        Err(error) => Attempt::Again(format!("{error:#}")),
    }
}

/// Whether another answer may come later: somebody wrote at the same time, or what has to answer is
/// away. A patch whose tests fail is answered with 422, as one that is invalid is.
fn is_passing(code: u16, is_first: bool) -> bool {
    matches!(code, 409 | 429 | 500..) || code == 422 && is_first
}

impl Attempt {
    fn failed(why: impl Into<String>) -> Self {
        Self::End(PutBack::failed(why))
    }
}

impl PutBack {
    fn failed(why: impl Into<String>) -> Self {
        Self { done: false, why: why.into() }
    }
}
