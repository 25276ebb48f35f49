//! Edits of values that are laid out by indentation.

use std::ops::Range;

use serde_json::Value;

use crate::manifest::pointer::{resolve, tokens};
use crate::yaml::{Node, Value as YamlValue};

use super::flow::{self, word};
use super::lines::{indentation_before, line_break, line_start};
use super::splice::Splice;

/// The field of a container after which fields are added: what is added is about resources.
const NEIGHBOUR: &str = "resources";

/// Adds a field to `mapping`. The dashes of lists stand `dashes` columns right of the name of their
/// field.
pub(crate) fn add(
    text: &str,
    mapping: &Node,
    key: &str,
    value: &Value,
    dashes: usize,
) -> Option<Splice> {
    let (neighbour, sibling) = mapping
        .entry(NEIGHBOUR)
        .or_else(|| mapping.entry("name"))
        .or_else(|| mapping.entries().first())?;
    let column = column(text, neighbour.offset)?;
    let end = end(text, neighbour.offset.max(inline_end(text, sibling)?), column, true)?;
    let mut lines = vec![format!("{}{}:", " ".repeat(column), word(key, false))];
    for element in value.as_array()? {
        lines.extend(element_lines(element, column + dashes)?);
    }
    insertion(text, end, &lines)
}

/// Adds elements to `list`, after the last one.
pub(crate) fn append(text: &str, list: &Node, values: &[&Value]) -> Option<Splice> {
    let last = list.elements().last().filter(|last| !last.borrowed)?;
    let dash = dash(text, last)?;
    let column = column(text, dash)?;
    let mut lines = Vec::new();
    for value in values {
        lines.extend(element_lines(value, column)?);
    }
    insertion(text, end(text, last.offset.max(inline_end(text, last)?), column, false)?, &lines)
}

/// Takes out the entry under `key`, one of several.
pub(crate) fn remove(text: &str, key: &Node) -> Option<Splice> {
    indentation_before(text, key.offset)?;
    let end = end(text, key.offset, column(text, key.offset)?, true)?;
    Some(deletion(text, line_start(text, key.offset), end))
}

/// The bytes of the entry of `key` and `value`, from the key to the end of its last line.
pub(crate) fn entry(text: &str, key: &Node, value: &Node) -> Option<Range<usize>> {
    let column = column(text, key.offset)?;
    let last = inline_end(text, value)?.max(key.offset);
    Some(key.offset..end(text, last, column, true)?)
}

/// The bytes of an element of a list, from its dash to the end of its last line, and the column of
/// the dash.
pub(crate) fn element(text: &str, element: &Node) -> Option<(Range<usize>, usize)> {
    let dash = dash(text, element)?;
    let column = column(text, dash)?;
    Some((dash..end(text, inline_end(text, element)?.max(dash), column, false)?, column))
}

/// Where `value` ends, if it is written in brackets; else the beginning of the text.
fn inline_end(text: &str, value: &Node) -> Option<usize> {
    let is_inline = text.get(value.offset..)?.starts_with(['{', '[']) && !value.borrowed;
    if is_inline { flow::end(text, value.offset) } else { Some(0) }
}

/// Takes out every entry of `mapping`, which stands under `key`.
pub(crate) fn clear(text: &str, key: &Node, mapping: &Node) -> Option<Vec<Splice>> {
    let name = key.as_text()?;
    let after = key.offset
        + if text.get(key.offset..)?.starts_with(name) { name.len() } else { name.len() + 2 };
    let colon = after
        + text
            .get(after..)?
            .find(|letter| letter != ' ')
            .filter(|_| text.get(after..).is_some_and(|rest| rest.trim_start().starts_with(':')))?;
    let mut splices = vec![Splice::insert(colon + 1, " {}".to_owned())];
    for (entry, _) in mapping.entries() {
        splices.push(remove(text, entry)?);
    }
    Some(splices)
}

/// How far right of the name of a list of containers its dashes stand: lists in it are written
/// alike.
pub(crate) fn dash_offset(text: &str, document: &Node, container: &str) -> usize {
    let offset = || {
        let (list, _) = container.rsplit_once('/')?;
        let (holder, _) = list.rsplit_once('/')?;
        let (key, _) = resolve(document, holder)?.entry(&tokens(list).last()?)?;
        column(text, dash(text, resolve(document, container)?)?)?
            .checked_sub(column(text, key.offset)?)
    };
    offset().unwrap_or_default()
}

/// The lines of an element: a mapping of plain fields.
fn element_lines(element: &Value, column: usize) -> Option<Vec<String>> {
    let margin = " ".repeat(column);
    let mut lines = Vec::new();
    for (index, (key, value)) in element.as_object()?.iter().enumerate() {
        let lead = if index == 0 { "- " } else { "  " };
        lines.push(format!("{margin}{lead}{}: {}", word(key, false), word(value.as_str()?, false)));
    }
    Some(lines)
}

/// Inserts whole lines at `at`, the beginning of a line or the end of the text.
pub(crate) fn insertion(text: &str, at: usize, lines: &[String]) -> Option<Splice> {
    let line_break = line_break(text, at.saturating_sub(1));
    let joined = lines.join(line_break);
    let is_open = !text.get(..at)?.ends_with('\n');
    Some(Splice::insert(
        at,
        if is_open { format!("{line_break}{joined}") } else { format!("{joined}{line_break}") },
    ))
}

/// Deletes whole lines. Where the last line has no end, the one before gets none either.
fn deletion(text: &str, start: usize, end: usize) -> Splice {
    let kept = text.get(..start).unwrap_or_default();
    if text.ends_with('\n') || end < text.len() {
        return Splice::delete(start, end);
    }
    let kept = kept.strip_suffix('\n').unwrap_or(kept);
    Splice::delete(kept.strip_suffix('\r').unwrap_or(kept).len(), end)
}

/// The end of the last line of what begins at `start` in `column`: what follows further right
/// belongs to it, and blank lines and comments only where something of it follows them. A list may
/// hang in the column of its own name.
fn end(text: &str, start: usize, column: usize, with_dashes: bool) -> Option<usize> {
    let mut offset = start;
    let mut end = None;
    for line in text.get(start..)?.split_inclusive('\n') {
        offset += line.len();
        let written = line.trim_start_matches(' ');
        let indentation = line.len() - written.len();
        let hangs = with_dashes
            && indentation == column
            && (written.starts_with("- ") || written.trim_end() == "-");
        if end.is_none() || (!written.trim().is_empty() && (indentation > column || hangs)) {
            end = Some(offset);
        } else if !written.trim().is_empty() && !written.starts_with('#') {
            break;
        }
    }
    end
}

/// The dash of an element of a list.
fn dash(text: &str, element: &Node) -> Option<usize> {
    let before = text.get(..element.offset)?.trim_end();
    // an anchor or a tag may stand between
    let before = match element.value {
        YamlValue::Map(_) if !before.ends_with('-') => {
            before.rsplit_once([' ', '\n'])?.0.trim_end()
        }
        _ => before,
    };
    before.ends_with('-').then(|| before.len() - 1)
}

/// How many columns stand before `offset` in its line.
pub(crate) fn column(text: &str, offset: usize) -> Option<usize> {
    Some(text.get(line_start(text, offset)..offset)?.chars().count())
}
