//! The names of variables, and of what is recorded as they are.

/// `set -e`. Like the parameters it stands under a name that a script cannot assign to.
pub(super) const ERREXIT: &str = "set -e";
/// `$0`, `$1` and so on.
pub(super) const PARAMETERS: &str = "$@";
/// The working directory is the variable of that name.
pub(super) const DIRECTORY: &str = "PWD";

/// Whether a text can be the name of a variable or function.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
