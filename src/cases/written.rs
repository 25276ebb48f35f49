//! The fields of a case as they are written.

use crate::policies::fields::Fields;
use crate::yaml::Node;

/// The fields of a case, and what its file says of all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'f, 'n> {
    pub(super) own: &'f Fields<'n>,
    pub(super) defaults: &'f Fields<'n>,
}

impl<'f, 'n> Written<'f, 'n> {
    /// The fields that say `name`: the case's own first.
    pub(super) fn holder(&self, name: &str) -> &'f Fields<'n> {
        if self.own.node(name).is_some() { self.own } else { self.defaults }
    }

    /// What is said of `name`.
    pub(super) fn node(&self, name: &str) -> Option<&'n Node> {
        self.holder(name).node(name)
    }
}
