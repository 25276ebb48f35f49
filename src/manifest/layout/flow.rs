//! Edits of values in braces and brackets, JSON among them.

use serde_json::Value;

use crate::yaml::Node;

use super::lines::{indentation_before, line_break};
use super::splice::Splice;

/// Adds a field before the first one.
pub(crate) fn add(text: &str, mapping: &Node, key: &str, value: &Value) -> Option<Splice> {
    let (first, _) = mapping.entries().first()?;
    let is_json = text.get(first.offset..)?.starts_with('"');
    let name = if is_json { format!("{key:?}") } else { key.to_owned() };
    let separator = match indentation_before(text, first.offset) {
        Some(indentation) => format!(",{}{indentation}", line_break(text, first.offset)),
        None => ", ".to_owned(),
    };
    Some(Splice::insert(first.offset, format!("{name}: {}{separator}", written(value, is_json))))
}

/// Adds elements after the last one.
pub(crate) fn append(text: &str, list: &Node, values: &[&Value]) -> Option<Splice> {
    let close = end(text, list.offset)?;
    let inner = text.get(list.offset..close)?.trim_end();
    let is_json = match list.elements().first().and_then(|element| element.entries().first()) {
        Some((key, _)) => text.get(key.offset..)?.starts_with('"'),
        None => text.get(..list.offset)?.trim_end().ends_with("\":"),
    };
    let separator = match inner.chars().last()? {
        '[' => "",
        ',' => " ",
        _ => ", ",
    };
    let values: Vec<_> = values.iter().map(|value| written(value, is_json)).collect();
    Some(Splice::insert(list.offset + inner.len(), format!("{separator}{}", values.join(", "))))
}

/// Takes everything out.
pub(crate) fn clear(text: &str, mapping: &Node) -> Option<Splice> {
    Some(Splice::delete(mapping.offset + 1, end(text, mapping.offset)?))
}

/// Takes out the entry under `key`, one of several.
pub(crate) fn remove(text: &str, mapping: &Node, key: &Node) -> Option<Splice> {
    let next = mapping
        .entries()
        .iter()
        .map(|(other, _)| other.offset)
        .filter(|offset| *offset > key.offset)
        .min();
    if let Some(next) = next {
        return Some(Splice::delete(key.offset, next));
    }
    let comma = text.get(..key.offset)?.trim_end();
    let last = text.get(key.offset..end(text, mapping.offset)?)?.trim_end();
    comma.ends_with(',').then(|| Splice::delete(comma.len() - 1, key.offset + last.len()))
}

/// Where the bracket that opens at `open` is closed.
pub(crate) fn end(text: &str, open: usize) -> Option<usize> {
    let (mut depth, mut quote, mut escaped, mut comment, mut before) =
        (0_usize, None, false, false, '[');
    for (offset, letter) in text.get(open..)?.char_indices() {
        if comment {
            comment = letter != '\n';
            continue;
        }
        match (quote, letter) {
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(open), letter) if letter == open && !escaped => quote = None,
            (Some(_), _) => {}
            // a quote within a word is a letter; of two in a row within single quotes the second
            // opens again
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(letter),
            (None, '#') if before.is_whitespace() => comment = true,
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(open + offset);
                }
            }
            _ => {}
        }
        escaped = false;
        before = letter;
    }
    None
}

/// `value` in one line.
fn written(value: &Value, is_json: bool) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", word(key, is_json), written(value, is_json)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(elements) => {
            let elements: Vec<_> =
                elements.iter().map(|element| written(element, is_json)).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::String(text) => word(text, is_json),
        other => other.to_string(),
    }
}

/// `text` as a string, without quotes where it is a plain word and they are not needed.
pub(crate) fn word(text: &str, is_json: bool) -> String {
    let plain = !is_json
        && text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain { text.to_owned() } else { Value::from(text).to_string() }
}
