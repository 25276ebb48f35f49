//! What happened to approvals in a review: for the audit log, the log, metrics and events.

use std::borrow::Cow;
use std::fmt;

use crate::kube::part::Part;

use super::stamp::Stamp;

/// One thing that happened to an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovalNote {
    /// A grant was turned into a stamp.
    Granted(Box<Stamp>),
    /// A grant would have been turned into a stamp, but for the cap.
    WouldGrant(Box<Stamp>),
    /// A grant, or a stamp that somebody wrote, was refused.
    Refused(Refusal),
    /// The stamp was taken off.
    Revoked,
    /// An approval let decreases through.
    Used {
        /// The decreases.
        changes: Vec<LimitChange>,
        /// The approval.
        stamp: Box<Stamp>,
    },
    /// An allowance of the policy let decreases through.
    Allowed {
        /// The decreases.
        changes: Vec<LimitChange>,
        /// The name of the allowance.
        allowance: String,
    },
    /// There was an approval, and it did not count.
    Invalid {
        /// Why, in a word.
        reason: &'static str,
        /// The decrease.
        change: LimitChange,
    },
}

/// A change of the memory limit of one part of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitChange {
    /// The name of the container; `None` for the pod itself.
    pub container: Option<String>,
    /// The limit before, as in messages.
    pub from: String,
    /// The limit after.
    pub to: String,
}

impl fmt::Display for LimitChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = self.container.as_deref().map_or(Part::Pod, Part::Container);
        write!(formatter, "{part} {} to {}", self.from, self.to)
    }
}

/// Why a grant was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The requester may not approve.
    NotAllowed,
    /// Nobody could say whether the requester may approve.
    AuthorityUnknown,
    /// The grant is none.
    Malformed,
    /// Two grants at once.
    Ambiguous,
    /// The lifetime is longer than the policy allows.
    TooLong,
    /// The pod has no generation to bind it to.
    NoGeneration,
    /// The service has no key, or no clock.
    NotReady,
    /// The mutating path did not turn it into a stamp.
    NotStamped,
    /// A stamp that is not the service's own, of this request.
    ForeignStamp,
    /// It came through a subresource.
    ThroughSubresource,
}

impl Refusal {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::NotAllowed,
        Self::AuthorityUnknown,
        Self::Malformed,
        Self::Ambiguous,
        Self::TooLong,
        Self::NoGeneration,
        Self::NotReady,
        Self::NotStamped,
        Self::ForeignStamp,
        Self::ThroughSubresource,
    ];

    /// The word for it in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAllowed => "not-allowed",
            Self::AuthorityUnknown => "authority-unknown",
            Self::Malformed => "malformed",
            Self::Ambiguous => "ambiguous",
            Self::TooLong => "too-long",
            Self::NoGeneration => "no-generation",
            Self::NotReady => "not-ready",
            Self::NotStamped => "not-stamped",
            Self::ForeignStamp => "foreign-stamp",
            Self::ThroughSubresource => "through-subresource",
        }
    }
}

impl ApprovalNote {
    /// Whether something let a decrease through.
    pub(crate) fn is_use(&self) -> bool {
        matches!(self, Self::Used { .. } | Self::Allowed { .. })
    }

    /// The name of what happened: a plain key for audit annotations and logs.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Granted(_) => "approval-granted",
            Self::WouldGrant(_) => "approval-would-be-granted",
            Self::Refused(_) => "approval-refused",
            Self::Revoked => "approval-revoked",
            Self::Used { .. } => "approval-used",
            Self::Allowed { .. } => "allowance-used",
            Self::Invalid { .. } => "approval-invalid",
        }
    }
}

/// The decreases that a brief sentence names.
const FEW: usize = 3;

/// What happened, in a sentence. The alternate form (`{:#}`) names a few decreases only.
impl fmt::Display for ApprovalNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted(stamp) | Self::WouldGrant(stamp) => describe(stamp, formatter),
            Self::Refused(refusal) => formatter.write_str(refusal.as_str()),
            Self::Revoked => formatter.write_str("the stamp was removed"),
            Self::Used { changes, stamp } => {
                list(changes, formatter)?;
                formatter.write_str(", approved: ")?;
                describe(stamp, formatter)
            }
            Self::Allowed { changes, allowance } => {
                list(changes, formatter)?;
                write!(formatter, ", by allowance {allowance:?}")
            }
            Self::Invalid { reason, change } => write!(formatter, "{change}: {reason}"),
        }
    }
}

fn list(changes: &[LimitChange], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let most = if formatter.alternate() { FEW } else { changes.len() };
    for (index, change) in changes.iter().take(most).enumerate() {
        write!(formatter, "{}{change}", if index == 0 { "" } else { ", " })?;
    }
    match changes.len().checked_sub(most).filter(|more| *more > 0) {
        Some(more) => write!(formatter, ", and {more} more"),
        None => Ok(()),
    }
}

/// A name of more than so many characters is shown without its middle.
const LONGEST_NAME: usize = 512;

fn shortened(name: &str) -> Cow<'_, str> {
    let length = name.chars().count();
    if length <= LONGEST_NAME {
        return name.into();
    }
    let half = LONGEST_NAME / 2;
    let tail = name.chars().skip(length.saturating_sub(half));
    name.chars().take(half).chain(['…']).chain(tail).collect()
}

fn describe(stamp: &Stamp, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let memory = stamp.memory.to_string();
    let memory = if memory == "true" { "any decrease" } else { &memory };
    let (approver, granted, expires) = (shortened(&stamp.approver), stamp.granted, stamp.expires);
    write!(formatter, "{memory} by {approver:?} from {granted} until {expires}")?;
    if stamp.force {
        formatter.write_str(", forced")?;
    }
    match &stamp.reason {
        Some(reason) => write!(formatter, ", reason {reason:?}"),
        None => Ok(()),
    }
}
