//! What the policies in force have in common.

use super::requesters::Requesters;

/// What all policies have in common: worked out once, when they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyContext {
    /// Every annotation by which an approval may be given or recorded.
    pub approval_annotations: Vec<String>,
    /// The rules whose findings are fixed in every pod that is created: a policy of theirs is
    /// in mode `fix` and leaves nothing out of its scope.
    pub always_fixed: Vec<&'static str>,
    /// Whom a policy lists as automation.
    pub automation: Vec<Requesters>,
    /// Whether messages have whole names, because they go into no warning of the API server.
    pub whole_messages: bool,
}
