//! Ends that the kubelet tells of before: it says whom it stops, and why.

use jiff::SignedDuration;

use super::diagnosis::{Diagnosis, RESIZE_REMEDY};
use super::restart_all;
use crate::explain::history::case::Case;
use crate::explain::history::cause::Cause;
use crate::explain::history::certainty::Certainty;
use crate::explain::history::event::{Event, Kill, earlier, later};
use crate::explain::history::kubectl::with;
use crate::explain::history::record::{Terminated, Told};

/// The kubelet tells of a kill in that life.
pub(super) fn by_kill(case: &Case<'_>, told: Told<'_>, end: &Terminated) -> Option<Diagnosis> {
    let name = told.status.name.as_str();
    if let Some((kill, event)) = end
        .finished_at
        .and_then(|finished| case.events.kill_between(name, end.started_at, finished))
    {
        return killed(case, kill, event, Certainty::Certain);
    }
    // of what happened often, only the first and the last time are kept
    let finished = end.finished_at?;
    let spans = |event: &Event| {
        let (Some(first), Some(last)) = (event.first, event.last) else { return false };
        event.count > 2 && first < finished && finished < last
    };
    let (kill, event) = case.events.kills(name).filter(|(_, event)| spans(event)).last()?;
    let all = event.count >= u64::from(told.status.restart_count);
    let certainty = if all { Certainty::Certain } else { Certainty::Likely };
    killed(case, kill, event, certainty)
}

pub(super) fn killed(
    case: &Case<'_>,
    kill: Kill,
    event: &Event,
    certainty: Certainty,
) -> Option<Diagnosis> {
    let said = format!("the kubelet's event says {:?}", event.message);
    let found = |cause, why: &str| Diagnosis::new(cause, certainty, format!("{said}{why}"));
    Some(match kill {
        Kill::Liveness => found(Cause::LivenessProbe, &unhealthy(case, event, "Liveness")).with(
            "see why the probe failed (event Unhealthy); give it time, or the process what it lacks",
        ),
        Kill::Startup => found(Cause::StartupProbe, &unhealthy(case, event, "Startup"))
            .with("give it more time: failureThreshold times periodSeconds"),
        Kill::Resize => found(Cause::Resize, "").with(RESIZE_REMEDY),
        Kill::Definition => found(
            Cause::DefinitionChanged,
            ": somebody changed the image of the live pod, and the kubelet starts the container anew for it",
        ),
        Kill::PostStart => found(
            Cause::PostStartHook,
            ": its postStart hook failed, so the kubelet stops the container, whatever its process does",
        )
        .with(with("correct the hook (event FailedPostStartHook)", case.kubectl.describe())),
        Kill::RestartAll => restart_all::by_kill(case, &said, certainty),
        Kill::UnknownState => {
            found(Cause::Lost, ": its runtime did not know whether it ran").with("look at the events of its node")
        }
        Kill::Pod => with_pod(case, event, &said, certainty),
        Kill::Other => return None,
    })
}

/// The kubelet stopped all of the pod.
fn with_pod(case: &Case<'_>, event: &Event, said: &str, certainty: Certainty) -> Diagnosis {
    const NEAR: SignedDuration = SignedDuration::from_secs(30);
    if let Some(ending) = case.ending.filter(|ending| ending.is_since(event.last)) {
        return Diagnosis::new(ending.cause, ending.certainty, format!("{said}: {}", ending.why));
    }
    let is_near = |other: &&Event| {
        event.last.is_some_and(|last| other.is_within(earlier(last, NEAR), later(last, NEAR)))
    };
    if case.events.because("SandboxChanged").any(|other| is_near(&other)) {
        let why = format!(
            "{said}, and the pod's sandbox was made anew (event SandboxChanged): its network namespace was lost, so every container \
             of the pod starts again"
        );
        return Diagnosis::new(Cause::SandboxChanged, certainty, why).with(
            "look at the events of its node: who ends sandboxes is its runtime or the kernel",
        );
    }
    if case.record.is_over() {
        let why = format!("{said}: the pod's other containers were done, so this one was stopped");
        return Diagnosis::new(Cause::PodEnded, Certainty::Likely, why);
    }
    let why = format!("{said}: the kubelet stopped the whole pod, and nothing tells why");
    Diagnosis::new(Cause::Killed, Certainty::Unknown, why)
}

/// What the probe said last before the kill.
fn unhealthy(case: &Case<'_>, kill: &Event, probe: &str) -> String {
    let last = case
        .events
        .about(&kill.container)
        .rfind(|event| event.reason == "Unhealthy" && event.message.starts_with(probe));
    let said = last.map(|event| event.message.trim_end_matches([' ', ':'])).unwrap_or_default();
    // "Liveness probe failed: " says no more than the kill
    let more = said.split_once(": ").map(|(_, more)| more.trim()).unwrap_or_default();
    if more.is_empty() { String::new() } else { format!("; the probe said {more:?}") }
}
