//! How sure an explanation is.

use serde::Serialize;

/// How sure something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Kubernetes says so.
    Certain,
    /// It fits what Kubernetes says.
    Likely,
    /// Several things fit.
    Unknown,
}

impl Certainty {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Unknown => "unknown",
        }
    }
}
