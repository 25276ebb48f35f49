//! The parts of a pod that have memory of their own.

use std::fmt;

/// A part of a pod that has memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'s> {
    /// The pod itself: pod-level resources (KEP-5419).
    Pod,
    /// A container.
    Container(&'s str),
}

impl Part<'_> {
    /// The name of the container; `None` for the pod itself.
    pub(crate) fn container(&self) -> Option<&str> {
        match self {
            Self::Pod => None,
            Self::Container(name) => Some(name),
        }
    }
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod => formatter.write_str("pod level"),
            Self::Container(name) => write!(formatter, "container \"{name}\""),
        }
    }
}
