//! Judging a review again: pure, and by the very functions that serving uses.

use jiff::Timestamp;

use crate::approval::{Authority, StampTarget};
use crate::judge::look_up::LookUps;
use crate::judge::policies::Policies;
use crate::judge::subject::Evidence;
use crate::review::{Malformed, Path, decide, decode_for, look_ups};

use super::facts::Facts;
use super::judgement::Judgement;

/// What judging a review again needs.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Which way it comes in.
    pub path: Path,
    /// The AdmissionReview as JSON.
    pub review: &'a [u8],
    /// The service's time.
    pub time: Timestamp,
    /// What was looked up.
    pub facts: &'a Facts,
}

/// Judges a review again by `policies`, under their cap.
///
/// # Errors
///
/// Where the review cannot be judged.
pub fn judge_again(policies: &Policies, inputs: &Inputs<'_>) -> Result<Judgement, Malformed> {
    let mut review = decode_for(inputs.path, inputs.review)?;
    let subject = &mut review.subject;
    inputs.facts.give(&mut subject.evidence, inputs.time);
    let asked = look_ups(policies, inputs.path, subject);
    let missing = missing(asked, &subject.evidence);
    subject.examine_stamp(|_, _, _| inputs.facts.sealed);
    let settling = || inputs.facts.settling;
    let mut verdict = decide(policies, inputs.path, subject, settling);
    // nobody but the service has its keys
    let place: StampTarget<'_> = subject.place();
    verdict.seal(place, "", |_| String::new());
    Ok(Judgement::of(&review.uid, &review.subject, verdict, missing))
}

/// What of `asked` is not there.
fn missing(asked: LookUps, evidence: &Evidence) -> LookUps {
    LookUps {
        authority: asked.authority && evidence.authority == Authority::NotAsked,
        usage: asked.usage && evidence.usage.is_none(),
        node_capacity: asked.node_capacity && evidence.node_capacity.is_none(),
    }
}
