//! JSON, and what programs take for it.

mod number;
mod reader;
mod string;

use serde::de::IgnoredAny;

use super::blanks::BYTE_ORDER_MARK;
use super::flaw::{Flaw, Stop};
use super::{Severity, yaml};
use reader::Reader;

/// The first fault of `text`. Comments, trailing commas, quotes and numbers of JSON5, several values
/// in a row and a byte order mark are lenient ones.
pub(super) fn flaw(text: &str) -> Option<Flaw> {
    serde_json::from_str::<IgnoredAny>(text).err()?;
    match Reader::read(text) {
        Ok(Some(lenient)) => Some(lenient),
        Ok(None) => None,
        Err(Stop::TooMuch) => None,
        Err(Stop::Flaw(_)) if is_mapping_of_yaml(text) => {
            let start = text.len().saturating_sub(text.trim_start_matches(is_idle).len());
            Some(Flaw::lenient(start, "expected \"{\" or \"[\", but this is YAML"))
        }
        Err(Stop::Flaw(flaw)) => Some(flaw),
    }
}

fn is_idle(letter: char) -> bool {
    letter.is_whitespace() || letter == BYTE_ORDER_MARK
}

/// Whether `text` begins as no JSON does and is YAML, which programs read that take JSON for a part
/// of it.
fn is_mapping_of_yaml(text: &str) -> bool {
    let start = text.trim_start_matches(is_idle);
    !start.starts_with(['{', '[', '/'])
        && start.lines().any(|line| line.contains(": ") || line.trim_end().ends_with(':'))
        && yaml::flaw(text).is_none_or(|flaw| flaw.severity == Severity::Lenient)
}

#[cfg(test)]
mod tests;
