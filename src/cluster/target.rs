//! What approvals are for: a pod, or a workload's pods.

use std::fmt;

use super::object_name::{ObjectName, ObjectNameError};

/// A pod, or a workload that keeps pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(super) kind: TargetKind,
    object: ObjectName,
}

/// The kinds of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetKind {
    /// A pod.
    Pod,
    /// A Deployment: the pods of its ReplicaSets.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
}

/// Words that name no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// A name without a kind.
    #[error("{0:?} does not say what it is: say pod/{0}, deploy/{0}, sts/{0} or ds/{0}")]
    NoKind(String),
    /// An object of another kind.
    #[error("{0:?} is none of pod, deploy, sts, ds")]
    OtherKind(String),
    /// No object at all.
    #[error(transparent)]
    NoObject(ObjectNameError),
    /// More than one.
    #[error("one pod, Deployment, StatefulSet or DaemonSet at a time")]
    TooMany,
}

impl Target {
    /// Reads `KIND/NAME`, or `KIND` and `NAME`.
    ///
    /// # Errors
    ///
    /// Where the words name none.
    pub(crate) fn parse(words: &[String]) -> Result<Self, TargetError> {
        let object = match words {
            [word] => word.parse::<ObjectName>(),
            [kind, name] if !kind.contains('/') && !name.contains('/') => {
                format!("{kind}/{name}").parse()
            }
            _ => return Err(TargetError::TooMany),
        };
        let object = object.map_err(|error| match error {
            ObjectNameError::NoKind(text) => TargetError::NoKind(text),
            ObjectNameError::UnknownKind(kind) => TargetError::OtherKind(kind),
            error @ ObjectNameError::InvalidName(_) => TargetError::NoObject(error),
        })?;
        let kind = TargetKind::find(object.kind.name)
            .ok_or_else(|| TargetError::OtherKind(object.kind.singular().to_owned()))?;
        Ok(Self { kind, object })
    }

    /// Whether it is a pod, and no workload.
    pub(crate) fn is_pod(&self) -> bool {
        self.kind == TargetKind::Pod
    }

    /// Its kind and name.
    pub(crate) fn object(&self) -> &ObjectName {
        &self.object
    }

    pub(super) fn name(&self) -> &str {
        &self.object.name
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(formatter)
    }
}

impl TargetKind {
    fn find(kind: &str) -> Option<Self> {
        match kind {
            "Pod" => Some(Self::Pod),
            "Deployment" => Some(Self::Deployment),
            "StatefulSet" => Some(Self::StatefulSet),
            "DaemonSet" => Some(Self::DaemonSet),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<String, TargetError> {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        Target::parse(&words).map(|target| target.to_string())
    }

    #[test]
    fn targets_are_one_word_or_two() {
        for (words, target) in [
            ("po/db-0", "pod/db-0"),
            ("pods db-0", "pod/db-0"),
            ("deployments.apps/web.v1", "deployment/web.v1"),
            ("sts db", "statefulset/db"),
            ("ds/agent", "daemonset/agent"),
        ] {
            assert_eq!(parse(words).as_deref(), Ok(target));
        }
    }

    #[test]
    fn what_names_no_target_says_why() {
        let other = |kind: &str| TargetError::OtherKind(kind.to_owned());
        let invalid =
            |name: &str| TargetError::NoObject(ObjectNameError::InvalidName(name.to_owned()));
        for (words, error) in [
            ("db-0", TargetError::NoKind("db-0".to_owned())),
            ("jobs/x", other("job")),
            ("widget/x", other("widget")),
            ("/x", other("")),
            ("pod/DB", invalid("DB")),
            ("pod a?b", invalid("a?b")),
            ("pod/a pod/b", TargetError::TooMany),
            ("pod a b", TargetError::TooMany),
        ] {
            assert_eq!(parse(words), Err(error), "{words:?}");
        }
    }
}
