//! Answers: what they say is made of what stays of a review, but for the seal of a new stamp.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::approval::STAMP_ANNOTATION;
use crate::judge::patch::pointer_token;

use super::Redactor;

impl Redactor<'_> {
    /// The AdmissionReview `answer`, redacted.
    pub fn answer(&self, answer: &[u8]) -> Vec<u8> {
        self.without_seal(answer).unwrap_or_else(|| answer.to_vec())
    }

    /// The same without the seal of a new stamp; `None` where there is none.
    fn without_seal(&self, answer: &[u8]) -> Option<Vec<u8>> {
        let mut review: Value = serde_json::from_slice(answer).ok()?;
        let patch = review.pointer_mut("/response/patch")?;
        let operations = STANDARD.decode(patch.as_str()?).ok()?;
        let mut operations: Value = serde_json::from_slice(&operations).ok()?;
        let path = format!("/metadata/annotations/{}", pointer_token(STAMP_ANNOTATION));
        let is_stamp = |operation: &&mut Value| operation["path"] == *path;
        let stamp = operations.as_array_mut()?.iter_mut().find(is_stamp)?.get_mut("value")?;
        *stamp = self.stamp(stamp.as_str()?).into();
        *patch = STANDARD.encode(operations.to_string()).into();
        serde_json::to_vec(&review).ok()
    }
}
