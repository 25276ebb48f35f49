//! What of a review and its answer may be written down.
//!
//! Judging what was redacted is judging what came. What no rule reads of the values of variables, of
//! annotations and of data is replaced by a mark, and so is what looks like a secret in commands and
//! scripts, which rules read whole. Objects of kinds that no rule looks at lose all but their names.

mod annotations;
mod answers;
mod environment;
mod mark;
mod names;
mod objects;
mod options;
mod secrets;

use crate::json::text::Entries;
use crate::json::write::object;
use crate::json::{self, Raw};
use crate::judge::subject::Resource;

use super::facts::Facts;
use mark::Marks;

/// What replaces secrets by marks: equal ones by equal marks.
pub struct Redactor<'r> {
    marks: Marks<'r>,
    kept: &'r [String],
}

impl<'r> Redactor<'r> {
    /// One that hashes by `hash`, whose key nobody else has, and keeps the annotations `kept`
    /// beside those that rules read.
    pub fn new(hash: &'r dyn Fn(&[u8]) -> u64, kept: &'r [String]) -> Self {
        Self { marks: Marks::by(hash), kept }
    }

    /// The AdmissionReview `review` about `resource`, redacted.
    ///
    /// # Errors
    ///
    /// Where it is none.
    pub fn review(&self, review: &str, resource: Resource) -> Result<Vec<u8>, json::Error> {
        let envelope: Entries<'_, Raw<'_>> = json::read(review)?;
        let mut json = Vec::with_capacity(review.len());
        object(&mut json, |written| {
            for (name, raw) in envelope.iter() {
                let json = written.field(name);
                match name {
                    "request" => self.request(json, raw.get(), resource),
                    _ => self.value(json, raw.get(), 0),
                }
            }
        });
        Ok(json)
    }

    /// `facts` without what ConfigMaps hold.
    pub fn facts(&self, mut facts: Facts) -> Facts {
        for object in facts.config_maps.values_mut().chain(facts.secrets.values_mut()) {
            object.data.values_mut().for_each(|value| *value = self.marks.of(value));
        }
        facts
    }

    fn request(&self, json: &mut Vec<u8>, request: &str, resource: Resource) {
        self.fields(json, request, |json, name, raw| match name {
            "object" | "oldObject" => self.object(json, raw, resource),
            "userInfo" => self.fields(json, raw, |json, name, raw| match name {
                "extra" => self.all(json, raw, 0),
                _ => json.extend_from_slice(raw.as_bytes()),
            }),
            _ => self.value(json, raw, 0),
        });
    }
}

impl std::fmt::Debug for Redactor<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Redactor").field("kept", &self.kept).finish_non_exhaustive()
    }
}
