//! What the policies in force have in common.

use crate::approval::{DEFAULT_ANNOTATION, RESERVED_ANNOTATIONS};

use super::mode::Mode;
use super::policy::Policy;
use super::scope::Scope;

/// What all policies have in common: worked out once, when they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyContext {
    /// Every annotation by which an approval may be given or recorded.
    pub approval_annotations: Vec<String>,
    /// The rules whose findings are put right in every pod that is created: a policy of theirs is
    /// in mode `fix` and leaves nothing out of its scope.
    pub always_fixed: Vec<&'static str>,
}

impl PolicyContext {
    /// The annotation of a policy counts whatever its mode: a policy that is switched on later must
    /// not find approvals that came along with a pod.
    pub(super) fn of(list: &[Policy]) -> Self {
        let mut named: Vec<&str> =
            list.iter().filter_map(|policy| policy.check.approval_annotation()).collect();
        if named.is_empty() {
            named.push(DEFAULT_ANNOTATION);
        }
        let mut approval_annotations: Vec<String> = Vec::new();
        for annotation in RESERVED_ANNOTATIONS.into_iter().chain(named) {
            if !approval_annotations.iter().any(|known| known == annotation) {
                approval_annotations.push(annotation.to_owned());
            }
        }
        let everywhere = list
            .iter()
            .filter(|policy| policy.mode == Mode::Fix && policy.scope == Scope::default());
        Self {
            approval_annotations,
            always_fixed: everywhere.map(|policy| policy.rule.name).collect(),
        }
    }
}
