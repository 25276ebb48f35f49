//! Reading files, several at once.

use std::io::{self, Read as _};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fmt, fs, thread};

use crate::manifest::documents::{Content, Document, documents};
use crate::manifest::kinds::{self, Class, Manifest};
use crate::terminal::{Progress, plain};

use super::files::Source;

/// The stack of a reader, in bytes: enough for the deepest document the dialect allows.
const STACK: usize = 16 * 1024 * 1024;

/// A file as it was read.
#[derive(Debug)]
pub(super) struct File {
    /// Its name in findings.
    pub(super) name: String,
    /// Its text, where it is to be changed.
    pub(super) text: Option<String>,
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
    pub(super) passed: usize,
    /// Documents that are no objects of Kubernetes.
    pub(super) foreign: usize,
    /// Documents that are no YAML.
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
    /// The objects in it, each with its document.
    pub(super) fn manifests(&self) -> impl Iterator<Item = (&Document, Manifest<'_>)> {
        self.documents.iter().flat_map(|document| {
            let manifests = match &document.content {
                Content::Value(node) => kinds::manifests(node).unwrap_or_default(),
                _ => Vec::new(),
            };
            manifests.into_iter().map(move |manifest| (document, manifest))
        })
    }

    /// The file with this text.
    pub(super) fn of(name: String, text: &str) -> Self {
        let documents = documents(text, kinds::is_unknown);
        let mut file = Self {
            name,
            text: None,
            documents,
            remarks: Vec::new(),
            is_unreadable: false,
            tally: Tally::default(),
        };
        let (mut tally, mut remarks) = (Tally::default(), Vec::new());
        for document in &file.documents {
            match &document.content {
                Content::Broken { line, message } => {
                    tally.broken += 1;
                    remarks.push((Some(*line), format!("not judged: {message}"), Weight::Plain));
                }
                Content::Unread => tally.others += 1,
                Content::Value(node) if kinds::manifests(node).is_none() => {
                    tally.foreign += 1;
                    remarks.push((
                        Some(document.lines_before + node.place.line),
                        "not an object of Kubernetes".to_owned(),
                        Weight::Detail,
                    ));
                }
                Content::Value(_) | Content::Nothing => {}
            }
        }
        for (document, manifest) in file.manifests() {
            let mut remark = |what: &str| {
                let named = kinds::metadata(manifest.node, "name").unwrap_or_default();
                let line = document.lines_before + manifest.node.place.line;
                remarks.push((
                    Some(line),
                    format!("{} {named:?} {what}", manifest.kind),
                    Weight::Plain,
                ));
            };
            match manifest.class {
                Class::Judged(_) => tally.workloads += 1,
                Class::Outdated(_) => {
                    tally.workloads += 1;
                    remark(
                        "is judged as if its apiVersion, which no cluster serves any more, were today's",
                    );
                }
                Class::Passed(reason) => {
                    tally.passed += 1;
                    remark(&format!("is not judged: {reason}"));
                }
                Class::Namespace | Class::Configuration(_) => tally.evidence += 1,
                Class::Other => tally.others += 1,
            }
        }
        if file.documents.iter().all(|document| matches!(document.content, Content::Nothing)) {
            remarks.push((None, "nothing in it".to_owned(), Weight::Plain));
        }
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
            documents: Vec::new(),
            remarks: vec![remark],
            is_unreadable: true,
            tally: Tally::default(),
        }
    }
}

/// Reads every source, in the same order.
pub(super) fn files(sources: &[Source], keep_text: bool, progress: &Progress) -> Vec<File> {
    in_parallel(sources, |_, source| {
        let file = match text(source) {
            Ok(text) => {
                let file = File::of(source.name(), &text);
                File { text: keep_text.then_some(text), ..file }
            }
            Err(error) => File::unreadable(source.name(), &reason(&error)),
        };
        progress.one_more();
        file
    })
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidData => "not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// The text of `source`.
fn text(source: &Source) -> io::Result<String> {
    match source {
        Source::File(path) => fs::read_to_string(path),
        Source::Input => {
            let mut text = String::new();
            io::stdin().lock().read_to_string(&mut text)?;
            Ok(text)
        }
    }
}

/// What `work` makes of each item, in the same order, on as many threads as there are processors.
pub(super) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(usize, &T) -> R + Sync,
) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    let drain = || {
        let mut mine = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            mine.push((index, work(index, item)));
        }
        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).append(&mut mine);
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, drain).is_ok();
        // where a thread cannot be had the others do its part
        if (0..threads).filter(|index| start(*index)).count() == 0 {
            drain();
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
