//! Whether whoever started it agrees to the plan.

use anyhow::bail;

use crate::terminal;

/// Whether to go on: `yes` agrees beforehand, and without a terminal nobody else can.
///
/// # Errors
///
/// Where nobody can be asked.
pub(super) fn is_agreed(question: &str, yes: bool) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    match terminal::asked(question)? {
        Some(agreed) => Ok(agreed),
        None => bail!(
            "nothing is done without consent, and there is no terminal: --yes agrees, --dry-run only plans"
        ),
    }
}
