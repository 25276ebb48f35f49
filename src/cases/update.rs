//! `--update`: what comes of a case goes into its file.
//!
//! As in the linter, whether a place was right is not left to chance: the new text is read again,
//! and must say what is meant and nothing else.

mod edit;
mod written;

use serde_json::Value;

use crate::manifest::documents::{Content, Document, documents, value};
use crate::manifest::layout::splice;
use crate::manifest::write;

use super::file::{CASES, CaseFile};
use super::flaw::Flaw;
use super::report::{CaseReport, CaseResult, FileReport};
use edit::splices;
use written::Expectation;

/// Writes what comes of the cases that fail into `file`.
pub(super) fn update(file: &CaseFile, report: &mut FileReport) {
    let is_failed = |case: &CaseReport| matches!(case.result, CaseResult::Failed(..));
    if !report.cases.iter().any(is_failed) {
        return;
    }
    let Some(mut piece) = Piece::of(file) else { return };
    let mut done = Vec::new();
    for case in report.cases.iter_mut().filter(|case| is_failed(case)) {
        match piece.updated(case) {
            Some(text) => {
                piece.text = text;
                done.push(case.index);
            }
            None => refuse(case, "--update cannot change what is written like this"),
        }
    }
    if done.is_empty() {
        return;
    }
    let fault = match file.is_utf8 {
        true => write::replace(&file.path, &file.text, &piece.whole(file)).err(),
        false => Some(std::io::Error::other("it is not UTF-8")),
    };
    for case in report.cases.iter_mut().filter(|case| done.contains(&case.index)) {
        match (&fault, &case.result) {
            (Some(error), _) => refuse(case, &format!("the file cannot be written: {error}")),
            (None, CaseResult::Failed(found, _)) => {
                case.result = CaseResult::Updated(found.clone());
            }
            (None, _) => {}
        }
    }
}

fn refuse(case: &mut CaseReport, message: &str) {
    let flaw = Flaw { line: case.line, column: 1, message: message.to_owned() };
    case.result = CaseResult::Faulty(vec![flaw]);
}

/// The document of a file of cases.
struct Piece {
    start: usize,
    end: usize,
    text: String,
}

impl Piece {
    fn of(file: &CaseFile) -> Option<Self> {
        let read = documents(&file.text, |_| false);
        let is_value = |one: &&Document| matches!(one.content, Content::Value(_));
        let Document { start, end, .. } = read.iter().find(is_value)?;
        Some(Self { start: *start, end: *end, text: file.text.get(*start..*end)?.to_owned() })
    }

    /// The text with what is found of `case`.
    fn updated(&self, case: &CaseReport) -> Option<String> {
        let CaseResult::Failed(found, difference) = &case.result else { return None };
        let node = value(&self.text)?;
        let written = node.field(CASES)?.elements().get(case.index)?;
        let expectation = Expectation::of(written.field("expect"), found, difference);
        let text = splice::apply(&self.text, splices(&self.text, written, &expectation)?)?;
        let mut wanted = node.to_json();
        let place = wanted.get_mut(CASES)?.get_mut(case.index)?.as_object_mut()?;
        place.insert("expect".to_owned(), expectation.to_json());
        (value(&text).map(|node| node.to_json()) == Some::<Value>(wanted)).then_some(text)
    }

    /// The whole text of `file`, with this in its place.
    fn whole(&self, file: &CaseFile) -> String {
        let around = |range: Option<&str>| range.unwrap_or_default().to_owned();
        around(file.text.get(..self.start)) + &self.text + &around(file.text.get(self.end..))
    }
}
