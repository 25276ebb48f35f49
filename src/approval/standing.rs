//! How an approval on a pod stands, for whoever lists them: whether its seal is genuine only the
//! service can tell.

use jiff::Timestamp;
use serde::Serialize;

use super::{Invalid, PodState, Stamp};

/// Whether what stands on a pod counts, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Standing {
    Usable,
    Expired,
    PodChanged,
    Scheduled,
    OtherPod,
    NotYet,
    Malformed,
    GrantWithoutStamp,
}

impl Standing {
    /// How the stamp written as `stamp` stands on `pod`, and what it says; without one, how a
    /// grant does. `None` where there is neither.
    pub(crate) fn of(
        stamp: Option<&str>,
        is_granted: bool,
        pod: PodState<'_>,
        now: Timestamp,
    ) -> Option<(Self, Option<Stamp>)> {
        match stamp.map(Stamp::parse) {
            Some(Ok(stamp)) => Some((Self::held(&stamp.holds(pod, now)), Some(stamp))),
            Some(Err(_)) => Some((Self::Malformed, None)),
            None => is_granted.then_some((Self::GrantWithoutStamp, None)),
        }
    }

    fn held(holds: &Result<(), Invalid>) -> Self {
        match holds {
            Ok(()) => Self::Usable,
            Err(Invalid::Expired(_)) => Self::Expired,
            Err(Invalid::PodChanged) => Self::PodChanged,
            Err(Invalid::Scheduled) => Self::Scheduled,
            Err(Invalid::OtherPod) => Self::OtherPod,
            Err(Invalid::NotYet) => Self::NotYet,
            Err(_) => Self::Malformed,
        }
    }

    /// What is said of it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Usable => "usable",
            Self::Expired => "expired",
            Self::PodChanged => "invalid: the pod changed",
            Self::Scheduled => "invalid: the pod has a node now",
            Self::OtherPod => "invalid: for another pod",
            Self::NotYet => "invalid: from the future",
            Self::Malformed => "malformed",
            Self::GrantWithoutStamp => "grant without a stamp: no effect",
        }
    }
}
