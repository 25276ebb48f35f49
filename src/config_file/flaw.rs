//! What a reader of a format finds.

use std::borrow::Cow;

use super::Severity;

/// A fault at a byte of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) offset: usize,
    pub(super) expected: Cow<'static, str>,
    pub(super) severity: Severity,
}

impl Flaw {
    /// What no program reads.
    pub(super) fn broken(offset: usize, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { offset, expected: expected.into(), severity: Severity::Broken }
    }

    /// What many programs read.
    pub(super) fn lenient(offset: usize, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { offset, expected: expected.into(), severity: Severity::Lenient }
    }
}

/// Why a text is read no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It has a fault.
    Flaw(Flaw),
    /// It is nested too deeply, or too long.
    TooMuch,
}

impl From<Flaw> for Stop {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}
