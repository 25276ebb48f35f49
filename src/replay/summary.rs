//! What a replay comes to.

use crate::judge::mode::Cap;

use super::tally::Tally;

/// What a replay comes to.
#[derive(Debug)]
pub(super) struct Summary {
    /// Which policies judged.
    pub(super) policies: String,
    /// Under which cap.
    pub(super) cap: Cap,
    /// What it was compared with.
    pub(super) against: Option<String>,
    pub(super) files: usize,
    pub(super) events: usize,
    pub(super) recordings: usize,
    pub(super) tally: Tally,
    /// What was taken for granted.
    pub(super) assumptions: Vec<String>,
    /// What was not read.
    pub(super) skipped: Vec<String>,
}
