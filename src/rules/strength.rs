//! How strongly a finding of what is written or stored would be acted on.

use serde::{Serialize, Serializer};

use crate::judge::mode::{Cap, Mode};
use crate::judge::verdict::Ruling;

/// A mode of a finding: `audit`, `warn` or `enforce`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Strength(Mode);

impl Strength {
    /// Every strength, the strongest first.
    pub(crate) const ALL: [Self; 3] = [Self(Mode::Enforce), Self(Mode::Warn), Self(Mode::Audit)];

    /// The mode.
    pub(crate) fn mode(self) -> Mode {
        self.0
    }

    /// What is left of what `ruling` asks for. A fault that is fixed as the pod is created
    /// denies nothing.
    pub(crate) fn of(ruling: &Ruling, cap: Cap) -> Self {
        let on_templates = super::find(ruling.rule).and_then(|rule| rule.fix);
        let wanted = match on_templates {
            Some(on_templates) if ruling.wanted == Mode::Fix && ruling.finding.edit.is_some() => {
                on_templates.0
            }
            _ => ruling.wanted,
        };
        Self(wanted.min(Mode::Enforce).under(cap))
    }
}

impl Serialize for Strength {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}
