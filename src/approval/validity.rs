//! Whether a stamp counts, for this pod, now.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::kube::object::Object;
use crate::kube::part::Part;
use crate::kube::resources::EffectiveLimit;

use super::floors::Uncovered;
use super::stamp::{CLOCK_SKEW, Stamp};

/// What is known of the stamp that a request is about: the stored one on `pods/resize`, the one to
/// be stored else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stamped {
    /// Nobody looked.
    #[default]
    Unknown,
    /// There is an annotation, and it is no stamp.
    Malformed,
    /// A stamp that the service did not seal, or not for this pod.
    Unsealed(Box<Stamp>),
    /// A stamp with the service's seal, for this namespace and name.
    Sealed(Box<Stamp>),
}

/// Whether the requester may approve, as far as it was looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authority {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// The API server says yes.
    Held,
    /// The API server says no.
    Lacking,
    /// The API server did not say: why, without what it said.
    Unknown(Cow<'static, str>),
}

impl fmt::Display for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => formatter.write_str("not-asked"),
            Self::Held => formatter.write_str("held"),
            Self::Lacking => formatter.write_str("lacking"),
            Self::Unknown(why) => write!(formatter, "unknown: {why}"),
        }
    }
}

/// A word that says nothing of an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an authority is \"held\", \"lacking\", \"not-asked\" or \"unknown: WHY\"")]
pub struct NoAuthority;

impl FromStr for Authority {
    type Err = NoAuthority;

    fn from_str(text: &str) -> Result<Self, NoAuthority> {
        match text {
            "not-asked" => Ok(Self::NotAsked),
            "held" => Ok(Self::Held),
            "lacking" => Ok(Self::Lacking),
            _ => {
                let why = text.strip_prefix("unknown: ").ok_or(NoAuthority)?;
                Ok(Self::Unknown(why.to_owned().into()))
            }
        }
    }
}

/// The approval on a stored pod: the stamp in force, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval<'s>(Result<&'s Stamp, Invalid>);

/// Why an approval does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// There is none.
    Absent,
    /// Its annotation is no stamp.
    Malformed,
    /// The service did not seal it, or not for this pod's name.
    Unsealed,
    /// Nobody looked at its seal, or at the clock.
    Unchecked,
    /// It is for another pod: its `metadata.uid` differs.
    OtherPod,
    /// The pod's spec changed since: its `metadata.generation` differs.
    PodChanged,
    /// It was granted while the pod was on no node, and now it is on one.
    Scheduled,
    /// It was granted in the future.
    NotYet,
    /// It ended.
    Expired(Timestamp),
    /// It does not name the part.
    NotNamed,
    /// The new limit is below this floor.
    BelowFloor(String),
    /// The approver is the requester, and the policy wants two people.
    SamePerson,
}

impl Invalid {
    /// The word for it in metrics and logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Malformed => "malformed",
            Self::Unsealed => "unsealed",
            Self::Unchecked => "unchecked",
            Self::OtherPod => "other-pod",
            Self::PodChanged => "pod-changed",
            Self::Scheduled => "scheduled",
            Self::NotYet => "not-yet",
            Self::Expired(_) => "expired",
            Self::NotNamed => "not-named",
            Self::BelowFloor(_) => "below-floor",
            Self::SamePerson => "same-person",
        }
    }
}

/// The end of a sentence that begins with the decrease.
impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => formatter.write_str("is not approved"),
            Self::Malformed => formatter.write_str("is not approved: the stamp is malformed"),
            Self::Unsealed => formatter.write_str("is not approved: the stamp is not sealed"),
            Self::Unchecked => formatter.write_str("is not approved: the stamp is unchecked"),
            Self::OtherPod => formatter.write_str("is not approved: the stamp is another pod's"),
            Self::PodChanged => formatter.write_str("is not approved any more: the pod changed"),
            Self::Scheduled => formatter.write_str("is not approved any more: the pod got a node"),
            Self::NotYet => formatter.write_str("is not approved: the stamp is of the future"),
            Self::Expired(end) => write!(formatter, "was approved until {end}"),
            Self::NotNamed => formatter.write_str("is not in the approval"),
            Self::BelowFloor(floor) => write!(formatter, "is approved down to {floor} only"),
            Self::SamePerson => formatter.write_str("is approved by the requester alone"),
        }
    }
}

/// What an approval is bound to: a pod in one state.
#[derive(Clone, Copy, Debug)]
pub struct PodState<'a> {
    /// `metadata.uid`.
    pub uid: &'a str,
    /// `metadata.generation`.
    pub generation: Option<i64>,
    /// Whether it is on a node; `None` where nobody looked.
    pub scheduled: Option<bool>,
}

impl<'a> PodState<'a> {
    /// The state of `pod`.
    pub(crate) fn of(pod: &'a Object<'_>) -> Self {
        let scheduled = Some(!pod.spec.node_name.is_empty());
        Self { uid: &pod.metadata.uid, generation: pod.metadata.generation, scheduled }
    }
}

impl Stamp {
    /// Whether it holds for a pod in the state `pod` at the time `now`. Seal and floors are others'
    /// business.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn holds(&self, pod: PodState<'_>, now: Timestamp) -> Result<(), Invalid> {
        if self.uid != pod.uid {
            return Err(Invalid::OtherPod);
        }
        if Some(self.generation) != pod.generation {
            return Err(Invalid::PodChanged);
        }
        if self.unscheduled && pod.scheduled == Some(true) {
            return Err(Invalid::Scheduled);
        }
        if self.granted.duration_since(now) > CLOCK_SKEW {
            return Err(Invalid::NotYet);
        }
        if now >= self.expires { Err(Invalid::Expired(self.expires)) } else { Ok(()) }
    }
}

impl<'s> Approval<'s> {
    /// The approval of `pod` at the time `now`, where its annotation is `stamped`.
    pub(crate) fn of(pod: &Object<'_>, stamped: &'s Stamped, now: Option<Timestamp>) -> Self {
        // an empty one is none: anybody may write it, because for the hooks it is no change
        let written = pod.metadata.annotations.value(super::STAMP_ANNOTATION);
        if written.is_none_or(|written| written.get() == "\"\"") {
            return Self(Err(Invalid::Absent));
        }
        Self(match (stamped, now) {
            (Stamped::Sealed(stamp), Some(now)) => {
                stamp.holds(PodState::of(pod), now).map(|()| &**stamp)
            }
            (Stamped::Malformed, _) => Err(Invalid::Malformed),
            (Stamped::Unsealed(_), _) => Err(Invalid::Unsealed),
            _ => Err(Invalid::Unchecked),
        })
    }

    /// The stamp that allows the limit of `part` to become `limit`.
    ///
    /// # Errors
    ///
    /// Why none does.
    pub fn covers(&self, part: Part<'_>, limit: EffectiveLimit<'_>) -> Result<&'s Stamp, Invalid> {
        let stamp = self.0.clone()?;
        match stamp.memory.cover(part, limit) {
            Ok(()) => Ok(stamp),
            Err(Uncovered::NotNamed) => Err(Invalid::NotNamed),
            Err(Uncovered::BelowFloor(floor)) => Err(Invalid::BelowFloor(floor)),
        }
    }

    /// Whether the approver knows that a heap does not fit the new limit.
    pub(crate) fn forces(&self) -> bool {
        self.0.as_ref().is_ok_and(|stamp| stamp.force)
    }
}
