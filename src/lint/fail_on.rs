//! Which findings fail the command.

use clap::ValueEnum;

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
