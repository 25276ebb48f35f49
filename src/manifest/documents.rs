//! From the text of a file to its documents, each read apart: a broken one hides no other.

use std::borrow::Cow;
use std::mem;

use serde::de::IgnoredAny;

use crate::yaml::{self, Dialect, FaultKind, Node};

/// Limits that no manifest comes near and no text can use to keep the reader busy.
const DIALECT: Dialect =
    Dialect { nodes: 50_000_000, depth: 96, repeated: 200_000, anchors: 10_000, as_kubectl: true };

/// A document longer than this, in bytes, is not even parsed where its kind says that nothing in it
/// is judged.
const LONG: usize = 16 * 1024;

/// A document of a file.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its number in the file, from 0; empty documents count.
    pub(crate) index: usize,
    /// The bytes of the file it is written in.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// How many lines of the file come before it.
    pub(crate) lines_before: u64,
    /// What is in it.
    pub(crate) content: Content,
}

/// What is in a document.
#[derive(Debug)]
pub(crate) enum Content {
    /// Nothing but blanks and comments.
    Nothing,
    /// A value.
    Value(Node),
    /// An object of this kind, unread: nothing in it is judged.
    Unread,
    /// No YAML.
    Broken {
        /// The line in the file, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
}

/// Reads every document of `text`. `passes_over` tells kinds that nothing is known about.
pub(crate) fn documents(text: &str, passes_over: impl Fn(&str) -> bool) -> Vec<Document> {
    let json = concatenated_json(text);
    let is_json = json.is_some();
    let pieces = json.unwrap_or_else(|| pieces(text));
    let mut documents = Vec::new();
    let (mut lines_before, mut counted) = (0, 0);
    for (start, end) in pieces {
        let piece = text.get(start..end).unwrap_or_default();
        lines_before += breaks(text.get(counted..start).unwrap_or_default());
        counted = start;
        let content = content(piece, lines_before, is_json, &passes_over);
        // what comes before the first `---` is a document only if there is something in it
        if start == 0 && matches!(content, Content::Nothing) && !piece.starts_with("---") {
            continue;
        }
        documents.push(Document { index: documents.len(), start, end, lines_before, content });
    }
    documents
}

/// Reads one document alone, as [`documents`] does.
pub(crate) fn value(piece: &str) -> Option<Node> {
    match yaml::read(&yaml_of(piece), &DIALECT) {
        (Some(node), None) => Some(node),
        _ => None,
    }
}

fn content(
    piece: &str,
    lines_before: u64,
    is_json: bool,
    passes_over: &impl Fn(&str) -> bool,
) -> Content {
    if piece.len() > LONG && top_level_kind(piece).is_some_and(passes_over) {
        return Content::Unread;
    }
    if !is_json && piece.lines().all(is_idle) {
        return Content::Nothing;
    }
    match yaml::read(&yaml_of(piece), &DIALECT) {
        (Some(node), None) => Content::Value(node),
        (None, None) => Content::Nothing,
        (_, Some(fault)) => {
            let reason = match fault.kind {
                FaultKind::SecondDocument => "a second document after \"...\"".to_owned(),
                FaultKind::TooMuch => {
                    "the document is larger, nested deeper or has more aliases than any manifest"
                        .to_owned()
                }
                FaultKind::Invalid(reason) => format!("invalid YAML: {reason}"),
            };
            let hint =
                if piece.contains("{{") { " (a template? lint what it renders to)" } else { "" };
            Content::Broken {
                line: lines_before + fault.place.line,
                message: format!("{reason}{hint}"),
            }
        }
    }
}

/// JSON is YAML but for tabs between its parts, which are the only tabs it has.
fn yaml_of(piece: &str) -> Cow<'_, str> {
    let is_json = piece.contains('\t')
        && piece.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<IgnoredAny>(piece).is_ok();
    if is_json { Cow::Owned(piece.replace('\t', " ")) } else { Cow::Borrowed(piece) }
}

/// Where the documents of `text` are, if it is JSON throughout.
fn concatenated_json(text: &str) -> Option<Vec<(usize, usize)>> {
    if !text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
        || text.starts_with('\u{feff}')
    {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let (mut pieces, mut start) = (Vec::new(), 0);
    while let Some(value) = values.next() {
        value.ok()?;
        pieces.push((mem::replace(&mut start, values.byte_offset()), values.byte_offset()));
    }
    Some(pieces)
}

/// Where the documents of `text` are: a line that begins with `---` begins a document, whatever
/// comes before it.
fn pieces(text: &str) -> Vec<(usize, usize)> {
    let (mut pieces, mut start, mut offset) = (Vec::new(), 0, 0);
    for line in text.split_inclusive('\n') {
        if is_marker(line) && offset > 0 {
            pieces.push((mem::replace(&mut start, offset), offset));
        }
        offset += line.len();
    }
    pieces.push((start, text.len()));
    pieces
}

fn is_marker(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Whether nothing is written in this line: blanks, comments, marks and directives.
fn is_idle(line: &str) -> bool {
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    let rest = if is_marker(line) { line.get(3..).unwrap_or_default() } else { line };
    let rest = rest.trim();
    rest.is_empty() || rest == "..." || rest.starts_with('#') || line.starts_with('%')
}

/// The kind that a document names in its first column, if it does so once and plainly.
fn top_level_kind(piece: &str) -> Option<&str> {
    let mut kinds = piece.lines().filter_map(|line| line.strip_prefix("kind:"));
    let kind = kinds.next().filter(|_| kinds.next().is_none())?;
    let kind = kind.trim();
    (!kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(kind)
}

fn breaks(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}
