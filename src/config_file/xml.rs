//! XML, as every parser must read it: well-formed, or not at all.

mod document;
mod markup;

use super::flaw::{Flaw, Stop};

/// The first fault of `text`. Several elements side by side, and none at all, are lenient ones: such
/// a file may be included in another.
pub(super) fn flaw(text: &str) -> Option<Flaw> {
    match document::Document::read(text) {
        Ok(lenient) => lenient,
        Err(Stop::Flaw(flaw)) => Some(flaw),
        Err(Stop::TooMuch) => None,
    }
}

#[cfg(test)]
mod tests;
