//! Which hooks a case asks, and in which order.

use crate::judge::subject::Resource;
use crate::review::Path;

/// Which hooks a case asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The one that amends, and then the one that judges what comes of it.
    Both,
    /// This one.
    Alone(Path),
}

impl Way {
    /// The way to `resource`: only pods and their resizes are ever amended.
    pub(super) fn of(resource: Resource) -> Self {
        match resource {
            Resource::Pod | Resource::PodResize => Self::Both,
            _ => Self::Alone(Path::Validate),
        }
    }

    /// The hooks in their order.
    pub(super) fn paths(self) -> &'static [Path] {
        match self {
            Self::Both => &[Path::Mutate, Path::Validate],
            Self::Alone(Path::Mutate) => &[Path::Mutate],
            Self::Alone(Path::Validate) => &[Path::Validate],
        }
    }
}
