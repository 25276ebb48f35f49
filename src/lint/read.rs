//! Reading files, several at once.

use std::{fmt, fs, io};

use crate::manifest::documents::{Content, Document, documents};
use crate::manifest::encoding::{self, Decoded};
use crate::manifest::objects::{Manifest, Objects};
use crate::manifest::parallel::in_parallel;
use crate::manifest::pointer;
use crate::terminal::{Progress, plain};

use super::class::{Class, classify, is_unknown};
use super::files::{Input, STDIN_NAME};

/// A file as it was read.
#[derive(Debug)]
pub(super) struct File {
    /// Its name in findings.
    pub(super) name: String,
    /// Its text, where it can be changed.
    pub(super) text: Option<String>,
    /// Whether its text has the very bytes that were read.
    pub(super) is_utf8: bool,
    /// The documents that were read.
    pub(super) documents: Vec<Document>,
    /// What is to be said of what was not.
    pub(super) remarks: Vec<Remark>,
    /// Whether it could not be read at all.
    pub(super) is_unreadable: bool,
    /// What it holds, by number.
    pub(super) tally: Tally,
}

/// How many documents and objects there are of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Workloads that are judged.
    pub(super) workloads: usize,
    /// Objects of kinds that are not judged.
    pub(super) others: usize,
    /// Namespaces, ConfigMaps and Secrets.
    pub(super) evidence: usize,
    /// Workloads that are not judged, each with a remark.
    pub(super) skipped: usize,
    /// Documents and items of lists that are no objects of Kubernetes.
    pub(super) foreign: usize,
    /// Documents that kubectl does not read.
    pub(super) broken: usize,
}

/// Something to be said of what was not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) file: String,
    /// From 1; none where it is about the whole file.
    pub(super) line: Option<u64>,
    pub(super) message: String,
    pub(super) weight: Weight,
}

/// Who wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Everybody.
    Plain,
    /// Whoever asks for more.
    Detail,
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, message) = (plain(&self.file), plain(&self.message));
        match self.line {
            Some(line) => write!(formatter, "{file}:{line}: {message}"),
            None => write!(formatter, "{file}: {message}"),
        }
    }
}

impl File {
    /// Whether its text can be written back: what comes from standard input is printed in any case.
    pub(super) fn can_be_written(&self) -> bool {
        self.is_utf8 || self.name == STDIN_NAME
    }

    /// The objects in it, each with its document.
    pub(super) fn manifests(&self) -> impl Iterator<Item = (&Document, Manifest<'_>, Class)> {
        self.documents.iter().flat_map(|document| {
            let manifests = match &document.content {
                Content::Value(node) => Objects::of(node).manifests,
                _ => Vec::new(),
            };
            manifests.into_iter().map(move |manifest| {
                let class = classify(manifest.api_version, manifest.kind);
                (document, manifest, class)
            })
        })
    }

    /// The file with this text.
    pub(super) fn of(name: String, text: &str) -> Self {
        let mut file = Self {
            name,
            text: None,
            is_utf8: true,
            documents: documents(text, is_unknown),
            remarks: Vec::new(),
            is_unreadable: false,
            tally: Tally::default(),
        };
        let mut summary = Summary::default();
        for document in &file.documents {
            summary.document(document);
        }
        for (document, manifest, class) in file.manifests() {
            summary.object(document, &manifest, class);
        }
        if file.documents.iter().all(|document| matches!(document.content, Content::Nothing)) {
            summary.remark(None, "nothing in it".to_owned(), Weight::Plain);
        }
        let Summary { tally, mut remarks } = summary;
        remarks.sort_by_key(|(line, ..)| *line);
        file.tally = tally;
        file.remarks = remarks
            .into_iter()
            .map(|(line, message, weight)| Remark {
                file: file.name.clone(),
                line,
                message,
                weight,
            })
            .collect();
        file
    }

    fn unreadable(name: String, reason: &str) -> Self {
        let remark = Remark {
            file: name.clone(),
            line: None,
            message: format!("cannot be read: {reason}"),
            weight: Weight::Plain,
        };
        Self {
            name,
            text: None,
            is_utf8: true,
            documents: Vec::new(),
            remarks: vec![remark],
            is_unreadable: true,
            tally: Tally::default(),
        }
    }
}

/// What is said of a file as it is read.
#[derive(Default)]
struct Summary {
    tally: Tally,
    remarks: Vec<(Option<u64>, String, Weight)>,
}

impl Summary {
    fn remark(&mut self, line: Option<u64>, message: String, weight: Weight) {
        self.remarks.push((line, message, weight));
    }

    fn document(&mut self, document: &Document) {
        match &document.content {
            Content::Broken { line, message } => {
                self.tally.broken += 1;
                self.remark(Some(*line), format!("not judged: {message}"), Weight::Plain);
            }
            Content::Unread => self.tally.others += 1,
            Content::Value(node) => {
                for pointer in Objects::of(node).foreign {
                    self.tally.foreign += 1;
                    let line = document.lines_before + pointer::line(node, &pointer);
                    let message = "not an object of Kubernetes".to_owned();
                    self.remark(Some(line), message, Weight::Detail);
                }
            }
            Content::Nothing => {}
        }
    }

    fn object(&mut self, document: &Document, manifest: &Manifest<'_>, class: Class) {
        let what = match class {
            Class::Judged(_) => {
                self.tally.workloads += 1;
                return;
            }
            Class::Namespace | Class::Configuration(_) => {
                self.tally.evidence += 1;
                return;
            }
            Class::Other => {
                self.tally.others += 1;
                return;
            }
            Class::Outdated(_) => {
                self.tally.workloads += 1;
                "is judged as if its apiVersion, which no cluster serves any more, were today's"
                    .to_owned()
            }
            Class::Skipped(reason) => {
                self.tally.skipped += 1;
                format!("is not judged: {reason}")
            }
        };
        let name = manifest.metadata("name").unwrap_or_default();
        let line = document.lines_before + manifest.node.place.line;
        self.remark(Some(line), format!("{} {name:?} {what}", manifest.kind), Weight::Plain);
    }
}

/// Reads every input, in the same order.
pub(super) fn files(inputs: &[Input], progress: &Progress) -> Vec<File> {
    in_parallel(inputs, |_, input| {
        let file = match decoded(input) {
            Ok(Decoded { text, is_utf8 }) => {
                let file = File::of(input.name(), &text);
                File { text: Some(text), is_utf8, ..file }
            }
            Err(error) => File::unreadable(input.name(), &error.to_string()),
        };
        progress.one_more();
        file
    })
}

fn decoded(input: &Input) -> io::Result<Decoded> {
    match input {
        Input::File(path) => encoding::read(fs::File::open(path)?),
        Input::Stdin => encoding::read(io::stdin().lock()),
    }
}
