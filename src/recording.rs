//! Recordings: reviews as data, and judging them again by the very functions that serving uses.
//!
//! A [`Recording`] is a line of JSON: the review without its secrets, what was looked up for it, and
//! the answer. [`judge_again`] is pure: with the same policies it comes to the same answer, and with
//! others it says what these would have answered. What it needs may come from elsewhere as well: an
//! audit log, or a case that somebody wrote down.

mod again;
mod config_facts;
mod decision;
mod facts;
mod judgement;
mod line;
mod lines;
mod redact;
mod words;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::judge::mode::Cap;
use crate::judge::policies::Policies;
use crate::review::{Malformed, Path};

pub use again::{Inputs, judge_again};
pub use config_facts::{FileFact, UseFact, UserFact};
pub use decision::Decision;
pub use facts::{Amount, ConfigFact, Facts, NodeFact};
pub use judgement::{Asked, Judgement, Noted, Ruled};
#[cfg(feature = "shell")]
pub(crate) use line::{Line, next_line};
pub use lines::{LINE_LIMIT, Lines, Unreadable};
pub use redact::Redactor;

/// The form of recordings that this version writes, and the only one it reads.
pub const SCHEMA: &str = "restraint.dev/recording/v1";

/// One review that was answered: one line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recording {
    /// [`SCHEMA`].
    pub schema: String,
    /// When it was judged, by the service's clock: stamps and exemptions were judged by it.
    pub time: Timestamp,
    /// The version of Restraint that answered.
    pub version: String,
    /// Which way it came in.
    #[serde(with = "words")]
    pub path: Path,
    /// The service's cap.
    #[serde(with = "words")]
    pub cap: Cap,
    /// The AdmissionReview, redacted.
    pub review: Box<RawValue>,
    /// What was looked up.
    pub evidence: Facts,
    /// The AdmissionReview that answered it.
    pub answer: Box<RawValue>,
}

impl Recording {
    /// Judges it again by `policies`, under their cap: whoever wants the answer of that time puts
    /// the policies of that time under [`Self::cap`].
    ///
    /// # Errors
    ///
    /// Where the review cannot be judged, which the service never records.
    pub fn judge_again(&self, policies: &Policies) -> Result<Judgement, Malformed> {
        judge_again(policies, &self.inputs())
    }

    /// What judging it needs.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            path: self.path,
            review: self.review.get().as_bytes(),
            time: self.time,
            facts: &self.evidence,
        }
    }

    /// What was decided at that time, as far as the answer tells.
    pub fn answered(&self) -> Decision {
        Decision::answered(self.answer.get())
    }
}
