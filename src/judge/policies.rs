//! The policies in force together.

use super::context::PolicyContext;
use super::mode::{Cap, Mode};
use super::policy::Policy;

/// The policies in force together, swapped whole.
#[derive(Debug)]
pub struct Policies {
    list: Vec<Policy>,
    context: PolicyContext,
    cap: Cap,
}

impl Policies {
    /// These policies, in order of name.
    pub fn of(mut list: Vec<Policy>) -> Self {
        list.sort_by(|one, other| one.name.cmp(&other.name));
        let context = PolicyContext::of(&list);
        Self { list, context, cap: Cap::default() }
    }

    /// The policies in order of name.
    pub fn iter(&self) -> impl Iterator<Item = &Policy> {
        self.list.iter()
    }

    /// The policies in force whose scope asks for labels of namespaces: without access to
    /// namespaces that part of their scope excludes nothing.
    pub fn unresolvable(&self) -> impl Iterator<Item = &Policy> {
        self.list
            .iter()
            .filter(|policy| policy.mode != Mode::Off && policy.scope.namespaces.asks_for_labels())
    }

    /// What they have in common.
    pub fn context(&self) -> &PolicyContext {
        &self.context
    }

    /// The service's cap.
    pub fn cap(&self) -> Cap {
        self.cap
    }

    /// The same policies under the service's cap.
    pub fn under(mut self, cap: Cap) -> Self {
        self.cap = cap;
        if cap != Cap::Enforce {
            self.context.always_fixed.clear();
        }
        self
    }
}

impl Default for Policies {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}
