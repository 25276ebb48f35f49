//! From a verdict to the bytes of the AdmissionReview that answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::approval::ApprovalNote;
use crate::json::write::{ObjectWriter, list, object, text};
use crate::judge::message::{WARNING_LIMIT, fit};
use crate::judge::mode::Cap;
use crate::judge::verdict::{Outcome, Ruling, Verdict};

/// The most warnings in one answer: past that the API server would cut every one of them.
const WARNING_COUNT: usize = 10;

/// The longest audit annotation, in bytes, before the rest is only counted.
const AUDIT_LENGTH: usize = 4096;

/// The longest audit annotation about what let a decrease through, in bytes: 4,096 containers with
/// the longest names and common amounts fit.
const USE_LENGTH: usize = 512 * 1024;

/// The most findings that a denial tells of. The rest are only counted.
const DENIAL_COUNT: usize = 50;

/// The bytes of an answer that says no more than yes, and a little room.
const LEAST_SIZE: usize = 192;

/// The bytes that a finding commonly takes in an answer.
const RULING_SIZE: usize = 384;

/// The answer to the review with this `uid`, as JSON.
pub fn answer(uid: &str, verdict: &Verdict) -> Vec<u8> {
    let told = verdict.rulings.len().min(DENIAL_COUNT);
    let mut json = Vec::with_capacity(told.saturating_mul(RULING_SIZE).saturating_add(LEAST_SIZE));
    object(&mut json, |review| {
        review.text("apiVersion", "admission.k8s.io/v1");
        review.text("kind", "AdmissionReview");
        object(review.field("response"), |response| respond(response, uid, verdict));
    });
    json
}

fn respond(response: &mut ObjectWriter<'_>, uid: &str, verdict: &Verdict) {
    response.text("uid", uid);
    let allowed: &[u8] = if verdict.allowed() { b"true" } else { b"false" };
    response.field("allowed").extend_from_slice(allowed);
    let denials: Vec<&Ruling> = verdict.denials().collect();
    if !denials.is_empty() {
        object(response.field("status"), |status| deny(status, &denials));
    }
    if let Some(patch) = patch(verdict) {
        response.text("patch", &patch);
        response.text("patchType", "JSONPatch");
    }
    let warnings = warnings(verdict);
    if !warnings.is_empty() {
        list(response.field("warnings"), &warnings, |json, warning| text(json, warning));
    }
    let annotations = audit_annotations(verdict);
    if !annotations.is_empty() {
        object(response.field("auditAnnotations"), |object| {
            annotations.iter().for_each(|(key, note)| object.text(key, note))
        });
    }
}

/// 403 Forbidden: never a code that clients retry. Each finding once more for programs: the rule,
/// where, and what.
fn deny(status: &mut ObjectWriter<'_>, denials: &[&Ruling]) {
    status.field("code").extend_from_slice(b"403");
    status.text("reason", "Forbidden");
    status.text("message", &denial_message(denials));
    object(status.field("details"), |details| {
        list(
            details.field("causes"),
            denials.iter().take(DENIAL_COUNT),
            |json, Ruling { rule, finding, .. }| {
                object(json, |cause| {
                    cause.text("reason", rule);
                    cause.text("field", &finding.pointer);
                    cause.text("message", &finding.message);
                });
            },
        );
    });
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

/// The warnings as the client sees them.
pub(crate) fn warnings(verdict: &Verdict) -> Vec<String> {
    let mut known = BTreeSet::new();
    let mut texts: Vec<String> = Vec::new();
    for ruling in verdict.warnings() {
        if known.insert((ruling.rule, &ruling.finding.message)) && texts.len() < WARNING_COUNT {
            texts.push(warning(ruling));
        }
    }
    if known.len() > WARNING_COUNT {
        texts.truncate(WARNING_COUNT - 1);
        texts.push(format!(
            "restraint: and {} more findings",
            known.len().saturating_sub(texts.len())
        ));
    }
    texts
}

/// The least that is shown of a remedy, in characters.
const LEAST_REMEDY: usize = 24;

/// A finding with what would come of it without the cap, and with the start of its remedy where
/// there is room.
fn warning(Ruling { rule, finding, outcome, .. }: &Ruling) -> String {
    let prevented = match outcome {
        Outcome::WouldDeny => "would be denied: ",
        Outcome::WouldAmend => "would be fixed: ",
        Outcome::WouldRestore => "would be put back: ",
        _ => "",
    };
    let text = [rule, ": ", prevented, &finding.message].concat();
    let left = WARNING_LIMIT.saturating_sub(text.chars().count());
    if left < LEAST_REMEDY || finding.remedy.is_empty() {
        return fit(text, WARNING_LIMIT);
    }
    fit([&text, "; ", &finding.remedy].concat(), WARNING_LIMIT)
}

/// What was done or would have been done, by outcome. Keys are plain words: the API server drops
/// any other.
fn audit_annotations(verdict: &Verdict) -> BTreeMap<&'static str, String> {
    let mut annotations: BTreeMap<&'static str, String> = BTreeMap::new();
    for ruling in &verdict.rulings {
        append(
            annotations.entry(ruling.outcome.as_str()).or_default(),
            &[ruling.rule, ": ", &ruling.finding.message],
            AUDIT_LENGTH,
        );
    }
    for note in &verdict.approvals {
        let annotation = annotations.entry(note.outcome()).or_default();
        append(annotation, &[&note.to_string()], limit_of(note));
    }
    if let Some(cause) = verdict.missed_fix {
        annotations.insert("fix-missed", cause.as_str().to_owned());
    }
    if verdict.cap != Cap::Enforce && !verdict.rulings.is_empty() {
        annotations.insert("cap", verdict.cap.as_str().to_owned());
    }
    annotations
}

/// Who agreed to what is not cut: such a note names each part of the pod once.
fn limit_of(note: &ApprovalNote) -> usize {
    if note.is_use() { USE_LENGTH } else { AUDIT_LENGTH }
}

/// Appends `note` if the whole is no longer than `limit`.
fn append(annotation: &mut String, note: &[&str], limit: usize) {
    const MORE: &str = "; and more";
    if note.iter().fold(annotation.len(), |length, part| length.saturating_add(part.len())) > limit
    {
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
