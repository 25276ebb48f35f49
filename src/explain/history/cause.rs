//! The words for causes.

use serde::Serialize;

/// Why a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The process ended by itself, with an error.
    Crash,
    /// The process ended by itself, without an error.
    Completed,
    /// The process ended by itself, with an exit code that a rule of the container answers.
    RestartRule,
    /// The kernel killed it for memory.
    OutOfMemory,
    /// The kubelet ended it for a failed liveness probe.
    LivenessProbe,
    /// The kubelet ended it for a failed startup probe.
    StartupProbe,
    /// The kubelet ended it because its postStart hook failed.
    PostStartHook,
    /// The kubelet ended it to resize it.
    Resize,
    /// A rule with the action RestartAllContainers ended all of the pod's.
    RestartAllContainers,
    /// The kubelet ended it because its image or definition changed.
    DefinitionChanged,
    /// It never came to run.
    StartError,
    /// Its pod was evicted: by the kubelet, a drain or a taint.
    Evicted,
    /// Its pod's time was over (`activeDeadlineSeconds`).
    Deadline,
    /// Its pod had to make room for a more important one.
    Preempted,
    /// Its node was shut down in order.
    NodeShutdown,
    /// Its node started again.
    NodeRebooted,
    /// The pod's sandbox was made anew.
    SandboxChanged,
    /// Its pod was deleted.
    Deleted,
    /// Its pod was done.
    PodEnded,
    /// The kubelet did not take its pod.
    Rejected,
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
            Self::RestartRule => "ended as its restart rule expects",
            Self::OutOfMemory => "killed for memory",
            Self::LivenessProbe => "failed liveness probe",
            Self::StartupProbe => "failed startup probe",
            Self::PostStartHook => "failed postStart hook",
            Self::Resize => "restart for a resize",
            Self::RestartAllContainers => "restart of all containers",
            Self::DefinitionChanged => "image or definition changed",
            Self::StartError => "could not start",
            Self::Evicted => "pod evicted",
            Self::Deadline => "pod's deadline exceeded",
            Self::Preempted => "pod preempted",
            Self::NodeShutdown => "node shut down",
            Self::NodeRebooted => "node started again",
            Self::SandboxChanged => "pod's sandbox made anew",
            Self::Deleted => "pod deleted",
            Self::PodEnded => "stopped with its pod",
            Self::Rejected => "pod rejected by the kubelet",
            Self::Lost => "lost by its node",
            Self::Killed => "killed",
            Self::Unknown => "not known",
        }
    }
}
