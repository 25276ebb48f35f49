//! Reading files, several at once.

use std::sync::Arc;
use std::{fmt, fs, io};

use crate::manifest::documents::{Content, Document, documents};
use crate::manifest::encoding::{self, Decoded};
use crate::manifest::files::{Input, STDIN_NAME};
use crate::manifest::objects::{Manifest, Objects};
use crate::manifest::parallel::in_parallel;
use crate::manifest::pointer;
use crate::terminal::{Progress, plain};

use super::class::{Class, classify, is_unknown};
use super::kinds::{Kinds, likely_template};
use super::source::Source;

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
    /// The kinds that are known.
    pub(super) kinds: Arc<Kinds>,
    /// What kustomize makes of it.
    pub(super) source: Source,
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
    /// Workloads in patches of kustomize.
    pub(super) patches: usize,
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
    pub(super) fn manifests(&self) -> impl Iterator<Item = (&Document, Manifest<'_>, Class<'_>)> {
        // a part of something is none
        let documents = self.documents.iter().filter(|_| !self.source.is_patch);
        documents.flat_map(|document| {
            let manifests = match &document.content {
                Content::Value(node) => Objects::of(node).manifests,
                _ => Vec::new(),
            };
            let kinds = &*self.kinds;
            manifests.into_iter().map(move |manifest| {
                let class = classify(kinds, manifest.api_version, manifest.kind);
                (document, manifest, class)
            })
        })
    }

    /// The file with this text.
    pub(super) fn of(name: String, text: &str, kinds: &Arc<Kinds>) -> Self {
        let mut file = Self {
            name,
            text: None,
            is_utf8: true,
            documents: documents(text, |kind| is_unknown(kinds, kind)),
            remarks: Vec::new(),
            is_unreadable: false,
            tally: Tally::default(),
            kinds: Arc::clone(kinds),
            source: Source::default(),
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

    fn unreadable(name: String, reason: &str, kinds: &Arc<Kinds>) -> Self {
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
            kinds: Arc::clone(kinds),
            source: Source::default(),
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
            Content::Unread(kind) => {
                self.tally.others += 1;
                let message = format!("{kind} is not judged: {NO_PODS}");
                self.remark(Some(document.lines_before + 1), message, Weight::Detail);
            }
            Content::Value(node) => {
                for pointer in Objects::of(node).foreign {
                    self.tally.foreign += 1;
                    let line = document.lines_before + pointer::line(node, &pointer);
                    let message = "not an object of Kubernetes".to_owned();
                    self.remark(Some(line), message, Weight::Detail);
                }
            }
            Content::Nothing => {
                let line = Some(document.lines_before + 1);
                self.remark(
                    line,
                    "not judged: nothing in this document".to_owned(),
                    Weight::Detail,
                );
            }
        }
    }

    fn object(&mut self, document: &Document, manifest: &Manifest<'_>, class: Class<'_>) {
        let (counted, what, weight) = match class {
            Class::Judged(_) => {
                self.tally.workloads += 1;
                return;
            }
            Class::Custom(custom) if !custom.places(manifest.node).is_empty() => {
                self.tally.workloads += 1;
                return;
            }
            Class::Custom(_) => {
                let what = "is not judged: it has no template of pods";
                (&mut self.tally.others, what.to_owned(), Weight::Detail)
            }
            Class::Namespace | Class::Configuration(_) => {
                let what = "is not judged: it is evidence for others";
                (&mut self.tally.evidence, what.to_owned(), Weight::Detail)
            }
            Class::Kustomization => {
                let what = "is not judged: it says how others are built";
                (&mut self.tally.others, what.to_owned(), Weight::Detail)
            }
            Class::Other => (&mut self.tally.others, no_pods(manifest), Weight::Detail),
            Class::Outdated(_) => {
                let what = "is judged as if its apiVersion, which no cluster serves any more, were today's";
                (&mut self.tally.workloads, what.to_owned(), Weight::Plain)
            }
            Class::Skipped(reason) => {
                (&mut self.tally.skipped, format!("is not judged: {reason}"), Weight::Plain)
            }
        };
        *counted += 1;
        let name = manifest.metadata("name").filter(|name| !name.is_empty());
        let name = name.map(|name| format!(" {name:?}")).unwrap_or_default();
        let line = document.lines_before + manifest.node.place.line;
        self.remark(Some(line), format!("{}{name} {what}", manifest.kind), weight);
    }
}

/// Why an object of an unknown kind is not judged.
const NO_PODS: &str = "no pods are known to be made of its kind";

/// The same, with the way out where pods may be made of it.
fn no_pods(manifest: &Manifest<'_>) -> String {
    let (kind, group) = (manifest.kind, manifest.group());
    match likely_template(manifest.node).filter(|_| !group.is_empty()) {
        Some(pointer) => {
            format!("is not judged: {NO_PODS}; if they are: --workload '{kind}.{group}={pointer}'")
        }
        None => format!("is not judged: {NO_PODS}"),
    }
}

/// Reads every input, in the same order.
pub(super) fn files(inputs: &[Input], kinds: &Arc<Kinds>, progress: &Progress) -> Vec<File> {
    in_parallel(inputs, |_, input| {
        let file = match decoded(input) {
            Ok(Decoded { text, is_utf8 }) => {
                let file = File::of(input.name(), &text, kinds);
                File { text: Some(text), is_utf8, ..file }
            }
            Err(error) => File::unreadable(input.name(), &error.to_string(), kinds),
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
