//! The values of annotations.

use crate::approval::{GRANT_ANNOTATION, STAMP_ANNOTATION, Stamp};
use crate::rules::annotations::{Read, read};
use crate::rules::trigger::checksum::is_of_nothing;

use super::Redactor;
use super::secrets::scrub;

/// The domain of annotations that are Restraint's own.
const OWN: &str = "restraint.dev/";

impl Redactor<'_> {
    /// The value of the annotation `key`, as it may be written down.
    pub(super) fn annotation(&self, key: &str, value: &str) -> String {
        if key == STAMP_ANNOTATION {
            return self.stamp(value);
        }
        let is_ours = key.starts_with(OWN) || key == GRANT_ANNOTATION;
        if is_ours || self.kept.iter().any(|kept| kept == key) {
            return value.to_owned();
        }
        match read(key) {
            Read::Text => value.to_owned(),
            Read::Script => scrub(&self.marks, value),
            Read::Name if is_of_nothing(value) => value.to_owned(),
            Read::Name => self.marks.of(value),
        }
    }

    /// The stamp `text` without its seal: what lets a decrease through is written nowhere else than
    /// on the pod.
    pub(super) fn stamp(&self, text: &str) -> String {
        match Stamp::parse(text) {
            Ok(mut stamp) => {
                stamp.seal = self.marks.of_part(&stamp.seal);
                stamp.text()
            }
            Err(_) => self.marks.of_part(text),
        }
    }
}
