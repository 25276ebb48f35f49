//! An object that the user names.

use std::fmt;
use std::str::FromStr;

use super::kind::Kind;

/// An object by its kind and name: `deployment/web`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectName {
    pub(crate) kind: &'static Kind,
    pub(crate) name: String,
}

/// Text that is no `KIND/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ObjectNameError {
    /// A name without a kind.
    #[error("{0:?} does not say what it is: say KIND/NAME")]
    NoKind(String),
    /// A kind that is not known.
    #[error("kind {0:?} is not known here")]
    UnknownKind(String),
    /// A name that no object of the kind can have.
    #[error("{0:?} is not a valid name")]
    InvalidName(String),
}

impl FromStr for ObjectName {
    type Err = ObjectNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, name) =
            text.split_once('/').ok_or_else(|| ObjectNameError::NoKind(text.to_owned()))?;
        let kind = Kind::find(word).ok_or_else(|| ObjectNameError::UnknownKind(word.to_owned()))?;
        if kind.allows_name(name) {
            Ok(Self { kind, name: name.to_owned() })
        } else {
            Err(ObjectNameError::InvalidName(name.to_owned()))
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind.singular(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_as_with_kubectl() {
        for (text, expected) in [
            ("deploy/web", "deployment/web"),
            ("Deployment/web.v1", "deployment/web.v1"),
            ("deployments.apps/web", "deployment/web"),
            ("Pod/db-0", "pod/db-0"),
            ("cm/app", "configmap/app"),
            ("node/n1", "node/n1"),
            ("clusterrole/system:node", "clusterrole/system:node"),
        ] {
            assert_eq!(text.parse::<ObjectName>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_names_no_object_says_why() {
        let invalid = |name: &str| ObjectNameError::InvalidName(name.to_owned());
        let unknown = |kind: &str| ObjectNameError::UnknownKind(kind.to_owned());
        for (text, error) in [
            ("web", ObjectNameError::NoKind("web".to_owned())),
            ("widget/a", unknown("widget")),
            ("deployment.batch/a", unknown("deployment.batch")),
            ("/a", unknown("")),
            ("pod/", invalid("")),
            ("pod/DB", invalid("DB")),
            ("pod/a/b", invalid("a/b")),
            ("pod/../a", invalid("../a")),
            ("pod/a?b", invalid("a?b")),
            ("role/a?b", invalid("a?b")),
            ("role/..", invalid("..")),
        ] {
            assert_eq!(text.parse::<ObjectName>(), Err(error), "{text}");
        }
    }
}
