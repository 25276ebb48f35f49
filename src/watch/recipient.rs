//! Who gets a signal.

/// Who gets a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A process by the name of its program.
    Named(String),
    /// A process of the script's own container: process 1, the shell, or a child of it.
    Own,
    /// It is unknown.
    Unknown,
}
