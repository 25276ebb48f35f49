//! What of a cluster is read, and by which policies.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::judge::policies::Policies;

/// What is read of a cluster.
pub(super) struct Scope<'s> {
    pub(super) policies: &'s Policies,
    /// One namespace; all where there is none.
    pub(super) namespace: Option<&'s str>,
    pub(super) selector: Option<&'s str>,
    pub(super) now: Timestamp,
}

/// The labels of namespaces, by name.
pub(super) type Namespaces = BTreeMap<String, Arc<BTreeMap<String, String>>>;
