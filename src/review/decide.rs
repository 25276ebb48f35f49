//! From a subject, with its evidence, to the verdict of the path it came in by.

use crate::judge::look_up::LookUps;
use crate::judge::policies::Policies;
use crate::judge::subject::Subject;
use crate::judge::verdict::{MissedFix, Verdict};
use crate::judge::{amend, judge};

use super::path::Path;

/// What must be looked up before `subject` is decided about.
pub fn look_ups(policies: &Policies, path: Path, subject: &Subject<'_>) -> LookUps {
    match path {
        Path::Validate => LookUps::for_judging(policies, subject),
        Path::Mutate => LookUps::for_amending(policies, subject),
    }
}

/// The verdict on `subject`, whose stamp, if there is a new one, is not sealed yet. `settling`:
/// whether the policies changed a moment ago, and another replica may hold others.
pub fn decide(
    policies: &Policies,
    path: Path,
    subject: &Subject<'_>,
    settling: impl FnOnce() -> bool,
) -> Verdict {
    let mut verdict = match path {
        Path::Validate => judge(policies, subject).on_creation(subject),
        Path::Mutate => amend(policies, subject),
    };
    if verdict.missed_fix.is_some() && settling() {
        verdict.missed_fix = Some(MissedFix::OtherPolicies);
    }
    verdict
}
