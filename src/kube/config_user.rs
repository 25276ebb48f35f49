//! A workload that uses ConfigMaps or Secrets.

use super::config_use::ConfigUse;

/// A workload, or a pod that nobody made, with what it uses of ConfigMaps and Secrets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigUser {
    /// Its kind, as in manifests.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub life: Life,
    /// Each use, with what the workload does about a change.
    pub uses: Vec<UserUse>,
}

/// What becomes of a workload from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Life {
    /// Whether processes run that hold what they read when they started, until somebody restarts
    /// them. Jobs have none: they end.
    pub holds: bool,
    /// Whether containers of it will start, for the first time or again.
    pub starts: bool,
}

/// One use, with what the workload does about a change of the object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserUse {
    /// The use.
    pub used: ConfigUse<'static>,
    /// Whether something rolls the workload when the object changes.
    pub is_rolled: bool,
    /// Whether a resize restarts the container in place.
    pub restarts_in_place: bool,
}

impl Life {
    /// It runs, and starts again.
    pub const RUNNING: Self = Self { holds: true, starts: true };
    /// Nothing of it runs now, and it will.
    pub const NOT_YET: Self = Self { holds: false, starts: true };
    /// Nothing of it runs, nor will.
    pub const OVER: Self = Self { holds: false, starts: false };
}

impl ConfigUser {
    /// The word for it in commands: `deploy/web`.
    pub fn target(&self) -> String {
        let word = match self.kind {
            "Deployment" => "deploy",
            "StatefulSet" => "sts",
            "DaemonSet" => "ds",
            "ReplicaSet" => "rs",
            "ReplicationController" => "rc",
            "CronJob" => "cronjob",
            "Job" => "job",
            _ => "pod",
        };
        format!("{word}/{}", self.name)
    }
}
