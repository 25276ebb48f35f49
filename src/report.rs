//! What commands have in common that report findings.

mod fail_on;

pub use fail_on::FailOn;

/// How many there are, in words.
pub(crate) fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}
