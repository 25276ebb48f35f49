//! What commands have in common that report findings.

mod fail_on;
mod fingerprint;
pub(crate) mod page;
pub(crate) mod sarif;

pub use fail_on::FailOn;
pub(crate) use fingerprint::Fingerprints;

use crate::terminal;

/// How many there are, in words.
pub(crate) fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// Says on standard error how many of `count` findings SARIF has no room for, if any.
pub(crate) fn remark_on_room(count: usize) {
    if count > sarif::MOST_RESULTS {
        let most = sarif::MOST_RESULTS;
        terminal::remark(&format!("of {count} findings the {most} strongest are printed"));
    }
}
