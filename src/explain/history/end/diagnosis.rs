//! What is found of one end.

use crate::explain::history::cause::Cause;
use crate::explain::history::certainty::Certainty;

/// The cause of an end, how sure it is, why, and what to do.
pub(super) struct Diagnosis {
    pub(super) cause: Cause,
    pub(super) certainty: Certainty,
    pub(super) why: String,
    pub(super) remedy: String,
}

impl Diagnosis {
    pub(super) fn new(cause: Cause, certainty: Certainty, why: impl Into<String>) -> Self {
        Self { cause, certainty, why: why.into(), remedy: String::new() }
    }

    pub(super) fn with(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

/// What to do about a restart for a resize.
pub(super) const RESIZE_REMEDY: &str =
    "nothing; where a restart is not wanted, new pods need resize policy NotRequired";

/// Where in the status an end stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::explain::history) enum Place {
    /// In `state`: nothing was started since.
    Current,
    /// In `lastState`: the life before the one of now.
    Previous,
}
