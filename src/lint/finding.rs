//! What the linter finds: rulings of the engine with their place in a file.

use serde::Serialize;

use crate::json::text::Text;
use crate::judge::judge;
use crate::judge::patch::Edit;
use crate::judge::policies::Policies;
use crate::judge::subject::{Operation, Subject, UserInfo};
use crate::judge::verdict::Ruling;
use crate::manifest::objects::Manifest;
use crate::manifest::pointer::line;
use crate::manifest::unstructured::Unstructured;
use crate::rules::strength::Strength;

use super::class::{Class, group_of_today};
use super::evidence::{DEFAULT_NAMESPACE, Evidences, namespace};
use super::read::{File, Remark, Weight};

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
        let (Class::Judged(resource) | Class::Outdated(resource)) = class else { continue };
        let line_of = |pointer: &str| document.lines_before + line(manifest.node, pointer);
        let mut value = manifest.to_json();
        forget_unfilled_replicas(&mut value);
        let kind = manifest.kind.to_owned();
        let group = group_of_today(manifest.group());
        let object = Unstructured::new(value, group, kind, DEFAULT_NAMESPACE);
        let object = match object.decode() {
            Ok(object) => object,
            Err(fault) => {
                let named = manifest.metadata("name").unwrap_or_default();
                let message =
                    format!("{} {named:?} is not judged: {}", manifest.kind, fault.message);
                remarks.push(Remark {
                    file: file.name.clone(),
                    line: Some(line_of(&fault.pointer)),
                    message,
                    weight: Weight::Plain,
                });
                continue;
            }
        };
        let namespace = namespace(&manifest);
        let subject = Subject {
            resource,
            operation: Operation::Create,
            namespace: Text::from(namespace),
            name: object.metadata.name.clone(),
            requester: UserInfo::default(),
            dry_run: false,
            object,
            old_object: None,
            evidence: evidences.about(manifest.node, namespace, index),
        };
        let verdict = judge(policies, &subject);
        let cap = verdict.cap;
        let mut found: Vec<_> = verdict
            .rulings
            .into_iter()
            .map(|ruling| {
                let line = line_of(&ruling.finding.pointer);
                finding(file, document.index, line, &manifest, Strength::of(&ruling, cap), ruling)
            })
            .collect();
        found.sort_by_key(|finding| finding.line);
        findings.extend(found);
    }
    (findings, remarks)
}

fn finding(
    file: &File,
    document: usize,
    line: u64,
    manifest: &Manifest<'_>,
    mode: Strength,
    ruling: Ruling,
) -> Finding {
    let metadata = |key| manifest.metadata(key).filter(|text| !text.is_empty());
    let finding = ruling.finding;
    Finding {
        rule: ruling.rule,
        mode,
        file: file.name.clone(),
        line,
        document,
        kind: manifest.kind.to_owned(),
        namespace: metadata("namespace").unwrap_or_default().to_owned(),
        name: metadata("name").or_else(|| metadata("generateName")).unwrap_or_default().to_owned(),
        container: finding.container,
        pointer: format!("{}{}", manifest.pointer, finding.pointer),
        message: finding.message,
        remedy: finding.remedy.into_owned(),
        fixable: finding.edit.is_some(),
        fingerprint: String::new(),
        edit: finding.edit,
        object: manifest.pointer.clone(),
    }
}

/// Leaves out a number of replicas that a template has yet to fill in, as in `replicas:
/// ${{REPLICAS}}` of OpenShift: it is as unknown as an absent one, which an autoscaler may own, and
/// the pods are described in full without it.
fn forget_unfilled_replicas(object: &mut serde_json::Value) {
    let Some(replicas) = object.pointer_mut("/spec/replicas") else { return };
    let unfilled =
        replicas.as_str().is_some_and(|text| text.starts_with("${") && text.ends_with('}'));
    if unfilled {
        *replicas = serde_json::Value::Null;
    }
}
