//! From a verdict to the bytes of the AdmissionReview that answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::judge::finding::{WARNING_LIMIT, fit};
use crate::judge::mode::Cap;
use crate::judge::verdict::{Ruling, Verdict};

/// The most warnings in one answer: past that the API server would cut every one of them.
const WARNING_COUNT: usize = 10;

/// The longest audit annotation, in bytes, before the rest is only counted.
const AUDIT_LENGTH: usize = 4096;

/// The most findings that a denial tells of. The rest are only counted.
const DENIAL_COUNT: usize = 50;

/// Which way a review came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Path {
    /// `POST /validate`: denies, warns, records.
    Validate,
    /// `POST /mutate`: amends, records.
    Mutate,
}

impl Path {
    /// The word for it in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Mutate => "mutate",
        }
    }
}

/// The answer to the review with this `uid`, as JSON.
pub fn answer(uid: &str, verdict: &Verdict) -> Vec<u8> {
    let response = Response {
        uid,
        allowed: verdict.allowed(),
        status: status(verdict),
        patch: patch(verdict),
        patch_type: (!verdict.amendment.is_empty()).then_some("JSONPatch"),
        warnings: warnings(verdict),
        audit_annotations: audit_annotations(verdict),
    };
    let review = ReviewReply { api_version: "admission.k8s.io/v1", kind: "AdmissionReview", response };
    serde_json::to_vec(&review).unwrap_or_default() // writing strings and numbers to memory cannot fail
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReviewReply<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Status<'a> {
    code: u16,
    reason: &'static str,
    message: String,
    details: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    causes: Vec<Cause<'a>>,
}

/// A finding for programs: the rule, where, and what.
#[derive(Serialize)]
struct Cause<'a> {
    reason: &'static str,
    field: &'a str,
    message: &'a str,
}

/// 403 Forbidden: never a code that clients retry.
fn status(verdict: &Verdict) -> Option<Status<'_>> {
    let denials: Vec<&Ruling> = verdict.denials().collect();
    if denials.is_empty() {
        return None;
    }
    let causes = verdict
        .denials()
        .take(DENIAL_COUNT)
        .map(|ruling| Cause { reason: ruling.rule, field: &ruling.finding.pointer, message: &ruling.finding.message })
        .collect();
    Some(Status { code: 403, reason: "Forbidden", message: denial_message(&denials), details: Details { causes } })
}

/// Every finding that denies, each with its remedy.
fn denial_message(denials: &[&Ruling]) -> String {
    let mut message = String::new();
    if denials.len() > 1 {
        let _ = write!(message, "{} findings:", denials.len());
    }
    for Ruling { rule, finding, .. } in denials.iter().take(DENIAL_COUNT) {
        let bullet = if denials.len() > 1 { "\n- " } else { "" };
        let _ = write!(message, "{bullet}{rule}: {}; {}", finding.message, finding.remedy);
    }
    if let Some(more) = denials.len().checked_sub(DENIAL_COUNT).filter(|more| *more > 0) {
        let _ = write!(message, "\n- and {more} more");
    }
    message
}

fn patch(verdict: &Verdict) -> Option<String> {
    if verdict.amendment.is_empty() {
        return None;
    }
    serde_json::to_vec(&verdict.amendment).ok().map(|operations| STANDARD.encode(operations))
}

fn warnings(verdict: &Verdict) -> Vec<String> {
    let mut known = BTreeSet::new();
    let mut texts: Vec<String> = Vec::new();
    for ruling in verdict.warnings() {
        if known.insert((ruling.rule, &ruling.finding.message)) && texts.len() < WARNING_COUNT {
            texts.push(fit(&format!("{}: {}", ruling.rule, ruling.finding.message), WARNING_LIMIT));
        }
    }
    if known.len() > WARNING_COUNT {
        texts.truncate(WARNING_COUNT - 1);
        texts.push(format!("restraint: and {} more findings", known.len().saturating_sub(texts.len())));
    }
    texts
}

/// What was done or would have been done, by outcome. Keys are plain words: the API server drops any other.
fn audit_annotations(verdict: &Verdict) -> BTreeMap<&'static str, String> {
    let mut annotations: BTreeMap<&'static str, String> = BTreeMap::new();
    for ruling in &verdict.rulings {
        append(annotations.entry(ruling.outcome.as_str()).or_default(), &[ruling.rule, ": ", &ruling.finding.message]);
    }
    for note in &verdict.approvals {
        append(annotations.entry(note.outcome()).or_default(), &[&note.to_string()]);
    }
    if verdict.cap != Cap::Enforce && !verdict.rulings.is_empty() {
        annotations.insert("cap", verdict.cap.as_str().to_owned());
    }
    annotations
}

fn append(annotation: &mut String, note: &[&str]) {
    const MORE: &str = "; and more";
    if note.iter().fold(annotation.len(), |length, part| length.saturating_add(part.len())) > AUDIT_LENGTH {
        if !annotation.ends_with(MORE) {
            annotation.push_str(MORE);
        }
        return;
    }
    if !annotation.is_empty() {
        annotation.push_str("; ");
    }
    annotation.extend(note.iter().copied());
}
