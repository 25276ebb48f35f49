//! Values that a program refuses, so that it does not start.

use super::setting::Written;

/// A value that a program refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// Who refuses it.
    pub(super) program: &'static str,
    /// The setting.
    pub(super) written: Written,
}

/// Whether a value is written plainly, so that nothing puts another in its place.
pub(super) fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".%-+,".contains(&byte))
}
