//! What the API server does not take.

use serde_json::Value;

use crate::explain::difference::Path;

/// A place in an object of which the API server makes nothing.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explain) struct Fault {
    /// Where.
    pub(in crate::explain) path: Path,
    /// What is there.
    pub(in crate::explain) value: Value,
    /// What is wrong with it.
    pub(in crate::explain) kind: FaultKind,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::explain) enum FaultKind {
    /// There is no such field. What was perhaps meant, where that can be told.
    Unknown(Option<String>),
    /// It holds something else than what is wanted.
    NotA(&'static str),
}
