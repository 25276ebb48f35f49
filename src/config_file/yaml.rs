//! YAML: any number of documents in any dialect.

use std::borrow::Cow;

use serde_saphyr::granit_parser::ErrorKind;

use crate::yaml::stream::{self as yaml, Bounds, FlawKind, flaws};

use super::DEEPEST;
use super::flaw::Flaw;

/// Limits that no text can use to keep the reader busy.
const BOUNDS: Bounds = Bounds { depth: DEEPEST, events: 50_000, rescanned: 1 << 20 };

/// The first fault of `text`. Repeated keys, tags of single programs and what parsers differ about
/// are lenient ones.
pub(super) fn flaw(text: &str) -> Option<Flaw> {
    let (doubtful, fatal) = flaws(text, BOUNDS);
    let yaml::Flaw { offset, kind } = fatal.or(doubtful)?;
    match kind {
        FlawKind::TooMuch => None,
        FlawKind::RepeatedKey => Some(Flaw::lenient(offset, "expected each key once")),
        FlawKind::UnknownTag => Some(Flaw::lenient(offset, "expected a tag of YAML itself")),
        FlawKind::Invalid(kind) => {
            let expected = expected(&kind);
            let before = text.get(..offset).unwrap_or(text);
            let flaw = if is_disputed(&kind, before) || has_colon_after_anchor(text) {
                Flaw::lenient(offset, expected)
            } else {
                Flaw::broken(offset, expected)
            };
            Some(flaw)
        }
    }
}

/// What was expected where this is wrong. The parser's own messages have at most one character of
/// the text in them.
fn expected(kind: &ErrorKind) -> Cow<'static, str> {
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => "expected spaces, found a tab".into(),
        ErrorKind::UnclosedQuotedScalar => "expected a quote that closes this one".into(),
        ErrorKind::UnknownAnchor => "expected an anchor of this name before its use".into(),
        ErrorKind::MappingValueNotAllowed => {
            "expected no second \":\" here: quotes or other indentation".into()
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            "expected \":\" after the key".into()
        }
        ErrorKind::ExpectedBlockMappingKey => "expected a key at this indentation".into(),
        ErrorKind::ExpectedDocumentStart => "expected nothing more at this indentation".into(),
        ErrorKind::ExpectedBlockSequenceEntry => "expected \"-\" at this indentation".into(),
        ErrorKind::ExpectedFlowSequenceSeparator => "expected \",\" or \"]\"".into(),
        ErrorKind::ExpectedFlowMappingSeparator => "expected \",\" or \"}\"".into(),
        ErrorKind::UnclosedFlowCollection { open } => {
            format!("expected a bracket that closes \"{open}\"").into()
        }
        ErrorKind::UnexpectedCharacter { character } if character.is_ascii_punctuation() => {
            format!("expected quotes around what begins with \"{character}\"").into()
        }
        ErrorKind::UnexpectedCharacter { .. } => "expected no such character".into(),
        kind => kind.to_string().replace('\'', "\"").into(),
    }
}

/// Whether parsers differ about it.
fn is_disputed(kind: &ErrorKind, before: &str) -> bool {
    match kind {
        ErrorKind::CommentNotSeparated
        | ErrorKind::PlainScalarStartsWithDashFlowIndicator
        | ErrorKind::InvalidTagTerminator => true,
        // older parsers take tabs within brackets
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar => {
            let count = |brackets: &[char]| before.matches(brackets).count();
            count(&['[', '{']) > count(&[']', '}'])
        }
        _ => false,
    }
}

/// Whether a colon follows an anchor or an alias at once: to newer parsers it belongs to the name,
/// to older ones it makes a key.
fn has_colon_after_anchor(text: &str) -> bool {
    text.split(['&', '*']).skip(1).any(|rest| {
        let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        let behind = rest.trim_start_matches(is_of_name);
        behind.len() < rest.len() && behind.starts_with(':')
    })
}

#[cfg(test)]
mod tests;
