//! What a command is about: a pod, or a workload's pods.

use std::fmt;

use crate::kube::name::is_dns_subdomain;

/// A pod, or a workload that keeps pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
}

/// The kinds that can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A pod.
    Pod,
    /// A Deployment: the pods of its ReplicaSets.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
}

/// Words that name no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// A word without a kind.
    #[error("{0:?} does not say what it is: say pod/{0}, deploy/{0} or sts/{0}")]
    NoKind(String),
    /// A kind that is none of ours.
    #[error("{0:?} is none of pod, deploy, sts")]
    UnknownKind(String),
    /// A name that no object can have.
    #[error("{0:?} is no object's name")]
    NoName(String),
    /// More than one.
    #[error("one pod, Deployment or StatefulSet at a time")]
    TooMany,
}

impl Target {
    /// Reads `KIND/NAME`, or `KIND` and `NAME`.
    ///
    /// # Errors
    ///
    /// Where the words name none.
    pub fn parse(words: &[String]) -> Result<Self, TargetError> {
        let (kind, name) = match words {
            [word] => word.split_once('/').ok_or_else(|| TargetError::NoKind(word.clone()))?,
            [kind, name] if !kind.contains('/') && !name.contains('/') => {
                (kind.as_str(), name.as_str())
            }
            _ => return Err(TargetError::TooMany),
        };
        let kind = Kind::parse(kind).ok_or_else(|| TargetError::UnknownKind(kind.to_owned()))?;
        if is_dns_subdomain(name) {
            Ok(Self { kind, name: name.to_owned() })
        } else {
            Err(TargetError::NoName(name.to_owned()))
        }
    }
}

impl Kind {
    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "po" | "pod" | "pods" => Self::Pod,
            "deploy" | "deployment" | "deployments" | "deployment.apps" | "deployments.apps" => {
                Self::Deployment
            }
            "sts" | "statefulset" | "statefulsets" | "statefulset.apps" | "statefulsets.apps" => {
                Self::StatefulSet
            }
            _ => return None,
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Deployment => "deploy",
            Self::StatefulSet => "sts",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind.as_str(), self.name)
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
    fn targets_are_read_as_kubectl_reads_them() {
        for kind in ["po", "pod", "pods", "Pod"] {
            assert_eq!(parse(&format!("{kind}/db-0")).as_deref(), Ok("pod/db-0"));
        }
        for kind in [
            "deploy",
            "deployment",
            "deployments",
            "deployment.apps",
            "deployments.apps",
            "Deployment",
        ] {
            assert_eq!(parse(&format!("{kind}/web.v1")).as_deref(), Ok("deploy/web.v1"));
        }
        for kind in ["sts", "statefulset", "statefulsets", "statefulset.apps", "StatefulSet"] {
            assert_eq!(parse(&format!("{kind} db")).as_deref(), Ok("sts/db"));
        }
    }

    #[test]
    fn what_names_no_target_says_why() {
        let name = |name: &str| TargetError::NoName(name.to_owned());
        let long = "a".repeat(254);
        let cases = [
            ("db-0", TargetError::NoKind("db-0".to_owned())),
            ("job/x", TargetError::UnknownKind("job".to_owned())),
            ("/x", TargetError::UnknownKind(String::new())),
            ("pod/", name("")),
            ("pod/DB", name("DB")),
            ("pod/a/b", name("a/b")),
            ("pod/..", name("..")),
            ("pod/a?b", name("a?b")),
            (&format!("pod/{long}"), name(&long)),
            ("pod/a pod/b", TargetError::TooMany),
            ("pod a b", TargetError::TooMany),
        ];
        for (words, error) in cases {
            assert_eq!(parse(words), Err(error), "{words:?}");
        }
    }
}
