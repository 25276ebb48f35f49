//! Containers that started again, or ended: why, the last time and the time before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::case::Case;
use super::cause::Cause;
use super::end::{self, End, Place};
use super::event::Kill;
use super::record::Told;
use crate::kube::container::Role;

/// The ends of one container. Those of the last end stand beside its own in JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restart {
    /// The container.
    pub container: String,
    /// What it is in the pod: `container`, `sidecar`, `init-container`.
    #[serde(serialize_with = "role")]
    pub role: Role,
    /// How often it started again.
    pub count: u32,
    /// Its last end.
    #[serde(flatten)]
    pub last: End,
    /// The end before, where it is kept: one that the container came back from.
    pub before: Option<End>,
    /// How many of its ends are known by cause.
    pub known: Vec<Known>,
    /// Whether nothing was started since the last end.
    pub is_down: bool,
    /// When the stop began that is under way now.
    pub stopping_since: Option<Timestamp>,
}

/// How many ends had one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The cause.
    pub cause: Cause,
    /// How often, as far as status and events tell.
    pub times: u64,
}

impl Restart {
    /// How many of its ends nothing tells of.
    pub(super) fn unknown(&self) -> u64 {
        let known = self.known.iter().map(|known| known.times).fold(0, u64::saturating_add);
        let (down, stopping) = (u64::from(self.is_down), u64::from(self.stopping_since.is_some()));
        u64::from(self.count).saturating_add(down).saturating_add(stopping).saturating_sub(known)
    }
}

/// What a container is in the pod, in words of the JSON form.
pub(super) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Regular => "container",
        Role::Sidecar => "sidecar",
        Role::Init => "init-container",
    }
}

pub(super) fn role<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(role_word(*role))
}

/// Every container that started again, or whose end tells something.
pub(super) fn all(case: &Case<'_>) -> Vec<Restart> {
    case.record.containers().filter_map(|told| restart(case, told)).collect()
}

fn restart(case: &Case<'_>, told: Told<'_>) -> Option<Restart> {
    let status = told.status;
    let ended = status.state.terminated.as_ref();
    // an init container that did its work has nothing to tell
    let current = ended.filter(|end| told.role != Role::Init || end.exit_code != 0);
    let is_down = status.state.running.is_none() && (ended.is_none() || current.is_some());
    let previous = status.last_state.terminated.as_ref();
    let (last, before) = match (current, previous) {
        (Some(current), previous) => (
            end::diagnose(case, told, current, Place::Current),
            previous.map(|end| end::diagnose(case, told, end, Place::Previous)),
        ),
        (None, Some(previous)) => (end::diagnose(case, told, previous, Place::Previous), None),
        (None, None) if status.restart_count > 0 => (end::without_status(case, told), None),
        (None, None) => return None,
    };
    // it never came back from an end that was made up beside another one
    let is_phantom = |end: &End| end.made_up && last.made_up && end.cause == last.cause;
    let before = before.filter(|end| !is_phantom(end));
    let count = if is_never_again(told) { 0 } else { status.restart_count };
    let mut last = last;
    if count < status.restart_count {
        last.why.push_str("; so is the restart that its status counts: it ran once");
    }
    let stopping = stopping(case, told).filter(|(_, kill)| cause(*kill).is_some());
    let stopping_since = stopping.map(|(since, _)| since);
    let known = known(case, told, [Some(&last), before.as_ref()], count);
    let (container, role) = (status.name.clone(), told.role);
    Some(Restart { container, role, count, last, before, known, is_down, stopping_since })
}

/// Whether the kubelet counted a restart that never was: both ends are made up.
fn is_never_again(told: Told<'_>) -> bool {
    let is_made_up = |end: &super::record::Terminated| end.reason == "ContainerStatusUnknown";
    let (state, last) = (&told.status.state.terminated, &told.status.last_state.terminated);
    told.status.restart_count == 1
        && state.as_ref().is_some_and(is_made_up)
        && last.as_ref().is_some_and(is_made_up)
}

/// When the kubelet began to stop the container that runs now, and why.
pub(super) fn stopping(case: &Case<'_>, told: Told<'_>) -> Option<(Timestamp, Kill)> {
    let started = told.status.state.running.as_ref()?.started_at?;
    let (kill, event) = case.events.kills(&told.status.name).last()?;
    Some((event.last.filter(|last| *last > started)?, kill))
}

/// How many ends are known by cause: kills by their events, the others by the status.
fn known(case: &Case<'_>, told: Told<'_>, ends: [Option<&End>; 2], count: u32) -> Vec<Known> {
    let mut times: BTreeMap<Cause, u64> = BTreeMap::new();
    for (kill, event) in case.events.kills(&told.status.name) {
        let Some(cause) = cause(kill) else { continue };
        let sum = times.entry(cause).or_default();
        *sum = sum.saturating_add(event.count);
    }
    let mut by_status: BTreeMap<Cause, u64> = BTreeMap::new();
    for end in ends.into_iter().flatten().filter(|end| end.cause != Cause::Unknown) {
        let sum = by_status.entry(end.cause).or_default();
        *sum = sum.saturating_add(1);
    }
    for (cause, sum) in by_status {
        let told = times.entry(cause).or_default();
        *told = sum.max(*told);
    }
    let most = u64::from(count).saturating_add(2);
    times.into_iter().map(|(cause, times)| Known { cause, times: times.min(most) }).collect()
}

/// The cause of a restart that the kubelet makes; `None` for kills that end more than a container.
fn cause(kill: Kill) -> Option<Cause> {
    Some(match kill {
        Kill::Liveness => Cause::LivenessProbe,
        Kill::Startup => Cause::StartupProbe,
        Kill::Resize => Cause::Resize,
        Kill::Definition => Cause::DefinitionChanged,
        Kill::PostStart => Cause::PostStartHook,
        Kill::RestartAll | Kill::UnknownState | Kill::Pod | Kill::Other => return None,
    })
}
