//! Which findings fail the command.

use clap::ValueEnum;

use crate::judge::mode::Mode;

/// The weakest mode of findings that fail the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// What would be denied.
    Enforce,
    /// What would be warned about, too.
    Warn,
    /// What would only be recorded, too.
    Audit,
    /// Nothing.
    Never,
}

impl FailOn {
    /// The weakest mode that fails the command; none does where nothing is to.
    pub(crate) fn weakest(self) -> Option<Mode> {
        match self {
            Self::Enforce => Some(Mode::Enforce),
            Self::Warn => Some(Mode::Warn),
            Self::Audit => Some(Mode::Audit),
            Self::Never => None,
        }
    }
}
