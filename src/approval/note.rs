//! What happened to approvals in a review: for the audit log, the log, metrics and events.

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
    /// An approval let a decrease through.
    Used {
        /// The decrease.
        change: LimitChange,
        /// The approval.
        stamp: Box<Stamp>,
    },
    /// An allowance of the policy let a decrease through.
    Allowed {
        /// The decrease.
        change: LimitChange,
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

impl fmt::Display for ApprovalNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted(stamp) | Self::WouldGrant(stamp) => describe(stamp, formatter),
            Self::Refused(refusal) => formatter.write_str(refusal.as_str()),
            Self::Revoked => formatter.write_str("the stamp was removed"),
            Self::Used { change, stamp } => {
                write!(formatter, "{change}, approved: ")?;
                describe(stamp, formatter)
            }
            Self::Allowed { change, allowance } => {
                write!(formatter, "{change}, by allowance {allowance:?}")
            }
            Self::Invalid { reason, change } => write!(formatter, "{change}: {reason}"),
        }
    }
}

fn describe(stamp: &Stamp, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let memory = stamp.memory.to_string();
    let memory = if memory == "true" { "any decrease" } else { &memory };
    write!(
        formatter,
        "{memory} by {:?} from {} until {}",
        stamp.approver, stamp.granted, stamp.expires
    )?;
    if stamp.force {
        formatter.write_str(", forced")?;
    }
    match &stamp.reason {
        Some(reason) => write!(formatter, ", reason {reason:?}"),
        None => Ok(()),
    }
}
