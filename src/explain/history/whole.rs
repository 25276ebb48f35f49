//! What goes on with the pod as a whole.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::blocked::Blocked;
use super::case::Case;
use super::cause::Cause;
use super::certainty::Certainty;
use super::ending::Ending;
use super::event::{Kill, later};
use super::kubectl::with;
use super::restart::stopping;

/// What goes on with the pod as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Whole {
    /// The word for it.
    pub state: State,
    /// How sure that is.
    pub certainty: Certainty,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What Kubernetes says.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// A word for the pod as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// All containers run, and are ready.
    Running,
    /// Containers run that are not ready.
    NotReady,
    /// A container does not run though it should, and does not come by itself.
    Down,
    /// Containers are being started.
    Starting,
    /// No node has it.
    Unscheduled,
    /// A rule has all containers restarted.
    RestartingAllContainers,
    /// Its node does not answer.
    NodeNotReady,
    /// It is being deleted.
    Terminating,
    /// It ended, without an error.
    Completed,
    /// It ended, with an error of a container.
    Failed,
    /// It was evicted.
    Evicted,
    /// Its time was over.
    DeadlineExceeded,
    /// It made room for another.
    Preempted,
    /// Its node was shut down.
    NodeShutdown,
    /// The kubelet did not take it.
    Rejected,
    /// Its node is lost.
    NodeLost,
    /// Nothing is known.
    Unknown,
}

/// The pod as a whole, and what is to be said of it.
pub(super) fn of(case: &Case<'_>, blocked: &[Blocked]) -> (Whole, Vec<String>) {
    let mut now = Vec::new();
    let whole = over(case, &mut now)
        .or_else(|| terminating(case, &mut now))
        .or_else(|| node_away(case, &mut now))
        .or_else(|| restarting_all(case, &mut now))
        .or_else(|| unscheduled(case, &mut now))
        .unwrap_or_else(|| by_containers(case, blocked, &mut now));
    let told = case.record.containers().filter(|_| case.ending.is_none());
    let stopping = told.filter_map(|told| Some((&told.status.name, stopping(case, told)?)));
    for (name, (since, kill)) in stopping {
        let next = if kill == Kill::Pod { "" } else { ", so its next restart is under way" };
        now.push(format!("container {name:?} is being stopped since {since}{next}"));
    }
    (whole, now)
}

fn whole(state: State, since: Option<Timestamp>) -> Whole {
    let (message, remedy) = (String::new(), String::new());
    Whole { state, certainty: Certainty::Certain, since, message, remedy }
}

/// A pod that ended for good.
fn over(case: &Case<'_>, now: &mut Vec<String>) -> Option<Whole> {
    let record = case.record;
    if !record.is_over() {
        return None;
    }
    let since = record
        .containers()
        .filter_map(|told| told.status.state.terminated.as_ref()?.finished_at)
        .max();
    if let Some(ending) = case.ending.filter(|ending| ending.cause != Cause::Deleted) {
        now.push(ending.why.clone());
        let mut whole = ended(ending);
        whole.remedy = match (whole.state, record.controller()) {
            (State::Evicted, Some(owner)) => {
                format!("none for this pod: its {} {:?} makes another", owner.kind, owner.name)
            }
            (State::Evicted, None) if ending.message.contains("low on resource: memory") => {
                "make it anew, with a memory request that fits what it uses, and a limit".to_owned()
            }
            (State::DeadlineExceeded, _) => {
                "give it a longer activeDeadlineSeconds, and make it anew".to_owned()
            }
            (State::Evicted | State::Preempted | State::NodeShutdown | State::Rejected, None) => {
                "make it anew: nobody does it for a pod without a controller".to_owned()
            }
            _ => String::new(),
        };
        return Some(whole);
    }
    let policy = &record.spec.restart_policy;
    let policy =
        if policy.is_empty() { String::new() } else { format!(" (restartPolicy {policy})") };
    let (state, words) = if record.status.phase == "Succeeded" {
        (State::Completed, "it is complete: its containers ended by themselves with exit code 0")
    } else {
        (State::Failed, "it has failed: a container ended with an error")
    };
    now.push(format!("{words}, and none starts again{policy}"));
    Some(whole(state, since))
}

/// A pod that something ended, or ends.
fn ended(ending: &Ending) -> Whole {
    let state = match ending.cause {
        Cause::Evicted => State::Evicted,
        Cause::Deadline => State::DeadlineExceeded,
        Cause::Preempted => State::Preempted,
        Cause::NodeShutdown => State::NodeShutdown,
        Cause::Rejected => State::Rejected,
        Cause::Lost => State::NodeLost,
        _ => State::Terminating,
    };
    let (certainty, message) = (ending.certainty, ending.message.clone());
    Whole { certainty, message, ..whole(state, ending.since) }
}

fn terminating(case: &Case<'_>, now: &mut Vec<String>) -> Option<Whole> {
    let (until, ending) = (case.record.metadata.deletion_timestamp?, case.ending?);
    now.push(format!(
        "the pod is being deleted, until {until} at the latest; a deletion raises the generation, and changes nothing of the spec"
    ));
    now.push(ending.why.clone());
    node_away(case, now);
    let mut whole = Whole { state: State::Terminating, ..ended(ending) };
    let is_overdue =
        case.as_of.is_some_and(|as_of| as_of > later(until, SignedDuration::from_secs(60)));
    if is_overdue {
        let finalizers = &case.record.metadata.finalizers;
        let (what, remedy) = if finalizers.is_empty() {
            let sentence = "see whether its node answers; where the node is gone for good, this takes the pod out of the API, and stops no process";
            (
                "its kubelet has not said that it is gone, so its node does not answer or a process does not end".to_owned(),
                with(sentence, case.kubectl.delete(" --grace-period=0 --force")),
            )
        } else {
            let names = finalizers.join(", ");
            (
                format!("finalizers hold it: {names}"),
                "see why those that set the finalizers do not remove them".to_owned(),
            )
        };
        now.push(format!("that time is over: {what}"));
        whole.remedy = remedy;
    }
    Some(whole)
}

/// Its node does not answer: whoever watches nodes marks the pod unready and gives no reason.
fn node_away(case: &Case<'_>, now: &mut Vec<String>) -> Option<Whole> {
    let ready = case.record.condition("Ready")?;
    let containers = case.record.condition("ContainersReady");
    let all_ready = containers.is_some_and(|containers| containers.status == "True");
    if ready.status == "True" || !ready.reason.is_empty() || !all_ready {
        return None;
    }
    let event = case.events.last(&["NodeNotReady"]);
    let since = ready.last_transition_time.or_else(|| event.and_then(|event| event.last));
    let certainty = if event.is_some() { Certainty::Certain } else { Certainty::Likely };
    now.push(
        "its node does not answer: the pod was marked unready for it, and all that is told here is the last that was heard; its \
         processes may well run"
            .to_owned(),
    );
    let patience = case.record.spec.tolerations.iter().filter(|one| {
        matches!(
            one.key.as_str(),
            "node.kubernetes.io/unreachable" | "node.kubernetes.io/not-ready"
        )
    });
    let patience = patience.filter_map(|one| one.toleration_seconds).min();
    let is_deleted = case.record.metadata.deletion_timestamp.is_some();
    if let (Some(since), Some(seconds), false) = (since, patience, is_deleted) {
        let until = later(since, SignedDuration::from_secs(seconds.clamp(0, i64::from(u32::MAX))));
        let then = match case.record.controller() {
            Some(owner) => {
                format!("then it is deleted, and its {} makes another elsewhere", owner.kind)
            }
            None => "then it is deleted, and nobody makes another".to_owned(),
        };
        now.push(format!("it tolerates that for {seconds} s, until about {until}; {then}"));
    }
    let message = event.map(|event| event.message.clone()).unwrap_or_default();
    let remedy =
        "see to the node: its kubelet, its network, and whether it has memory left".to_owned();
    Some(Whole { certainty, message, remedy, ..whole(State::NodeNotReady, since) })
}

fn restarting_all(case: &Case<'_>, now: &mut Vec<String>) -> Option<Whole> {
    let restarting = case.record.standing("AllContainersRestarting")?;
    now.push(format!(
        "all containers are being restarted in place ({}): those that still run are stopped, without preStop and 2 s after SIGTERM, and \
         init containers run again",
        restarting.reason
    ));
    let since = restarting.last_transition_time;
    let message = restarting.message.clone();
    Some(Whole { message, ..whole(State::RestartingAllContainers, since) })
}

fn unscheduled(case: &Case<'_>, now: &mut Vec<String>) -> Option<Whole> {
    let scheduled = case.record.condition("PodScheduled").filter(|one| one.status == "False")?;
    let (why, remedy) = match scheduled.reason.as_str() {
        "SchedulingGated" => ("it has scheduling gates: whoever set them lets it go", ""),
        _ => (
            "no node has it: the scheduler finds none that fits",
            "ask for less, make room, or correct what keeps it from the nodes",
        ),
    };
    now.push(why.to_owned());
    let (message, remedy) = (scheduled.message.clone(), remedy.to_owned());
    Some(Whole { message, remedy, ..whole(State::Unscheduled, scheduled.last_transition_time) })
}

fn by_containers(case: &Case<'_>, blocked: &[Blocked], now: &mut Vec<String>) -> Whole {
    let record = case.record;
    let (ready, phase) = (record.condition("Ready"), record.status.phase.as_str());
    let since = ready.and_then(|ready| ready.last_transition_time);
    let message = ready.map(|ready| ready.message.clone()).unwrap_or_default();
    let is_ready = ready.is_none_or(|ready| ready.status == "True");
    let is_down = |blocked: &&Blocked| !blocked.cause.is_passing() || blocked.down_since.is_some();
    match blocked.iter().find(is_down) {
        Some(down) => Whole { message, ..whole(State::Down, down.down_since.or(since)) },
        None if !blocked.is_empty() || phase == "Pending" => {
            Whole { message, ..whole(State::Starting, since) }
        }
        None if phase == "Running" && is_ready => whole(State::Running, since),
        None if phase == "Running" => {
            let probe = case.events.because("Unhealthy").rfind(|event| {
                event.message.starts_with("Readiness") || event.message.starts_with("Startup")
            });
            let said = probe.map(|event| format!(": {}", event.message.trim_end()));
            now.push(format!(
                "its containers run, and not all are ready{}",
                said.unwrap_or_default()
            ));
            let remedy = "see what its readiness probe or readiness gate waits for".to_owned();
            let remedy = with(&remedy, case.kubectl.describe());
            Whole { message, remedy, ..whole(State::NotReady, since) }
        }
        None => whole(State::Unknown, None),
    }
}
