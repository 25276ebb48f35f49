//! The parts of a run: before the change, while it is made, and after it.

use serde::Serialize;

/// A part of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Phase {
    /// Nothing was changed yet.
    #[default]
    Before,
    /// From the first change to the last.
    During,
    /// The last change is done.
    After,
}

impl Phase {
    /// All of them, in order.
    pub(super) const ALL: [Self; 3] = [Self::Before, Self::During, Self::After];

    /// What it is called.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
        }
    }

    /// The phase that a request counts in which left in this one and ended in `end`: whatever was
    /// under way during the change counts as during.
    pub(super) fn of_request(self, end: Self) -> Self {
        self.max(end.min(Self::During))
    }
}

/// One value for each phase.
#[derive(Clone, Debug, Default)]
pub(super) struct ByPhase<T> {
    before: T,
    during: T,
    after: T,
}

impl<T> ByPhase<T> {
    pub(super) fn of(&self, phase: Phase) -> &T {
        match phase {
            Phase::Before => &self.before,
            Phase::During => &self.during,
            Phase::After => &self.after,
        }
    }

    pub(super) fn of_mut(&mut self, phase: Phase) -> &mut T {
        match phase {
            Phase::Before => &mut self.before,
            Phase::During => &mut self.during,
            Phase::After => &mut self.after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Phase::{After, Before, During};

    #[test]
    fn a_request_that_was_under_way_during_the_change_counts_as_during() {
        for (left, ended, phase) in [
            (Before, Before, Before),
            (Before, During, During),
            (Before, After, During),
            (During, During, During),
            (During, After, During),
            (After, After, After),
        ] {
            assert_eq!(left.of_request(ended), phase, "{left:?} {ended:?}");
        }
    }
}
