//! What ended a pod as a whole, or ends it now.

use jiff::{SignedDuration, Timestamp};

use super::cause::Cause;
use super::certainty::Certainty;
use super::event::{Events, earlier};
use super::record::{Condition, Record};

/// What ended a pod as a whole, or ends it now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ending {
    pub(super) cause: Cause,
    pub(super) certainty: Certainty,
    pub(super) since: Option<Timestamp>,
    /// What Kubernetes says.
    pub(super) message: String,
    pub(super) why: String,
}

/// The clocks of who deletes and of who kills are not the same.
const CLOCKS: SignedDuration = SignedDuration::from_secs(5);

impl Ending {
    /// Whether what happened at `time` may be by reason of it.
    pub(super) fn is_since(&self, time: Option<Timestamp>) -> bool {
        match (self.since, time) {
            (Some(since), Some(time)) => time >= earlier(since, CLOCKS),
            _ => true,
        }
    }
}

/// What ended the pod, where it did not end by itself.
pub(super) fn of(record: &Record, events: &Events) -> Option<Ending> {
    let target = record.standing("DisruptionTarget");
    let found = by_status(record, events)
        .or_else(|| target.and_then(by_condition))
        .or_else(|| by_event(record, events))
        .or_else(|| deletion(record));
    let mut ending = found?;
    let since = target.and_then(|target| target.last_transition_time);
    ending.since = ending.since.or(since);
    if ending.message.is_empty() {
        ending.message = target.map(|target| target.message.clone()).unwrap_or_default();
    }
    Some(ending)
}

fn ending(cause: Cause, why: impl Into<String>) -> Ending {
    let (why, message) = (why.into(), String::new());
    Ending { cause, certainty: Certainty::Certain, since: None, message, why }
}

/// The kubelet fails a pod as a whole and says why.
fn by_status(record: &Record, events: &Events) -> Option<Ending> {
    let status = &record.status;
    if status.phase != "Failed" && status.reason != "NodeLost" {
        return None;
    }
    let since = |reasons: &[&str]| events.last(reasons).and_then(|event| event.first);
    let (mut ending, since) = match status.reason.as_str() {
        "Evicted" => (ending(Cause::Evicted, eviction(&status.message)), since(&["Evicted"])),
        "DeadlineExceeded" => {
            let deadline = record.spec.active_deadline_seconds;
            let seconds = deadline.map(|seconds| format!(": activeDeadlineSeconds is {seconds}"));
            let why = format!(
                "the kubelet failed the pod as a whole because its time was over{}; nothing of it starts again",
                seconds.unwrap_or_default()
            );
            (ending(Cause::Deadline, why), since(&["DeadlineExceeded"]))
        }
        "Preempting" | "Preempted" => (
            ending(
                Cause::Preempted,
                "the kubelet failed the pod as a whole to make room for a critical pod",
            ),
            since(&["Preempting"]),
        ),
        "Terminated" | "Shutdown" | "NodeShutdown" => (
            ending(
                Cause::NodeShutdown,
                "its node was shut down, in order, and the kubelet failed the pod as a whole",
            ),
            since(&["Terminated", "Shutdown", "NodeShutdown"]),
        ),
        "NodeLost" => (
            ending(
                Cause::Lost,
                "its node does not answer, and the node controller gave the pod up; whether its processes still run is not known",
            ),
            None,
        ),
        "" => return None,
        reason => (
            ending(
                Cause::Rejected,
                format!(
                    "the kubelet did not take the pod, or failed it as a whole: {reason}; it is never tried again"
                ),
            ),
            since(&[reason]),
        ),
    };
    ending.message.clone_from(&status.message);
    ending.since = since;
    Some(ending)
}

/// The kubelet's words for an eviction say what ran short.
fn eviction(message: &str) -> String {
    let what = match () {
        () if message.contains("low on resource: memory") => {
            "its node ran short of memory, and the kubelet evicted the pod: those that use most above their memory request go first"
        }
        () if message.contains("low on resource: ephemeral-storage") => {
            "its node ran short of disk, and the kubelet evicted the pod: those that use most above their request go first"
        }
        () if message.contains("low on resource") || message.contains("node had condition") => {
            "its node ran short of a resource, and the kubelet evicted the pod"
        }
        () if message.contains("emptyDir") || message.contains("EmptyDir") => {
            "an emptyDir volume grew beyond its sizeLimit, and the kubelet evicted the pod"
        }
        () if message.contains("ephemeral") => {
            "it used more local storage than its ephemeral-storage limit, and the kubelet evicted the pod"
        }
        () => "the kubelet evicted the pod",
    };
    format!("{what}; an evicted pod stays as it is, failed, and is never started again")
}

/// Whoever ends a pod leaves a condition.
fn by_condition(target: &Condition) -> Option<Ending> {
    let (cause, why) = match target.reason.as_str() {
        "EvictionByEvictionAPI" => (
            Cause::Evicted,
            "somebody evicted it through the eviction API, as a drain of its node does",
        ),
        "PreemptionByScheduler" => {
            (Cause::Preempted, "the scheduler took its place for a pod of higher priority")
        }
        "DeletionByTaintManager" => (
            Cause::Evicted,
            "its node has a NoExecute taint that the pod does not tolerate, or not any longer: the node does not answer, or somebody tainted it",
        ),
        "DeletionByPodGC" => {
            (Cause::Lost, "its node is gone, and the garbage collection of pods deleted it")
        }
        "TerminationByKubelet" => (Cause::Evicted, "the kubelet ended it for the sake of the node"),
        _ => return None,
    };
    Some(ending(cause, why))
}

fn by_event(record: &Record, events: &Events) -> Option<Ending> {
    if record.metadata.deletion_timestamp.is_none() && !record.is_over() {
        return None;
    }
    let marked = events
        .because("TaintManagerEviction")
        .last()
        .filter(|event| event.message.starts_with("Marking for deletion"));
    let (cause, why, event) = match (events.last(&["Preempted"]), events.last(&["Evicted"]), marked)
    {
        (Some(event), ..) => {
            (Cause::Preempted, "the scheduler took its place for a pod of higher priority", event)
        }
        (_, Some(event), _) => (Cause::Evicted, "the kubelet evicted it", event),
        (_, _, Some(event)) => (
            Cause::Evicted,
            "its node has a NoExecute taint that the pod does not tolerate any longer",
            event,
        ),
        _ => return None,
    };
    let mut ending = ending(cause, why);
    ending.since = event.first;
    ending.message.clone_from(&event.message);
    Some(ending)
}

fn deletion(record: &Record) -> Option<Ending> {
    let since = Some(deleted_at(record)?);
    let why = "somebody deleted the pod: a person, its controller (a rollout, a smaller number of replicas), or a job that cleans up; \
               the API does not tell who";
    Some(Ending { since, ..ending(Cause::Deleted, why) })
}

/// When somebody deleted the pod: the API tells when its grace period is over.
pub(super) fn deleted_at(record: &Record) -> Option<Timestamp> {
    let until = record.metadata.deletion_timestamp?;
    let grace = record.metadata.deletion_grace_period_seconds.unwrap_or_default();
    Some(earlier(until, SignedDuration::from_secs(grace)))
}
