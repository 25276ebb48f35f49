//! Fixing findings in the text itself: comments, order and indentation stay.
//!
//! Every edit is an insertion or a deletion at a place that the tree knows. Whether the place was
//! right is not left to chance: the new text is read again, and what it says must be what the edit
//! asks for and nothing else. Where it is not, the text stays as it is.

mod edit;

use serde_json::Value;

use crate::judge::patch::PatchOperation;
use crate::manifest::documents::{self, Content, Document, documents};
use crate::manifest::layout::splice;

use super::class::is_unknown;
use super::finding::Finding;
use super::kinds::Kinds;
use edit::{Operation, splices};

/// What came of fixing findings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fixed {
    /// The new text.
    pub(super) text: String,
    /// Which findings are fixed.
    pub(super) done: Vec<usize>,
    /// Which could be fixed, but not as they are written here.
    pub(super) refused: Vec<usize>,
}

/// Fixes what can be fixed of `findings`, which are about `text`.
pub(super) fn fix(text: &str, read: &[Document], findings: &[Finding], kinds: &Kinds) -> Fixed {
    let mut fixed =
        Fixed { text: String::with_capacity(text.len()), done: Vec::new(), refused: Vec::new() };
    let (mut copied, mut expected) = (0, Vec::new());
    for document in read {
        let Content::Value(node) = &document.content else { continue };
        let asked = asked(findings, document);
        let piece = text.get(document.start..document.end).unwrap_or_default();
        let value = node.to_json();
        let result = if asked.is_empty() {
            None
        } else {
            Some(Piece { text: piece.to_owned(), value: value.clone() }.fix(&asked, &mut fixed))
        };
        let (new, value) =
            result.map_or((piece.to_owned(), value), |piece| (piece.text, piece.value));
        expected.push(value);
        fixed.text.push_str(text.get(copied..document.start).unwrap_or_default());
        fixed.text.push_str(&new);
        copied = document.end;
    }
    fixed.text.push_str(text.get(copied..).unwrap_or_default());
    if !fixed.done.is_empty() && values(&fixed.text, kinds) != expected {
        let refused = (0..)
            .zip(findings)
            .filter(|(_, finding)| finding.edit.is_some())
            .map(|(index, _)| index)
            .collect();
        return Fixed { text: text.to_owned(), done: Vec::new(), refused };
    }
    fixed
}

/// Which of `findings`, which are about `text`, cannot be fixed as they are written. Where nothing
/// can be shared between places, it is enough to know where the edits go.
pub(super) fn refused(text: &str, read: &[Document], findings: &[Finding]) -> Vec<usize> {
    let mut fixed = Fixed { text: String::new(), done: Vec::new(), refused: Vec::new() };
    for document in read {
        let Content::Value(node) = &document.content else { continue };
        let asked = asked(findings, document);
        let piece = text.get(document.start..document.end).unwrap_or_default();
        let is_plain = || !piece.contains(['&', '*', '\t']) && !piece.contains("<<");
        let has_places = || {
            let all: Vec<_> = asked.iter().flat_map(|(_, finding)| operations(finding)).collect();
            splices(piece, node, &all).is_some()
        };
        if !(asked.is_empty() || is_plain() && has_places()) {
            Piece { text: piece.to_owned(), value: node.to_json() }.fix(&asked, &mut fixed);
        }
    }
    fixed.refused
}

/// Those of `findings` in `document` that an edit may fix, with their numbers.
fn asked<'f>(findings: &'f [Finding], document: &Document) -> Vec<(usize, &'f Finding)> {
    let is_asked = |finding: &Finding| finding.document == document.index && finding.edit.is_some();
    (0..).zip(findings).filter(|(_, finding)| is_asked(finding)).collect()
}

/// What the documents of `text` say.
fn values(text: &str, kinds: &Kinds) -> Vec<Value> {
    let read = documents(text, |kind| is_unknown(kinds, kind));
    read.iter()
        .filter_map(|document| {
            if let Content::Value(node) = &document.content { Some(node.to_json()) } else { None }
        })
        .collect()
}

/// A document on its way.
#[derive(Clone, Debug)]
struct Piece {
    text: String,
    value: Value,
}

impl Piece {
    /// Everything at once, or where that does not work one after the other.
    fn fix(self, asked: &[(usize, &Finding)], fixed: &mut Fixed) -> Self {
        let all: Vec<_> = asked.iter().flat_map(|(_, finding)| operations(finding)).collect();
        if let Some(piece) = self.edited(&all) {
            fixed.done.extend(asked.iter().map(|(index, _)| index));
            return piece;
        }
        let mut piece = self;
        for (index, finding) in asked {
            match piece.edited(&operations(finding)) {
                Some(next) => {
                    piece = next;
                    fixed.done.push(*index);
                }
                None => fixed.refused.push(*index),
            }
        }
        piece
    }

    /// The document after `operations`, if the text says afterwards what it should.
    fn edited(&self, operations: &[Operation]) -> Option<Self> {
        let node = documents::value(&self.text)?;
        let text = splice::apply(&self.text, splices(&self.text, &node, operations)?)?;
        let mut value = self.value.clone();
        json_patch::patch(&mut value, &edit::patch(operations)?).ok()?;
        (documents::value(&text)?.to_json() == value).then_some(Self { text, value })
    }
}

/// The edit of `finding`, with pointers into its document.
fn operations(finding: &Finding) -> Vec<Operation> {
    let place = |operation: &PatchOperation| match operation {
        PatchOperation::Add { path, value } => {
            let value = serde_json::to_value(value).unwrap_or_default();
            Operation::Add { path: format!("{}{path}", finding.object), value }
        }
        PatchOperation::Remove { path } => {
            Operation::Remove { path: format!("{}{path}", finding.object) }
        }
    };
    finding.edit.iter().flat_map(|edit| &edit.0).map(place).collect()
}

#[cfg(test)]
mod tests;
