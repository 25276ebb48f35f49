//! From a review that was answered to the line that is written.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::judge::mode::Cap;
use crate::recording::{Facts, Recording, Redactor, SCHEMA};
use crate::review::{Path, decode_for};

/// A review that was answered.
pub(super) struct Taken {
    pub(super) path: Path,
    pub(super) cap: Cap,
    /// The annotations that the policies of that time take for approvals.
    pub(super) annotations: Vec<String>,
    pub(super) time: Timestamp,
    pub(super) facts: Facts,
    pub(super) body: Bytes,
    pub(super) reply: Vec<u8>,
}

impl Taken {
    /// The bytes that it takes.
    pub(super) fn size(&self) -> usize {
        self.body.len().saturating_add(self.reply.len())
    }
}

/// The bytes that a line commonly has beside its review and the answer.
const BESIDE: usize = 4096;

/// The line of `taken`, redacted with marks by `hash`. `None` where it cannot be redacted.
pub(super) fn line(taken: &Taken, hash: &dyn Fn(&[u8]) -> u64) -> Option<Vec<u8>> {
    let redactor = Redactor::new(hash, &taken.annotations);
    let subject = decode_for(taken.path, &taken.body).ok()?.subject;
    let review = redactor.review(str::from_utf8(&taken.body).ok()?, subject.resource).ok()?;
    let recording = Recording {
        schema: SCHEMA.to_owned(),
        time: taken.time,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        path: taken.path,
        cap: taken.cap,
        review: raw(review)?,
        evidence: redactor.facts(taken.facts.clone().with_files_of(&subject)),
        answer: raw(redactor.answer(&taken.reply))?,
    };
    // at once as large as it becomes: a review may be
    let mut line = Vec::with_capacity(
        recording
            .review
            .get()
            .len()
            .saturating_add(recording.answer.get().len())
            .saturating_add(BESIDE),
    );
    serde_json::to_writer(&mut line, &recording).ok()?;
    line.push(b'\n');
    Some(line)
}

/// JSON without line breaks between its values, which would end the line.
fn raw(json: Vec<u8>) -> Option<Box<RawValue>> {
    let mut text = String::from_utf8(json).ok()?;
    if text.contains(['\n', '\r']) {
        // within a text a line break is an escape
        text = text.replace(['\n', '\r'], " ");
    }
    RawValue::from_string(text).ok()
}
