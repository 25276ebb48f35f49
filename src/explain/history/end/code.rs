//! Ends of which only the exit code tells.

use jiff::SignedDuration;

use super::diagnosis::{Diagnosis, Place};
use crate::explain::history::case::Case;
use crate::explain::history::cause::Cause;
use crate::explain::history::certainty::Certainty;
use crate::explain::history::event::{Event, later};
use crate::explain::history::record::{Terminated, Told};
use crate::kube::container::{Container, Role};

/// What the exit code tells.
pub(super) fn by_code(
    case: &Case<'_>,
    told: Told<'_>,
    end: &Terminated,
    place: Place,
) -> Diagnosis {
    let code = end.exit_code;
    let logs = || {
        let command = case.kubectl.logs(&told.status.name, place == Place::Previous);
        command.unwrap_or_else(|| "read its log".to_owned())
    };
    match (code, signal(end)) {
        (0, _) if case.record.is_over() || told.role == Role::Init => {
            let why = "the process ended by itself with exit code 0";
            Diagnosis::new(Cause::Completed, Certainty::Certain, why)
        }
        (0, _) => without_error(case, told, end),
        (_, Some(9)) => {
            by_signal(case, told, end, "SIGKILL, and the kernel's OOM killer is not named")
        }
        (_, Some(15)) => by_signal(case, told, end, "SIGTERM: somebody asked it to end"),
        (_, Some(signal)) => {
            let why = format!("the process was ended by signal {signal}: {}", signal_words(signal));
            Diagnosis::new(Cause::Crash, Certainty::Likely, why).with(logs())
        }
        _ => {
            let why = format!("the process ended by itself with exit code {code}");
            Diagnosis::new(Cause::Crash, Certainty::Likely, why).with(logs())
        }
    }
}

/// Whether the kubelet's events of that time are there: it tells whom it stops.
fn is_told(case: &Case<'_>, end: &Terminated) -> bool {
    !case.events.is_empty() && end.finished_at.is_some_and(|time| !case.is_forgotten(time))
}

/// A process that is stopped may end with 0 as well.
fn without_error(case: &Case<'_>, told: Told<'_>, end: &Terminated) -> Diagnosis {
    if is_told(case, end) {
        let why = "the process ended with exit code 0, by itself or by a signal from inside the pod that it answers so, and the restart \
                   policy has it start again";
        return Diagnosis::new(Cause::Completed, Certainty::Likely, why)
            .with("a service must not end; what may end belongs in a Job");
    }
    let why = format!(
        "the process ended with exit code 0: by itself, or stopped by the kubelet{}, which its events would tell",
        suspects(case, told)
    );
    Diagnosis::new(Cause::Completed, Certainty::Unknown, why)
        .with("look at events soon after the next one: they say who stopped it")
}

/// What the kubelet may have stopped the container for, going by its spec.
fn suspects(case: &Case<'_>, told: Told<'_>) -> String {
    let container = case.container(&told.status.name);
    let has = |get: fn(&Container<'_>) -> bool| container.is_some_and(get);
    let is_changed = case.record.metadata.generation.is_none_or(|generation| generation > 1);
    let restarts =
        told.spec.is_some_and(|one| one.restarts_for("cpu") || one.restarts_for("memory"));
    let suspects = [
        (has(|one| one.liveness_probe.is_some()), "a failed liveness probe"),
        (has(|one| one.startup_probe.is_some()), "a failed startup probe"),
        (has(|one| one.lifecycle.post_start.is_some()), "a failed postStart hook"),
        (is_changed && restarts, "a resize"),
        (is_changed, "a changed image"),
    ];
    let named: Vec<&str> =
        suspects.into_iter().filter_map(|(is_one, name)| is_one.then_some(name)).collect();
    if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) }
}

/// Somebody sent a signal. The kubelet tells whom it stops, so where its events are there it was
/// another.
fn by_signal(case: &Case<'_>, told: Told<'_>, end: &Terminated, what: &str) -> Diagnosis {
    let inside = if signal(end) == Some(9) {
        "a kill from inside the container or by hand on the node, or an OOM kill of one of its processes"
    } else {
        "a process of the pod, or somebody on the node"
    };
    if is_told(case, end) {
        let why = format!(
            "{what}; the kubelet's events of that time are there and tell of no stop, so it was another: {inside}; nothing in the API \
             says who"
        );
        return Diagnosis::new(Cause::Killed, Certainty::Unknown, why).with(
            "look at the log of the node's kernel at that time, and at who may enter the node or the container",
        );
    }
    let gone = end.finished_at.is_some_and(|time| case.is_forgotten(time));
    let gone = if gone { "events of that time are gone, so " } else { "" };
    let why =
        format!("{what}; {gone}it may have been the kubelet{}, or {inside}", suspects(case, told));
    Diagnosis::new(Cause::Killed, Certainty::Unknown, why)
        .with("look at events soon after the next one: they say who stopped it")
}

/// The signal that ended it, where that can be told.
pub(super) fn signal(end: &Terminated) -> Option<i32> {
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

/// The runtime found the container gone, not ended: exit code 255.
pub(super) fn rebooted(case: &Case<'_>, end: &Terminated) -> Diagnosis {
    const SOON: SignedDuration = SignedDuration::from_mins(10);
    let is_near = |event: &&Event| {
        end.finished_at.is_none_or(|time| event.is_within(time, later(time, SOON)))
    };
    let sandbox = case.events.because("SandboxChanged").find(is_near);
    let (code, at) = (end.exit_code, end.finished_at);
    let away = case
        .events
        .because("NodeNotReady")
        .rfind(|event| at.is_none_or(|at| event.first.is_some_and(|first| first <= at)));
    let before = away
        .and_then(|event| event.last)
        .map(|time| format!("; its node had been away before (event NodeNotReady, {time})"))
        .unwrap_or_default();
    let (cause, why, remedy) = match sandbox {
        Some(_) => (
            Cause::NodeRebooted,
            format!(
                "its node started again, after a loss of power or a reboot: the runtime found its process gone (exit code {code}, reason \
                 Unknown), and the kubelet made the pod's sandbox anew (event SandboxChanged), so every container of the pod started \
                 again{before}; the time of the end is when that was found"
            ),
            "look at the events of its node; the pod itself is not to blame",
        ),
        None => (
            Cause::Lost,
            format!(
                "the runtime found its process gone (exit code {code}, reason Unknown): its node was rebooted, or its runtime was \
                 restarted and lost it{before}"
            ),
            "look at the events of its node",
        ),
    };
    Diagnosis::new(cause, Certainty::Likely, why).with(remedy)
}
