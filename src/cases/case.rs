//! One case: its name, what is asked and what is expected.

use std::path::Path;

use crate::policies::error::Flaws;
use crate::policies::fields::Fields;
use crate::yaml::Node;

use super::expected::Expected;
use super::flaw::{Flaw, located};
use super::request::{Request, read_request};
use super::written::Written;

/// What may be said once for all cases of a file.
pub(super) const DEFAULTS: [&str; 9] = [
    "approved",
    "cap",
    "evidence",
    "namespace",
    "namespaceLabels",
    "now",
    "oldManifest",
    "oldObject",
    "requester",
];

const FIELDS: [&str; 19] = [
    "annotate",
    "approved",
    "cap",
    "evidence",
    "expect",
    "manifest",
    "name",
    "namespace",
    "namespaceLabels",
    "now",
    "object",
    "oldManifest",
    "oldObject",
    "operation",
    "path",
    "requester",
    "resize",
    "resource",
    "review",
];

/// A case.
#[derive(Debug)]
pub(super) struct Case {
    /// Its number in the file, from 0.
    pub(super) index: usize,
    /// Its name.
    pub(super) name: String,
    /// The line in which it begins, from 1.
    pub(super) line: u64,
    /// What is asked.
    pub(super) request: Option<Request>,
    /// What is expected; none where nothing is written.
    pub(super) expected: Option<Expected>,
    /// What is wrong with it.
    pub(super) flaws: Vec<Flaw>,
}

/// The cases in `list`, which stands behind so many `lines` of its file. `folder` is where the file
/// stands.
pub(super) fn read_cases(
    list: &[Node],
    defaults: &Fields<'_>,
    folder: &Path,
    lines: u64,
) -> Vec<Case> {
    let read = |(index, node)| read_case(index, node, defaults, folder, lines);
    list.iter().enumerate().map(read).collect()
}

fn read_case(index: usize, node: &Node, defaults: &Fields<'_>, folder: &Path, lines: u64) -> Case {
    let mut flaws = Flaws::default();
    let path = format!("cases[{index}]");
    let own = Fields::of(Some(node), &path, &FIELDS, &mut flaws);
    let name = own.word("name", &mut flaws).map(|word| word.text.to_owned());
    if name.is_none() && flaws.count() == 0 {
        flaws.add(node.place, "a case needs a \"name\": a sentence about what it shows");
    }
    let written = Written { own: &own, defaults };
    let request = read_request(node, &written, folder, &mut flaws);
    let expected = Expected::read(&own, &mut flaws);
    let mut flaws: Vec<Flaw> = located(flaws, lines).collect();
    flaws.sort();
    Case {
        index,
        name: name.unwrap_or_else(|| format!("case {}", index.saturating_add(1))),
        line: node.place.line.saturating_add(lines),
        request,
        expected,
        flaws,
    }
}
