//! From the text of a file to its documents, each read apart: a broken one hides no other.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::yaml::suggest::quoted;
use crate::yaml::{self, Dialect, FaultKind, Node};

use super::pieces::{BYTE_ORDER_MARK, Pieces, behind_separator, is_idle};

/// Limits that no manifest comes near and no text can use to keep the reader busy.
const DIALECT: Dialect =
    Dialect { nodes: 50_000_000, depth: 96, repeated: 200_000, anchors: 10_000, as_kubectl: true };

/// A document longer than this, in bytes, is not even parsed where nobody wants its kind.
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
    /// An object of this kind, which nobody wants, unread.
    Unread(String),
    /// Nothing that kubectl reads.
    Broken {
        /// The line in the file, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
}

/// Reads every document of `text`. `is_unwanted` tells kinds that need not be read.
pub(crate) fn documents(text: &str, is_unwanted: impl Fn(&str) -> bool) -> Vec<Document> {
    let pieces = Pieces::of(text);
    let mut documents = Vec::new();
    let (mut lines_before, mut counted) = (0, 0);
    for (number, (start, end)) in pieces.places.into_iter().enumerate() {
        let piece = text.get(start..end).unwrap_or_default();
        lines_before += breaks(text.get(counted..start).unwrap_or_default());
        counted = start;
        let content = content(piece, lines_before, pieces.is_json, &is_unwanted);
        // what comes before the first separator is a document only if there is something in it
        if number == 0 && matches!(content, Content::Nothing) && behind_separator(piece).is_none() {
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
    is_unwanted: &impl Fn(&str) -> bool,
) -> Content {
    let broken = |line: u64, reason: String| {
        let hint = if piece.contains("{{") { " (a template? lint what it renders to)" } else { "" };
        Content::Broken { line: lines_before + line, message: format!("{reason}{hint}") }
    };
    let is_comment = |text: &str| text.is_empty() || text.starts_with('#');
    if let Some(behind) = behind_separator(piece).filter(|behind| !is_comment(behind)) {
        let reason = format!("nothing but a comment may follow \"---\", not {}", quoted(behind));
        return broken(1, reason);
    }
    let unwanted = || top_level_kind(piece).filter(|kind| is_unwanted(kind));
    if let Some(kind) = (piece.len() > LONG).then(unwanted).flatten() {
        return Content::Unread(kind.to_owned());
    }
    if !is_json && piece.lines().all(is_idle) {
        return Content::Nothing;
    }
    match yaml::read(&yaml_of(piece), &DIALECT) {
        (Some(node), None) => Content::Value(node),
        (None, None) => Content::Nothing,
        (_, Some(fault)) => broken(fault.place.line, reason(fault.kind)),
    }
}

fn reason(kind: FaultKind) -> String {
    match kind {
        FaultKind::SecondDocument => {
            "a second document after \"...\", which kubectl would ignore".to_owned()
        }
        FaultKind::TooMuch => {
            "the document is larger, nested deeper or has more aliases than any manifest".to_owned()
        }
        FaultKind::Invalid(reason) => format!("invalid YAML: {reason}"),
    }
}

/// `piece` as YAML, byte for byte in the same places.
///
/// JSON is YAML but for tabs between its parts, which are the only tabs it has. A byte order mark
/// may begin a document after comments; in its place blanks end the line before.
fn yaml_of(piece: &str) -> Cow<'_, str> {
    if piece.contains('\t')
        && piece.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<IgnoredAny>(piece).is_ok()
    {
        return Cow::Owned(piece.replace('\t', " "));
    }
    let idle: usize = piece
        .split_inclusive('\n')
        .take_while(|line| is_idle(line) && !line.starts_with(BYTE_ORDER_MARK))
        .map(str::len)
        .sum();
    match piece.get(idle..).and_then(|rest| rest.strip_prefix(BYTE_ORDER_MARK)) {
        Some(rest) => {
            let comments = piece.get(..idle).unwrap_or_default();
            let kept = comments.trim_end_matches(['\r', '\n']);
            let line_break = comments.get(kept.len()..).unwrap_or_default();
            let blanks = " ".repeat(BYTE_ORDER_MARK.len_utf8());
            Cow::Owned(format!("{kept}{blanks}{line_break}{rest}"))
        }
        None => Cow::Borrowed(piece),
    }
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

#[cfg(test)]
mod tests;
