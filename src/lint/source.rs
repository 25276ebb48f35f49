//! What kustomize makes of a file.

use std::collections::BTreeSet;

use crate::kube::configuration::ConfigKind;

/// What kustomize makes of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// The ConfigMaps and Secrets whose names get a hash of their content, wherever it names them.
    pub(super) generated: BTreeSet<(ConfigKind, String)>,
    /// Whether it is a patch: a part of something else.
    pub(super) is_patch: bool,
}
