//! Live memory of a pod's containers.

use std::collections::BTreeMap;

/// The working set of each container of a pod, in bytes: what is resident and cannot be dropped at
/// once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage(BTreeMap<String, i128>);

impl Usage {
    /// Of the container `name`, where it was measured.
    pub fn of(&self, name: &str) -> Option<i128> {
        self.0.get(name).copied()
    }

    /// The containers that were measured, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, i128)> {
        self.0.iter().map(|(name, bytes)| (&**name, *bytes))
    }

    /// Of all that were measured together.
    pub(crate) fn total(&self) -> i128 {
        self.0.values().fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }
}

impl FromIterator<(String, i128)> for Usage {
    fn from_iter<I: IntoIterator<Item = (String, i128)>>(containers: I) -> Self {
        Self(containers.into_iter().collect())
    }
}
