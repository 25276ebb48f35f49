//! Why containers started again.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::certainty::Certainty;
use super::record::{Container, ContainerStatus, Event, Record, Terminated};

/// Events this close to the end of a container belong to it: longer than most grace periods.
const CLOSE: SignedDuration = SignedDuration::from_mins(3);

/// The last end of one container.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restart {
    /// The container.
    pub container: String,
    /// How often it started again.
    pub count: u32,
    /// Why it ended the last time.
    pub cause: Cause,
    /// How sure that is.
    pub certainty: Certainty,
    /// The exit code of the last end.
    pub exit_code: Option<i32>,
    /// The signal that ended it, where that can be told.
    pub signal: Option<i32>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What speaks for it.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

/// Why a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The process ended by itself, with an error.
    Crash,
    /// The process ended by itself, without an error.
    Completed,
    /// The kernel killed it for memory.
    OutOfMemory,
    /// The kubelet ended it for a failed liveness probe.
    LivenessProbe,
    /// The kubelet ended it for a failed startup probe.
    StartupProbe,
    /// The kubelet ended it to resize it.
    Resize,
    /// A rule with the action RestartAllContainers ended all of the pod's.
    RestartAllContainers,
    /// The kubelet ended it because its image or definition changed.
    DefinitionChanged,
    /// It never came to run.
    StartError,
    /// Its node lost track of it: a reboot, or another runtime.
    Lost,
    /// Somebody ended it by a signal: who is not known.
    Killed,
    /// Nothing is known of its end.
    Unknown,
}

impl Cause {
    /// What it is called in the text form.
    pub fn words(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Completed => "ended without an error",
            Self::OutOfMemory => "killed for memory",
            Self::LivenessProbe => "failed liveness probe",
            Self::StartupProbe => "failed startup probe",
            Self::Resize => "restart for a resize",
            Self::RestartAllContainers => "restart of all containers",
            Self::DefinitionChanged => "image or definition changed",
            Self::StartError => "could not start",
            Self::Lost => "lost by its node",
            Self::Killed => "killed",
            Self::Unknown => "not known",
        }
    }
}

/// Every container that started again, or ended.
pub(super) fn all(record: &Record, events: &[&Event]) -> Vec<Restart> {
    let restarts = record
        .containers()
        .filter_map(|(status, container)| restart(record, status, container, events));
    restarts.collect()
}

fn restart(
    record: &Record,
    status: &ContainerStatus,
    container: Option<&Container>,
    events: &[&Event],
) -> Option<Restart> {
    // an end that nothing follows yet is no restart, unless it failed
    let current = status.state.terminated.as_ref().filter(|end| end.exit_code != 0);
    let end = status.last_state.terminated.as_ref().or(current);
    if status.restart_count == 0 && end.is_none() {
        return None;
    }
    let (cause, certainty, why, remedy) = match end {
        Some(end) => cause(record, status, container, end, events),
        None => {
            let why = "it started again, and its status keeps no earlier end".to_owned();
            (Cause::Unknown, Certainty::Unknown, why, "")
        }
    };
    let waits =
        status.state.waiting.as_ref().is_some_and(|waiting| waiting.reason == "CrashLoopBackOff");
    let why = if waits {
        format!("{why}; it waits in CrashLoopBackOff before the next start")
    } else {
        why
    };
    Some(Restart {
        container: status.name.clone(),
        count: status.restart_count,
        cause,
        certainty,
        exit_code: end.map(|end| end.exit_code),
        signal: end.and_then(signal),
        finished_at: end.and_then(|end| end.finished_at),
        why,
        remedy: remedy.to_owned(),
    })
}

type Diagnosis = (Cause, Certainty, String, &'static str);

fn cause(
    record: &Record,
    status: &ContainerStatus,
    container: Option<&Container>,
    end: &Terminated,
    events: &[&Event],
) -> Diagnosis {
    if let Some(diagnosis) = by_reason(end) {
        return diagnosis;
    }
    let close = |event: &&&Event| {
        (event.container.is_empty() || event.container == status.name) && is_close(event, end)
    };
    let near: Vec<&&Event> = events.iter().filter(close).collect();
    if let Some(diagnosis) = near
        .iter()
        .filter(|event| event.reason == "Killing")
        .find_map(|event| by_message(status, event))
    {
        return diagnosis;
    }
    let code = end.exit_code;
    let (by_signal, resized) =
        (matches!(code, 0 | 137 | 143), near.iter().any(|event| is_resize(event)));
    let restarts = container.is_some_and(|container| {
        container.resize_policy.iter().any(|policy| policy.restart_policy == "RestartContainer")
    });
    if by_signal && resized && restarts {
        let why = format!(
            "it ended (exit code {code}) close to a resize, and its resize policy has RestartContainer"
        );
        return (Cause::Resize, Certainty::Likely, why, RESIZE_REMEDY);
    }
    if by_signal && restarts && is_resizing(record) {
        let why = format!(
            "it ended (exit code {code}), a resize is in progress, and its resize policy has RestartContainer"
        );
        return (Cause::Resize, Certainty::Likely, why, RESIZE_REMEDY);
    }
    by_code(end)
}

/// The kubelet or the runtime says why it ended.
fn by_reason(end: &Terminated) -> Option<Diagnosis> {
    let (code, reason) = (end.exit_code, end.reason.as_str());
    Some(match reason {
        "RestartingAllContainers" => {
            let why = "its last end has the reason RestartingAllContainers: a container left with an exit code that a rule of \
                       restartPolicyRules answers with a restart of all; no preStop, 2 s after SIGTERM, init containers run again"
                .to_owned();
            (
                Cause::RestartAllContainers,
                Certainty::Certain,
                why,
                "look at the container whose exit code started it",
            )
        }
        "OOMKilled" => {
            let why = "the kernel killed it at its memory limit, or its node was out of memory"
                .to_owned();
            (
                Cause::OutOfMemory,
                Certainty::Certain,
                why,
                "raise the limit, or lower what the process takes, its heap first",
            )
        }
        "ContainerStatusUnknown" => {
            let why =
                "its node cannot tell how it ended: a reboot, or its runtime lost it".to_owned();
            (Cause::Lost, Certainty::Likely, why, "look at the node's events")
        }
        "StartError" | "ContainerCannotRun" => {
            let why = format!(
                "it never ran ({reason}, exit code {code}): command, mounts or limits did not let it start"
            );
            (
                Cause::StartError,
                Certainty::Certain,
                why,
                "read the message of its status: `kubectl describe pod`",
            )
        }
        _ => return None,
    })
}

const RESIZE_REMEDY: &str =
    "nothing; where a restart is not wanted, new pods need resize policy NotRequired";

/// The kubelet says why it ends a container.
fn by_message(status: &ContainerStatus, event: &Event) -> Option<Diagnosis> {
    let message = &event.message;
    if !message.contains(&status.name) && event.container.is_empty() {
        return None;
    }
    let told = |cause, remedy| {
        Some((cause, Certainty::Certain, format!("the kubelet's event says {message:?}"), remedy))
    };
    match () {
        () if message.contains("failed liveness probe") => told(
            Cause::LivenessProbe,
            "see why the probe failed (event Unhealthy); give it time, or the process what it lacks",
        ),
        () if message.contains("failed startup probe") => {
            told(Cause::StartupProbe, "give it more time: failureThreshold times periodSeconds")
        }
        () if message.contains("resize requires restart") => told(Cause::Resize, RESIZE_REMEDY),
        () if message.contains("definition changed") => told(Cause::DefinitionChanged, ""),
        () => None,
    }
}

fn by_code(end: &Terminated) -> Diagnosis {
    let code = end.exit_code;
    match (code, signal(end)) {
        (0, _) => {
            let why = "the process ended by itself with exit code 0, and the restart policy has it start again".to_owned();
            (
                Cause::Completed,
                Certainty::Likely,
                why,
                "a service must not end; what may end belongs in a Job",
            )
        }
        (_, Some(9)) => {
            let why = "SIGKILL, and the kernel's OOM killer is not named: a stop that outlasted its grace period (liveness probe, resize, \
                       changed image), a kill from inside the container or on the node, or an OOM kill of a child process"
                .to_owned();
            (
                Cause::Killed,
                Certainty::Unknown,
                why,
                "look at events soon after the next one: they say who stopped it",
            )
        }
        (_, Some(15)) => {
            let why = "SIGTERM: somebody asked it to end (liveness probe, resize, changed image, a process in the pod)".to_owned();
            (
                Cause::Killed,
                Certainty::Unknown,
                why,
                "look at events soon after the next one: they say who stopped it",
            )
        }
        (_, Some(signal)) => {
            let why = format!("the process was ended by signal {signal}: {}", signal_words(signal));
            (Cause::Crash, Certainty::Likely, why, "kubectl logs --previous")
        }
        _ => {
            let why = format!("the process ended by itself with exit code {code}");
            (Cause::Crash, Certainty::Likely, why, "kubectl logs --previous")
        }
    }
}

fn signal(end: &Terminated) -> Option<i32> {
    let by_code =
        || (129..=192).contains(&end.exit_code).then(|| end.exit_code.saturating_sub(128));
    end.signal.filter(|signal| *signal != 0).or_else(by_code)
}

fn signal_words(signal: i32) -> &'static str {
    match signal {
        4 => "an illegal instruction",
        6 => "it gave up (abort)",
        7 => "a bus error, perhaps a full volume in memory",
        8 => "an arithmetic error",
        11 => "a segmentation fault",
        _ => "sent by itself or from outside",
    }
}

fn is_close(event: &Event, end: &Terminated) -> bool {
    let (Some(last), Some(end)) = (event.last, end.finished_at) else { return false };
    last.duration_since(end).abs() <= CLOSE
}

fn is_resize(event: &Event) -> bool {
    matches!(event.reason.as_str(), "ResizeStarted" | "ResizeCompleted" | "ResizeError")
}

fn is_resizing(record: &Record) -> bool {
    record
        .status
        .conditions
        .iter()
        .any(|condition| condition.kind == "PodResizeInProgress" && condition.status == "True")
}
