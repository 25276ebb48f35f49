//! Approvals: a person's agreement to one pod's memory decrease.
//!
//! A *grant* is what an approver writes on a pod. The mutating path turns it into a *stamp*, sealed
//! with a key that only the service holds, and only a stamp counts: annotations have other doors
//! than the one the service watches.
//!
//! On `pods/resize` only the **old** object is asked. A resize patch cannot store an annotation,
//! but the mutating path still sees the one that came along (the API server drops it later), so
//! whatever the new object says counts for nothing on either path.

mod error;
mod floors;
mod grant;
mod note;
mod requested;
mod stamp;
#[cfg(feature = "shell")]
mod standing;
mod validity;

pub use error::GrantError;
pub(crate) use floors::MOST_PARTS;
pub(crate) use floors::part_name;
pub use floors::{Floor, Floors, Uncovered};
pub(crate) use grant::FORM;
pub(crate) use grant::LONGEST_GRANT;
pub use grant::{Grant, LONGEST_LIFETIME, parse_lifetime};
pub use note::{ApprovalNote, LimitChange, Refusal};
pub(crate) use requested::granting_command;
pub use requested::{REQUESTED_ANNOTATION, Requested};
pub use stamp::{Agreement, CLOCK_SKEW, FRESH, Malformed, Stamp, StampTarget};
#[cfg(feature = "shell")]
pub(crate) use standing::Standing;
pub use validity::{Approval, Authority, Invalid, NoAuthority, PodState, Stamped};

/// The annotation that grants, unless a policy names another.
pub(crate) const DEFAULT_ANNOTATION: &str = "approved-by-sre";

/// The annotation that grants whatever a policy says.
pub const GRANT_ANNOTATION: &str = "restraint.dev/approve";

/// The annotation that carries the stamp.
pub const STAMP_ANNOTATION: &str = "restraint.dev/approval";

/// Annotations by which approvals are granted or recorded whatever a policy says. Nobody may bring
/// them along with a new pod.
pub(crate) const RESERVED_ANNOTATIONS: [&str; 2] = [GRANT_ANNOTATION, STAMP_ANNOTATION];
