//! What became of a resize: a pure function of the pod before, the pod now, and its events.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::explain::history::{
    Blocked, Cause, History, HistoryContext, Obstacle, Reason, ResizeState, State as Whole,
};
use crate::manifest::unstructured::Unstructured;

use super::change::{changes, listed};

/// What is known of a pod before it is resized, and what was asked for.
#[derive(Clone, Debug)]
pub(super) struct Before {
    /// The pod as it is to be: of the same UID, with the resources that were asked for.
    pub(super) wanted: Unstructured,
    /// The generation of the spec that asks for it.
    pub(super) generation: i64,
    /// How often each container had started again.
    pub(super) restarts: BTreeMap<String, u64>,
    /// The containers that the resize restarts.
    pub(super) restarting: BTreeSet<String>,
    /// Whether the pod was ready.
    pub(super) was_ready: bool,
    /// Whether it gets back what it had, after something that went wrong.
    pub(super) is_return: bool,
}

/// How far a resize is, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// The kubelet did not say anything about it yet.
    Unseen,
    /// The kubelet is at it.
    InProgress,
    /// It was carried out, and the pod is not ready yet.
    NotReady,
    /// It waits for room.
    Deferred,
    /// In place, without a restart.
    Done,
    /// In place, with a restart in the same pod.
    Restarted,
    /// The pod does not run yet: it starts with what was asked for.
    AtStart,
    /// The kubelet will not do it.
    Infeasible,
    /// As much as the new limit, or more, is in use.
    BelowUsage,
    /// The kubelet tried, and it failed.
    Failed,
    /// A container that was restarted does not start again.
    NotStarting,
    /// A container ended since, for memory.
    OutOfMemory,
    /// A container ended since.
    Crashed,
    /// Somebody asked for something else meanwhile.
    Overtaken,
    /// The pod ended.
    Ended,
    /// The pod is gone, or being deleted.
    Gone,
}

/// A state and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    /// How far it is.
    pub(super) state: State,
    /// What it means.
    pub(super) why: String,
    /// What the kubelet says; empty where it says nothing.
    pub(super) message: String,
    /// The containers that were restarted for it.
    pub(super) restarted: Vec<Downtime>,
}

/// A restart of a container, and how long nothing of it served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Downtime {
    /// The container.
    pub(super) container: String,
    /// From its end until it was ready again, as far as that is told.
    pub(super) seconds: Option<i64>,
}

impl State {
    /// Whether it stays so.
    pub(super) fn is_final(self) -> bool {
        !matches!(self, Self::Unseen | Self::InProgress | Self::NotReady | Self::Deferred)
    }

    /// Whether it is what was wanted.
    pub(super) fn is_success(self) -> bool {
        matches!(self, Self::Done | Self::Restarted | Self::AtStart)
    }

    /// Whether there is a pod with what was asked for, which can be taken back.
    pub(super) fn can_be_put_back(self) -> bool {
        !matches!(self, Self::Overtaken | Self::Ended | Self::Gone)
    }

    /// What it is called in the text form.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Unseen => "not seen by the kubelet yet",
            Self::InProgress => "in progress",
            Self::NotReady => "carried out, not ready yet",
            Self::Deferred => "deferred",
            Self::Done => "done in place, no restart",
            Self::Restarted => "done in place, with a restart",
            Self::AtStart => "stored: it starts with it",
            Self::Infeasible => "infeasible",
            Self::BelowUsage => "refused by usage",
            Self::Failed => "failed",
            Self::NotStarting => "does not start again",
            Self::OutOfMemory => "killed for memory after it",
            Self::Crashed => "crashed after it",
            Self::Overtaken => "overtaken by another change",
            Self::Ended => "the pod ended",
            Self::Gone => "the pod is gone",
        }
    }
}

impl Outcome {
    /// It was asked for, and cannot be watched any more.
    pub(super) fn unknown(error: &anyhow::Error) -> Self {
        Self::new(State::Unseen, format!("{error:#}"))
    }

    fn new(state: State, why: impl Into<String>) -> Self {
        Self { state, why: why.into(), message: String::new(), restarted: Vec::new() }
    }
}

/// What became of it, by what a watch shows.
pub(super) fn outcome(
    before: &Before,
    pod: Option<&Unstructured>,
    events: Option<&[Value]>,
) -> Outcome {
    let uid = |pod: &Unstructured| pod.text("/metadata/uid").map(str::to_owned);
    let Some(pod) = pod else { return Outcome::new(State::Gone, "there is no pod of this name") };
    if uid(pod) != uid(&before.wanted) {
        return Outcome::new(State::Gone, "another pod has its name now: it has another UID");
    }
    // what was seen before the API server stored it tells nothing of it
    if pod.number("/metadata/generation").is_some_and(|seen| seen < before.generation) {
        return Outcome::new(State::Unseen, "the watch does not show the new spec yet");
    }
    let context =
        HistoryContext { events: events.map(<[Value]>::to_vec), ..HistoryContext::default() };
    let history = match History::of(pod, &context) {
        Ok(history) => history,
        Err(error) => return Outcome::new(State::InProgress, error.to_string()),
    };
    // a pod on its way back may be in trouble of the time before: what counts is that it gets well
    let ended = |history| if before.is_return { None } else { ended_since(before, pod, history) };
    whole(&history)
        .or_else(|| overtaken(before, pod))
        .or_else(|| ended(&history))
        .or_else(|| not_starting(before, &history))
        .unwrap_or_else(|| by_resize(before, pod, &history))
}

/// A pod that is over.
fn whole(history: &History) -> Option<Outcome> {
    let state = match history.whole.state {
        Whole::Terminating => State::Gone,
        Whole::Completed
        | Whole::Failed
        | Whole::Evicted
        | Whole::DeadlineExceeded
        | Whole::Preempted
        | Whole::NodeShutdown
        | Whole::Rejected
        | Whole::NodeLost => State::Ended,
        _ => return None,
    };
    let said = history.now.first().cloned();
    let why = match state {
        State::Gone => "it is being deleted".to_owned(),
        _ => said.unwrap_or_else(|| "it has ended".to_owned()),
    };
    Some(Outcome { message: history.whole.message.clone(), ..Outcome::new(state, why) })
}

fn overtaken(before: &Before, pod: &Unstructured) -> Option<Outcome> {
    let others = changes(&before.wanted, pod);
    (!others.is_empty()).then(|| {
        let why = format!("somebody changed it meanwhile: {}", listed(&others));
        Outcome::new(State::Overtaken, why)
    })
}

/// A container that ended once more than the resize makes it. Of a pod that was not ready before,
/// one end more may be of the time before.
fn ended_since(before: &Before, pod: &Unstructured, history: &History) -> Option<Outcome> {
    for restart in &history.restarts {
        let name = &restart.container;
        let ends = ends(pod, name).unwrap_or_else(|| restart.count.into());
        let known = before.restarts.get(name).copied().unwrap_or_default();
        let own =
            u64::from(before.restarting.contains(name) && has_started_again(before, pod, name));
        let spare = u64::from(!before.was_ready);
        if ends > known.saturating_add(own).saturating_add(spare) {
            let last = &restart.last;
            let state = match last.cause {
                Cause::OutOfMemory => State::OutOfMemory,
                Cause::DefinitionChanged => State::Overtaken,
                _ => State::Crashed,
            };
            let why = format!("container {name:?}: {}: {}", last.cause.words(), last.why);
            return Some(Outcome::new(state, why));
        }
    }
    None
}

/// How often a container ended: its restarts, and the end it did not come back from. An init
/// container that did its work has ended for good.
fn ends(pod: &Unstructured, name: &str) -> Option<u64> {
    let (status, is_init) = status(pod, name)?;
    let count = status.get("restartCount")?.as_u64()?;
    let code = status.pointer("/state/terminated/exitCode").and_then(Value::as_i64);
    let is_down = code.is_some_and(|code| !is_init || code != 0)
        || status.pointer("/state/waiting").is_some_and(|waiting| !waiting.is_null())
            && status.pointer("/lastState/terminated").is_some();
    Some(count.saturating_add(u64::from(is_down)))
}

/// Whether it was restarted, or is just being.
fn has_started_again(before: &Before, pod: &Unstructured, name: &str) -> bool {
    let known = before.restarts.get(name).copied().unwrap_or_default();
    ends(pod, name).is_some_and(|ends| ends > known)
}

/// A container that was stopped for the resize, and that something keeps from starting.
fn not_starting(before: &Before, history: &History) -> Option<Outcome> {
    let is_kept = |blocked: &&Blocked| {
        let is_meant = before.is_return && before.was_ready;
        (is_meant || before.restarting.contains(&blocked.container))
            && matches!(
                blocked.cause,
                Obstacle::Image
                    | Obstacle::Configuration
                    | Obstacle::CreateError
                    | Obstacle::StartError
                    | Obstacle::PostStartHook
            )
    };
    let blocked = history.blocked.iter().find(is_kept)?;
    let why =
        format!("container {:?}: {}: {}", blocked.container, blocked.cause.words(), blocked.why);
    let message = blocked.message.clone();
    Some(Outcome { message, ..Outcome::new(State::NotStarting, why) })
}

fn by_resize(before: &Before, pod: &Unstructured, history: &History) -> Outcome {
    let resize = &history.resize;
    let told = |state: State| Outcome {
        message: resize.message.clone(),
        ..Outcome::new(state, resize.why.clone())
    };
    // what the kubelet says of an earlier spec tells nothing of this one
    if resize.observed_generation.is_some_and(|observed| observed < before.generation) {
        return Outcome::new(State::Unseen, "the kubelet has not seen the new spec yet");
    }
    match (resize.state, resize.cause) {
        (ResizeState::Deferred, _) => told(State::Deferred),
        (ResizeState::Infeasible, _) => told(State::Infeasible),
        (ResizeState::Error, Some(Reason::BelowUsage)) => told(State::BelowUsage),
        // it has not measured yet, and tries again
        (ResizeState::Error, Some(Reason::UsageUnknown)) => told(State::InProgress),
        (ResizeState::Error, _) => told(State::Failed),
        (ResizeState::InProgress, _) => told(State::InProgress),
        (ResizeState::Unseen, _) => told(State::Unseen),
        (ResizeState::NotRunning, _) if before.is_return && before.was_ready => {
            told(State::NotReady)
        }
        (ResizeState::NotRunning, _) => told(State::AtStart),
        (ResizeState::Settled, _) => settled(before, pod, history),
    }
}

/// What was asked for is in force: containers may still have to come back.
fn settled(before: &Before, pod: &Unstructured, history: &History) -> Outcome {
    let waits = |name: &&String| !has_started_again(before, pod, name) || !is_running(pod, name);
    if let Some(name) = before.restarting.iter().find(waits) {
        let why = format!("container {name:?} is being restarted");
        return Outcome::new(State::InProgress, why);
    }
    if before.was_ready && history.whole.state != Whole::Running {
        return Outcome::new(
            State::NotReady,
            "what was asked for is in force, and the pod is not ready",
        );
    }
    let again = before
        .restarting
        .iter()
        .map(|name| Downtime { container: name.clone(), seconds: downtime(pod, name) });
    let restarted: Vec<Downtime> = again.collect();
    let state = if restarted.is_empty() { State::Done } else { State::Restarted };
    let why =
        if before.was_ready { "" } else { "; the pod was not ready before, and may not be now" };
    Outcome { restarted, ..Outcome::new(state, format!("{}{why}", history.resize.why)) }
}

/// From the end of the container until it ran again, and the pod was ready again where it was not
/// meanwhile.
fn downtime(pod: &Unstructured, name: &str) -> Option<i64> {
    let (status, _) = status(pod, name)?;
    let time = |value: &Value, pointer: &str| -> Option<Timestamp> {
        value.pointer(pointer)?.as_str()?.parse().ok()
    };
    let ended = time(status, "/lastState/terminated/finishedAt")?;
    let started = time(status, "/state/running/startedAt")?;
    let conditions = pod.value().pointer("/status/conditions")?.as_array()?;
    let ready = conditions
        .iter()
        .find(|condition| condition.get("type").and_then(Value::as_str) == Some("Ready"))
        .and_then(|condition| time(condition, "/lastTransitionTime"));
    let back = ready.map_or(started, |ready| ready.max(started));
    Some(back.duration_since(ended).as_secs().max(0))
}

/// The status of a container, and whether it is an init container.
pub(super) fn status<'p>(pod: &'p Unstructured, name: &str) -> Option<(&'p Value, bool)> {
    let lists = [("/status/containerStatuses", false), ("/status/initContainerStatuses", true)];
    lists.into_iter().find_map(|(pointer, is_init)| {
        let list = pod.value().pointer(pointer)?.as_array()?;
        let is_named = |status: &&Value| status.get("name").and_then(Value::as_str) == Some(name);
        list.iter().find(is_named).map(|status| (status, is_init))
    })
}

impl Before {
    /// What is known of `pod`, of which `wanted` is asked for, which restarts these containers.
    pub(super) fn of(
        pod: &Unstructured,
        wanted: Unstructured,
        generation: i64,
        restarting: BTreeSet<String>,
    ) -> Self {
        let lists = ["/status/containerStatuses", "/status/initContainerStatuses"];
        let statuses = lists.into_iter().filter_map(|list| pod.value().pointer(list)?.as_array());
        let names = statuses.flatten().filter_map(|status| status.get("name")?.as_str());
        let restarts = names.filter_map(|name| Some((name.to_owned(), ends(pod, name)?))).collect();
        let conditions = pod.value().pointer("/status/conditions").and_then(Value::as_array);
        let is_ready = |condition: &Value| {
            let word = |key: &str| condition.get(key).and_then(Value::as_str);
            word("type") == Some("Ready") && word("status") == Some("True")
        };
        let was_ready = conditions.into_iter().flatten().any(is_ready);
        Self { wanted, generation, restarts, restarting, was_ready, is_return: false }
    }

    /// What is known of `pod`, which gets back what it had when it was ready, or was not. Of the
    /// containers that this restarts only those count that run now.
    pub(super) fn of_return(
        pod: &Unstructured,
        wanted: Unstructured,
        generation: i64,
        mut restarting: BTreeSet<String>,
        was_ready: bool,
    ) -> Self {
        restarting.retain(|name| is_running(pod, name));
        Self { was_ready, is_return: true, ..Self::of(pod, wanted, generation, restarting) }
    }

    /// Whether nothing else is to be waited for. A pod on its way back has all its time to get well:
    /// the kubelet tries again what failed.
    pub(super) fn is_over(&self, state: State) -> bool {
        let is_hopeless =
            matches!(state, State::Infeasible | State::Overtaken | State::Ended | State::Gone);
        if self.is_return { state.is_success() || is_hopeless } else { state.is_final() }
    }
}

fn is_running(pod: &Unstructured, name: &str) -> bool {
    status(pod, name).is_some_and(|(status, _)| {
        status.pointer("/state/running").is_some_and(|running| !running.is_null())
    })
}

#[cfg(test)]
mod tests;
