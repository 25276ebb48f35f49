//! What keeps a container from running now.

use jiff::Timestamp;
use serde::Serialize;

use super::case::Case;
use super::certainty::Certainty;
use super::event::Event;
use super::kubectl::with;
use super::record::{Terminated, Told, Waiting};
use super::restart::role;
use crate::kube::container::Role;

/// A container that does not run though it should.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// The container.
    pub container: String,
    /// What it is in the pod: `container`, `sidecar`, `init-container`.
    #[serde(serialize_with = "role")]
    pub role: Role,
    /// What keeps it.
    pub cause: Obstacle,
    /// How sure that is.
    pub certainty: Certainty,
    /// The kubelet's word for it; empty where it has none.
    pub reason: String,
    /// What the kubelet says.
    pub message: String,
    /// Since when nothing of it runs; `None` where it never ran.
    pub down_since: Option<Timestamp>,
    /// What it means.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

/// What keeps a container from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// Its image cannot be had.
    Image,
    /// Its configuration cannot be had: a ConfigMap, a Secret or a key is missing, or it may not
    /// run as the user it asks for.
    Configuration,
    /// The runtime could not make it.
    CreateError,
    /// The runtime could not start it.
    StartError,
    /// Its postStart hook failed.
    PostStartHook,
    /// It ended too often, and waits before the next start.
    BackOff,
    /// It ended just now, and is started again.
    Restarting,
    /// A volume is not there.
    Volume,
    /// The pod has no sandbox: its network, for example.
    Sandbox,
    /// Init containers come first, and they are not done.
    InitContainers,
    /// It is being made, and nothing tells of a fault.
    Starting,
}

impl Obstacle {
    /// What it is called in the text form.
    pub fn words(self) -> &'static str {
        match self {
            Self::Image => "its image cannot be had",
            Self::Configuration => "its configuration cannot be had",
            Self::CreateError => "it cannot be created",
            Self::StartError => "it cannot be started",
            Self::PostStartHook => "its postStart hook fails",
            Self::BackOff => "it waits in back-off before the next start",
            Self::Restarting => "it is about to be started again",
            Self::Volume => "a volume is missing",
            Self::Sandbox => "the pod has no sandbox",
            Self::InitContainers => "init containers are not done",
            Self::Starting => "it is being started",
        }
    }

    /// Whether it goes away by itself, as far as that can be told.
    pub(super) fn is_passing(self) -> bool {
        matches!(self, Self::Restarting | Self::InitContainers | Self::Starting)
    }
}

/// Every container that does not run though it should, the gravest first.
pub(super) fn all(case: &Case<'_>) -> Vec<Blocked> {
    if case.record.is_over() || case.ending.is_some() {
        return Vec::new();
    }
    let mut all: Vec<_> = case.record.containers().filter_map(|told| blocked(case, told)).collect();
    all.sort_by_key(|blocked| blocked.cause.is_passing());
    all
}

fn blocked(case: &Case<'_>, told: Told<'_>) -> Option<Blocked> {
    let status = told.status;
    if let Some(waiting) = &status.state.waiting {
        return Some(of_waiting(case, told, waiting));
    }
    let end = status.state.terminated.as_ref()?;
    let restarts =
        starts_again(case, told, end) && case.record.standing("AllContainersRestarting").is_none();
    restarts.then(|| of_ended(case, told, end))
}

fn new(told: Told<'_>, cause: Obstacle, why: impl Into<String>) -> Blocked {
    let last = told.status.last_state.terminated.as_ref();
    Blocked {
        container: told.status.name.clone(),
        role: told.role,
        cause,
        certainty: Certainty::Certain,
        reason: String::new(),
        message: String::new(),
        down_since: last.and_then(|end| end.finished_at),
        why: why.into(),
        remedy: String::new(),
    }
}

/// Whether the kubelet starts it again after this end.
fn starts_again(case: &Case<'_>, told: Told<'_>, end: &Terminated) -> bool {
    let rule =
        case.container(&told.status.name).and_then(|one| one.restart_rule_for(end.exit_code));
    if rule.is_some() {
        return true;
    }
    let own = told.spec.map(|container| container.restart_policy.as_str()).unwrap_or_default();
    let policy = if own.is_empty() { case.record.spec.restart_policy.as_str() } else { own };
    let is_done = told.role == Role::Init && end.exit_code == 0;
    match policy {
        "Never" => false,
        "OnFailure" => end.exit_code != 0,
        _ => !is_done,
    }
}

/// The status tells an end and no waiting, though the container waits: only an event tells.
fn of_ended(case: &Case<'_>, told: Told<'_>, end: &Terminated) -> Blocked {
    let name = &told.status.name;
    let is_since = |event: &&Event| end.finished_at.is_none_or(|time| event.is_since(time));
    let back_off = case
        .events
        .about(name)
        .filter(|event| event.reason == "BackOff" && is_restart(event))
        .rfind(|event| is_since(event));
    let mut blocked = match back_off {
        Some(event) => {
            let why = format!(
                "{BACK_OFF}; its status shows the last end, and only the event tells of the back-off"
            );
            let mut blocked = new(told, Obstacle::BackOff, why);
            blocked.reason = "BackOff".to_owned();
            blocked.message.clone_from(&event.message);
            blocked.remedy = "see why it ended, below".to_owned();
            blocked
        }
        None => {
            let why = "it ended, and the kubelet starts it again, at once or after a back-off: nothing tells yet";
            let mut blocked = new(told, Obstacle::Restarting, why);
            blocked.certainty = Certainty::Likely;
            blocked
        }
    };
    blocked.down_since = end.finished_at;
    blocked
}

fn is_restart(event: &Event) -> bool {
    event.message.contains("restarting failed container")
}

const BACK_OFF: &str = "it ended soon after its start more than once, and the kubelet waits longer each time before the next \
                        start (10 s doubled, up to 5 minutes)";

fn of_waiting(case: &Case<'_>, told: Told<'_>, waiting: &Waiting) -> Blocked {
    let mut blocked = match waiting.reason.as_str() {
        "ErrImagePull"
        | "ImagePullBackOff"
        | "ErrImageNeverPull"
        | "InvalidImageName"
        | "ImageInspectError"
        | "RegistryUnavailable"
        | "SignatureValidationFailed" => image(case, told, waiting),
        reason => match obstacle(reason) {
            Some((cause, why, remedy)) => {
                let command = case.kubectl.describe().filter(|_| cause != Obstacle::BackOff);
                Blocked { remedy: with(remedy, command), ..new(told, cause, why) }
            }
            None => starting(case, told),
        },
    };
    if blocked.reason.is_empty() {
        blocked.reason.clone_from(&waiting.reason);
    }
    if blocked.message.is_empty() {
        blocked.message.clone_from(&waiting.message);
    }
    blocked
}

/// What the kubelet's reason for waiting means, and what to do; `None` where it is no fault of the
/// container.
fn obstacle(reason: &str) -> Option<(Obstacle, &'static str, &'static str)> {
    Some(match reason {
        "CrashLoopBackOff" => (Obstacle::BackOff, BACK_OFF, "see why it ended, below"),
        "CreateContainerConfigError" => (
            Obstacle::Configuration,
            "the kubelet cannot put its configuration together, and tries again every few seconds: it starts as soon as what is \
             missing is there",
            "make the ConfigMap, the Secret or the key that is missing, or correct the reference",
        ),
        "CreateContainerError" | "PreCreateHookError" => (
            Obstacle::CreateError,
            "its runtime cannot make it: mounts, devices or names are at fault",
            "correct what the kubelet says",
        ),
        "RunContainerError" | "PreStartHookError" | "StartError" | "ContainerCannotRun" => (
            Obstacle::StartError,
            "its runtime cannot start it: command, mounts or limits are at fault",
            "correct what the kubelet says",
        ),
        "PostStartHookError" => (
            Obstacle::PostStartHook,
            "its postStart hook failed, and the kubelet stops it each time",
            "correct the hook",
        ),
        _ => return None,
    })
}

/// The image cannot be had. Of a live pod the old container is gone by then.
fn image(case: &Case<'_>, told: Told<'_>, waiting: &Waiting) -> Blocked {
    let image = told.spec.map(|container| container.image.as_str()).unwrap_or_default();
    let name = &told.status.name;
    let ran = told.status.last_state.terminated.as_ref();
    let what = match waiting.reason.as_str() {
        "ErrImageNeverPull" => "is not on the node, and imagePullPolicy is Never",
        "InvalidImageName" => "is no name of an image",
        _ => "cannot be pulled",
    };
    let again = if waiting.reason == "InvalidImageName" {
        ""
    } else {
        ", and the kubelet tries again, longer apart each time"
    };
    let Some(ran) = ran else {
        let mut blocked = new(
            told,
            Obstacle::Image,
            format!("image {image:?} {what}{again}; the container never ran"),
        );
        let owner = rollout(case);
        if owner.is_some() {
            blocked.why.push_str(
                "; pods of the template before go on as far as the strategy keeps them, and nothing changes until the template is corrected",
            );
        }
        blocked.remedy =
            with("correct the image in the template, or go back to the one before", owner);
        if case.record.controller().is_none() {
            blocked.remedy =
                with("correct the image, or make it available", case.kubectl.describe());
        }
        return blocked;
    };
    let changed = case.events.kills(name).any(|(kill, event)| {
        kill == super::event::Kill::Definition
            && ran.finished_at.is_none_or(|time| event.is_within(time, time))
    });
    let how = if changed {
        "the image of the live pod was changed, the kubelet stopped the old container for it"
    } else {
        "the container ended"
    };
    let mut blocked =
        new(told, Obstacle::Image, format!("it is down: {how}, and image {image:?} {what}{again}"));
    let old = old_image(case, name, image);
    let command = old.and_then(|old| case.kubectl.set_image(name, old));
    let sentence = match (changed, &command) {
        (true, Some(_)) => "give it the image back that ran before",
        (true, None) => "give it back the image that ran before",
        _ => "make the image available, or give the container another",
    };
    blocked.remedy = with(sentence, command.filter(|_| changed));
    blocked
}

/// The last other image that the kubelet had for the container.
fn old_image<'c>(case: &Case<'c>, container: &str, image: &str) -> Option<&'c str> {
    let pulled =
        case.events.iter().filter(|event| event.reason == "Pulled" && event.container == container);
    let mut quoted = pulled.filter_map(|event| event.message.split('"').nth(1));
    quoted.rfind(|one| *one != image)
}

/// The command that takes a rollout back.
fn rollout(case: &Case<'_>) -> Option<String> {
    let owner = case.record.controller()?;
    let hash = case.record.metadata.labels.get("pod-template-hash");
    match owner.kind.as_str() {
        "ReplicaSet" => {
            let name = owner.name.strip_suffix(hash?.as_str())?.strip_suffix('-')?;
            case.kubectl.about("rollout undo", "deployment", name)
        }
        "StatefulSet" => case.kubectl.about("rollout undo", "statefulset", &owner.name),
        "DaemonSet" => case.kubectl.about("rollout undo", "daemonset", &owner.name),
        _ => None,
    }
}

/// Nothing is said to be wrong with the container itself: with the pod it may be.
fn starting(case: &Case<'_>, told: Told<'_>) -> Blocked {
    let waits = case.record.containers().find(|other| {
        other.role != Role::Regular
            && other.status.name != told.status.name
            && told.role == Role::Regular
            && !is_done(*other)
    });
    if let Some(first) = waits {
        let why = format!("init container {:?} comes first, and is not done", first.status.name);
        return new(told, Obstacle::InitContainers, why);
    }
    let started = case.events.because("Started").last().and_then(|event| event.last);
    let fault = case.events.iter().rfind(|event| {
        matches!(
            event.reason.as_str(),
            "FailedMount"
                | "FailedAttachVolume"
                | "FailedMapVolume"
                | "FailedCreatePodSandBox"
                | "NetworkNotReady"
                | "FailedPrepareDynamicResources"
                | "FailedCreatePodContainer"
        ) && started.is_none_or(|started| event.is_since(started))
    });
    let Some(fault) = fault else {
        let mut blocked =
            new(told, Obstacle::Starting, "the kubelet makes it, and nothing tells of a fault");
        blocked.certainty = Certainty::Likely;
        return blocked;
    };
    let (cause, why) = if fault.reason.contains("Volume") || fault.reason == "FailedMount" {
        (Obstacle::Volume, "a volume of the pod cannot be mounted, and the kubelet tries again")
    } else {
        (
            Obstacle::Sandbox,
            "the kubelet cannot make what containers of the pod run in, its network for example, and tries again",
        )
    };
    let mut blocked = new(told, cause, why);
    blocked.certainty = Certainty::Likely;
    blocked.message.clone_from(&fault.message);
    blocked.reason.clone_from(&fault.reason);
    blocked.remedy = with("correct what the kubelet says", case.kubectl.describe());
    blocked
}

fn is_done(init: Told<'_>) -> bool {
    let state = &init.status.state;
    match init.role {
        Role::Sidecar => state.running.is_some(),
        _ => state.terminated.as_ref().is_some_and(|end| end.exit_code == 0),
    }
}
