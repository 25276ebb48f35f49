//! From the text of a file to where its documents are.

use std::mem;

use serde::de::IgnoredAny;

/// What begins a document, at the beginning of a line.
const SEPARATOR: &str = "---";

/// The mark by which an editor says that a text is UTF-8.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Where the documents of a text are.
#[derive(Debug)]
pub(super) struct Pieces {
    /// Where each begins and ends.
    pub(super) places: Vec<(usize, usize)>,
    /// Whether each is a JSON value.
    pub(super) is_json: bool,
}

impl Pieces {
    /// Those of `text`: JSON values one after the other, or YAML with separators.
    pub(super) fn of(text: &str) -> Self {
        let start = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        match json(text, start) {
            Some(places) => Self { places, is_json: true },
            None => Self { places: yaml(text, start), is_json: false },
        }
    }
}

fn json(text: &str, start: usize) -> Option<Vec<(usize, usize)>> {
    let rest = text.get(start..)?;
    if !rest.trim_start().starts_with('{') {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
    let (mut places, mut begin) = (Vec::new(), start);
    while let Some(value) = values.next() {
        value.ok()?;
        let end = start + values.byte_offset();
        places.push((mem::replace(&mut begin, end), end));
    }
    Some(places)
}

/// A line that begins with the separator begins a document, whatever comes before it.
fn yaml(text: &str, start: usize) -> Vec<(usize, usize)> {
    let (mut places, mut begin, mut offset) = (Vec::new(), start, start);
    for line in text.get(start..).unwrap_or_default().split_inclusive('\n') {
        if line.starts_with(SEPARATOR) && offset > start {
            places.push((mem::replace(&mut begin, offset), offset));
        }
        offset += line.len();
    }
    places.push((begin, text.len()));
    places
}

/// What stands behind the separator that `piece` begins with, if it begins with one.
pub(super) fn behind_separator(piece: &str) -> Option<&str> {
    Some(piece.lines().next()?.strip_prefix(SEPARATOR)?.trim())
}

/// Whether nothing is written in this line: blanks, comments and marks.
pub(super) fn is_idle(line: &str) -> bool {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let rest = line.strip_prefix(SEPARATOR).unwrap_or(line).trim();
    rest.is_empty() || rest == "..." || rest.starts_with('#')
}
