//! A file of cases, as it is written.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::manifest::documents::{Content, Document, documents};
use crate::manifest::encoding;
use crate::policies::error::Flaws;
use crate::policies::fields::Fields;
use crate::policies::tree::check_keys;
use crate::yaml::suggest::quoted;
use crate::yaml::{Node, Position, Value};

use super::case::{Case, DEFAULTS, read_cases};
use super::flaw::{Flaw, located};
use super::wanted::Wanted;

/// The field that makes a file one of cases.
pub(super) const CASES: &str = "cases";

const FIELDS: [&str; 4] = [CASES, "defaults", "modes", "policies"];

/// A file of cases.
#[derive(Debug)]
pub(super) struct CaseFile {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its name in reports.
    pub(super) name: String,
    /// Its text.
    pub(super) text: String,
    /// Whether its text has the very bytes that were read.
    pub(super) is_utf8: bool,
    /// Which policies it is about.
    pub(super) wanted: Wanted,
    /// Its cases, in order.
    pub(super) cases: Vec<Case>,
    /// What is wrong with it, beside what is wrong with single cases.
    pub(super) flaws: Vec<Flaw>,
}

impl CaseFile {
    /// Reads the file at `path`. One that holds no cases is passed over, unless it is `asked` for by
    /// its own name.
    pub(super) fn read(path: &Path, name: String, asked: bool) -> Option<Self> {
        let mut file = Self {
            path: path.to_owned(),
            name,
            text: String::new(),
            is_utf8: true,
            wanted: Wanted::default(),
            cases: Vec::new(),
            flaws: Vec::new(),
        };
        match File::open(path).and_then(encoding::read) {
            Ok(decoded) => (file.text, file.is_utf8) = (decoded.text, decoded.is_utf8),
            Err(error) => {
                file.flaws.push(Flaw::at(Position::START, format!("it cannot be read: {error}")));
                return Some(file);
            }
        }
        let read = documents(&file.text, |_| false);
        if !asked && !read.iter().any(|document| holds_cases(document, &file.text)) {
            return None;
        }
        file.take(&read);
        Some(file)
    }

    /// The folder that paths in it start from.
    pub(super) fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    fn take(&mut self, read: &[Document]) {
        let mut flaws = Flaws::default();
        let filled: Vec<_> =
            read.iter().filter(|one| !matches!(one.content, Content::Nothing)).collect();
        let (document, lines) = match &*filled {
            [] => {
                flaws.add(Position::START, "the file is empty: it needs \"cases\", a list");
                (None, 0)
            }
            [Document { content: Content::Value(node), lines_before, .. }] => {
                (Some(node), *lines_before)
            }
            [Document { content: Content::Broken { line, message }, .. }] => {
                flaws.add(Position { line: *line, column: 1 }, message.clone());
                (None, 0)
            }
            [_, second, ..] => {
                let line = second.lines_before.saturating_add(1);
                flaws.add(
                    Position { line, column: 1 },
                    "a second document: a file of cases is one document",
                );
                (None, 0)
            }
            [_] => (None, 0),
        };
        if let Some(document) = document {
            self.take_document(document, lines, &mut flaws);
        }
        self.flaws.extend(located(flaws, lines));
        self.flaws.sort();
    }

    fn take_document(&mut self, document: &Node, lines: u64, flaws: &mut Flaws) {
        if !matches!(document.value, Value::Map(_)) || document.field(CASES).is_none() {
            flaws.add(
                document.place,
                "no cases: a file of cases is a mapping with the list \"cases\" at its top",
            );
            return;
        }
        check_keys(document, flaws);
        if flaws.count() > 0 {
            return;
        }
        let fields = Fields::of(Some(document), "", &FIELDS, flaws);
        self.wanted = Wanted::read(&fields, flaws);
        let defaults = fields.fields("defaults", &DEFAULTS, flaws);
        let list = fields.list(CASES, "a list of cases", flaws);
        if list.is_empty() && flaws.count() == 0 {
            let place = fields.node(CASES).map_or(document.place, |node| node.place);
            flaws.add(place, "\"cases\" is empty");
        }
        let folder = self.folder().to_owned();
        self.cases = read_cases(list, &defaults, &folder, lines);
        let repeated = |case: &&Case| {
            let same = |other: &&Case| other.name == case.name;
            self.cases.iter().find(same).is_some_and(|first| first.index < case.index)
        };
        for case in self.cases.iter().filter(repeated) {
            let place = Position { line: case.line.saturating_sub(lines), column: 1 };
            flaws.add(place, format!("a second case is called {}", quoted(&case.name)));
        }
    }
}

/// The folder in which `path` stands.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether `document` has cases at its top, or would have if it could be read.
fn holds_cases(document: &Document, text: &str) -> bool {
    match &document.content {
        Content::Value(node) => node.field(CASES).is_some(),
        Content::Broken { .. } => {
            let piece = text.get(document.start..document.end).unwrap_or_default();
            piece.lines().any(|line| line.trim_end() == "cases:")
        }
        Content::Nothing | Content::Unread(_) => false,
    }
}
