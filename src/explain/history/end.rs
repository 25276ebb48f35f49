//! Why a container ended.

mod code;
mod diagnosis;
mod kill;
mod memory;
mod restart_all;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub(super) use self::diagnosis::Place;
use self::diagnosis::{Diagnosis, RESIZE_REMEDY};
pub(super) use self::memory::full as full_heaps;
use super::case::Case;
use super::cause::Cause;
use super::certainty::Certainty;
use super::event::Event;
use super::kubectl::with;
use super::record::{Terminated, Told};

/// The end of one life of a container.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    /// Why it ended.
    pub cause: Cause,
    /// How sure that is.
    pub certainty: Certainty,
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// Whether the kubelet made the exit code up, because it did not see the end.
    pub made_up: bool,
    /// The signal that ended it, where that can be told.
    pub signal: Option<i32>,
    /// When that life began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What speaks for it.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

/// Why the container ended so.
pub(super) fn diagnose(case: &Case<'_>, told: Told<'_>, end: &Terminated, place: Place) -> End {
    let made_up =
        matches!(end.reason.as_str(), "ContainerStatusUnknown" | "RestartingAllContainers")
            || end.message.contains("treat it as exited normally");
    let Diagnosis { cause, certainty, why, remedy } = by_reason(case, told, end, place)
        .or_else(|| kill::by_kill(case, told, end))
        .or_else(|| by_ending(case, end, place))
        .or_else(|| by_resize(case, told, end))
        .or_else(|| by_rule(case, told, end))
        .unwrap_or_else(|| code::by_code(case, told, end, place));
    End {
        cause,
        certainty,
        exit_code: Some(end.exit_code),
        made_up,
        signal: code::signal(end).filter(|_| !made_up),
        started_at: end.started_at,
        finished_at: end.finished_at,
        why,
        remedy,
    }
}

/// Why the container ended, where the status keeps no end: a container that is under way again
/// after a kill may have lost it. Only the events tell.
pub(super) fn without_status(case: &Case<'_>, told: Told<'_>) -> End {
    let last = case.events.kills(&told.status.name).last();
    let diagnosis = last.and_then(|(kill, event)| {
        let count = event.count;
        let all = count >= u64::from(told.status.restart_count);
        let certainty = if all { Certainty::Certain } else { Certainty::Likely };
        kill::killed(case, kill, event, certainty)
    });
    let finished_at = last.and_then(|(_, event)| event.last);
    let Diagnosis { cause, certainty, why, remedy } = diagnosis.unwrap_or_else(|| {
        let why = "it started again, and its status keeps no earlier end";
        Diagnosis::new(Cause::Unknown, Certainty::Unknown, why)
    });
    End {
        cause,
        certainty,
        exit_code: None,
        made_up: false,
        signal: None,
        started_at: None,
        finished_at: finished_at.filter(|_| cause != Cause::Unknown),
        why,
        remedy,
    }
}

/// The kubelet or the runtime says why it ended.
fn by_reason(case: &Case<'_>, told: Told<'_>, end: &Terminated, place: Place) -> Option<Diagnosis> {
    let (code, reason) = (end.exit_code, end.reason.as_str());
    Some(match reason {
        "RestartingAllContainers" => restart_all::by_reason(case, told),
        "OOMKilled" => memory::diagnose(case, told, end),
        "ContainerStatusUnknown" => match case.ending {
            Some(ending) if place == Place::Current || ending.cause != Cause::Deleted => {
                let why = format!(
                    "{}; its end itself was not seen: the exit code {code} is made up by the kubelet",
                    ending.why
                );
                Diagnosis::new(ending.cause, ending.certainty, why)
            }
            _ => Diagnosis::new(
                Cause::Lost,
                Certainty::Likely,
                format!(
                    "its node cannot tell how it ended, a reboot, or its runtime lost it: the exit code {code} is made up by the kubelet"
                ),
            )
            .with("look at the events of its node"),
        },
        "StartError" | "ContainerCannotRun" => {
            let said = if end.message.is_empty() { String::new() } else { format!(": {}", end.message) };
            let why = format!(
                "it never ran ({reason}, exit code {code}): command, mounts or limits did not let it start{said}"
            );
            Diagnosis::new(Cause::StartError, Certainty::Certain, why)
                .with(with("correct what it says", case.kubectl.describe()))
        }
        "Unknown" => code::rebooted(case, end),
        _ => return None,
    })
}

/// The whole pod was ended, and it ended as one that is told to.
fn by_ending(case: &Case<'_>, end: &Terminated, place: Place) -> Option<Diagnosis> {
    let ending = case.ending.filter(|_| place == Place::Current && is_by_signal(end))?;
    ending
        .is_since(end.finished_at)
        .then(|| Diagnosis::new(ending.cause, Certainty::Likely, ending.why.clone()))
}

/// Whether it ended as a process does that is told to.
fn is_by_signal(end: &Terminated) -> bool {
    matches!(end.exit_code, 0 | 137 | 143)
}

/// It ended while a resize was carried out that restarts it, and no event of a kill is left.
fn by_resize(case: &Case<'_>, told: Told<'_>, end: &Terminated) -> Option<Diagnosis> {
    const NEAR: SignedDuration = SignedDuration::from_mins(3);
    let container = told.spec?;
    let restarts = ["cpu", "memory"].into_iter().any(|resource| container.restarts_for(resource));
    if !restarts || !is_by_signal(end) {
        return None;
    }
    let (finished, code) = (end.finished_at?, end.exit_code);
    // where kills of that time are told, one for a resize would be told as well
    if case.events.are_complete() && case.events.because("ResizeStarted").next().is_some() {
        return None;
    }
    let near = |event: &&Event| {
        matches!(event.reason.as_str(), "ResizeStarted" | "ResizeCompleted" | "ResizeError")
            && event.last.is_some_and(|last| last.duration_since(finished).abs() <= NEAR)
    };
    let progress = case.record.standing("PodResizeInProgress").is_some();
    let what = match () {
        () if case.events.iter().any(|event| near(&event)) => "close to a resize",
        () if progress => "while a resize is in progress",
        () => return None,
    };
    let why =
        format!("it ended (exit code {code}) {what}, and its resize policy has RestartContainer");
    Some(Diagnosis::new(Cause::Resize, Certainty::Likely, why).with(RESIZE_REMEDY))
}

/// A rule of its own answers its exit code: it is no crash.
fn by_rule(case: &Case<'_>, told: Told<'_>, end: &Terminated) -> Option<Diagnosis> {
    let code = end.exit_code;
    let rule = case.container(&told.status.name)?.restart_rule_for(code)?;
    let what = if rule.is_restart_all() {
        "restarts all containers of the pod"
    } else {
        "has this container started again"
    };
    let why = format!(
        "the process ended by itself with exit code {code}, which a rule of its restartPolicyRules answers: it {what}; that is its \
         purpose, and no crash"
    );
    Some(Diagnosis::new(Cause::RestartRule, Certainty::Certain, why))
}
