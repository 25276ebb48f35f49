//! What the linter finds: rulings of the engine with their place in a file.

use std::num::NonZeroU32;

use serde::Serialize;

use crate::json::text::Text;
use crate::judge::judge;
use crate::judge::patch::Edit;
use crate::judge::policies::Policies;
use crate::judge::subject::{Evidence, Subject};
use crate::judge::verdict::{Ruling, Verdict};
use crate::manifest::decode::Malformed;
use crate::manifest::objects::Manifest;
use crate::manifest::pointer::{line, resolve};
use crate::rules::strength::Strength;

use super::evidence::{Evidences, namespace};
use super::read::{File, Remark, Weight};
use super::workload::Workload;

/// One thing that is wrong in a file.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    /// The rule that found it.
    pub(super) rule: &'static str,
    /// How strongly it would be acted on.
    pub(super) mode: Strength,
    /// The file as it was named; `<stdin>` for standard input.
    pub(super) file: String,
    /// The line, from 1.
    pub(super) line: u64,
    /// The number of the document in the file, from 0; empty documents count.
    pub(super) document: usize,
    /// The kind of the object.
    pub(super) kind: String,
    /// The namespace as it is written; empty where none is.
    pub(super) namespace: String,
    /// The name of the object, or what it is generated from.
    pub(super) name: String,
    /// The container, where it is about one.
    pub(super) container: Option<String>,
    /// The JSON pointer into the document.
    pub(super) pointer: String,
    /// What is wrong.
    pub(super) message: String,
    /// How to fix it.
    pub(super) remedy: String,
    /// Whether `--fix` can do it, as it is written here.
    pub(super) fixable: bool,
    /// What it is known by, whatever its line.
    pub(super) fingerprint: String,
    /// The edit that fixes it, with pointers into the object.
    #[serde(skip)]
    pub(super) edit: Option<Edit>,
    /// The JSON pointer of the object in its document.
    #[serde(skip)]
    pub(super) object: String,
}

impl Finding {
    /// The object it is about, in words: kind, namespace if one is written, and name.
    pub(super) fn subject(&self) -> String {
        match (&*self.namespace, &*self.name) {
            ("", "") => self.kind.clone(),
            ("", name) => format!("{} {name}", self.kind),
            (namespace, name) => format!("{} {namespace}/{name}", self.kind),
        }
    }
}

/// What is wrong in the file with this number, in order of place, and what cannot be judged in it.
pub(super) fn of_file(
    policies: &Policies,
    evidences: &Evidences,
    index: usize,
    file: &File,
) -> (Vec<Finding>, Vec<Remark>) {
    let (mut findings, mut remarks) = (Vec::new(), Vec::new());
    for (document, manifest, class) in file.manifests() {
        let line_of = |pointer: &str| document.lines_before + line(manifest.node, pointer);
        let mut found = Vec::new();
        for workload in Workload::all(&manifest, class) {
            let namespace = namespace(&manifest);
            let evidence = evidences.about(manifest.node, namespace, index, &file.source);
            match judged(policies, &workload, namespace, evidence) {
                Ok(verdict) => {
                    let place = Place { file, document: document.index, manifest: &manifest };
                    let cap = verdict.cap;
                    found.extend(verdict.rulings.into_iter().filter_map(|ruling| {
                        let pointer = workload.written(&ruling.finding.pointer);
                        let line = match ruling.finding.line {
                            Some(line) => line_of(&pointer) + below(&manifest, &pointer, line),
                            None => line_of(&pointer),
                        };
                        let mode = Strength::of(&ruling, cap);
                        finding(&place, line, &workload, mode, ruling)
                    }));
                }
                Err(fault) => {
                    let named = manifest.metadata("name").unwrap_or_default();
                    let kind = manifest.kind;
                    remarks.push(Remark {
                        file: file.name.clone(),
                        line: Some(line_of(&workload.written(&fault.pointer))),
                        message: format!(
                            "{kind} {named:?} is not judged: {}",
                            workload.fault(&fault.message)
                        ),
                        weight: Weight::Plain,
                    });
                }
            }
        }
        found.sort_by_key(|finding| finding.line);
        findings.extend(found);
    }
    (findings, remarks)
}

/// How far below the name of the field at `pointer` the `line`th line of its text stands: not at all
/// where it is no block, whose lines are not those of the file.
fn below(manifest: &Manifest<'_>, pointer: &str, within: NonZeroU32) -> u64 {
    let begins = resolve(manifest.node, pointer).map_or(0, |node| node.place.line);
    let above = begins.saturating_sub(line(manifest.node, pointer));
    if above == 0 { 0 } else { above.saturating_add(within.get().into()).saturating_sub(1) }
}

fn judged(
    policies: &Policies,
    workload: &Workload<'_>,
    namespace: &str,
    evidence: Evidence,
) -> Result<Verdict, Malformed> {
    let object = workload.object.decode()?;
    let subject = Subject::created(workload.resource, Text::from(namespace), object, evidence);
    Ok(judge(policies, &subject))
}

/// Where a finding is.
struct Place<'p> {
    file: &'p File,
    document: usize,
    manifest: &'p Manifest<'p>,
}

/// `None` where the kind does not take what would fix it.
fn finding(
    place: &Place<'_>,
    line: u64,
    workload: &Workload<'_>,
    mode: Strength,
    ruling: Ruling,
) -> Option<Finding> {
    let Place { file, document, manifest } = *place;
    let metadata = |key| manifest.metadata(key).filter(|text| !text.is_empty());
    let finding = ruling.finding;
    if !workload.takes(finding.edit.as_ref()) {
        return None;
    }
    let edit = workload.edit(finding.edit);
    Some(Finding {
        rule: ruling.rule,
        mode,
        file: file.name.clone(),
        line,
        document,
        kind: manifest.kind.to_owned(),
        namespace: metadata("namespace").unwrap_or_default().to_owned(),
        name: metadata("name").or_else(|| metadata("generateName")).unwrap_or_default().to_owned(),
        container: finding.container,
        pointer: format!("{}{}", manifest.pointer, workload.written(&finding.pointer)),
        message: workload.message(finding.message),
        remedy: finding.remedy.into_owned(),
        fixable: edit.is_some(),
        fingerprint: String::new(),
        edit,
        object: manifest.pointer.clone(),
    })
}
