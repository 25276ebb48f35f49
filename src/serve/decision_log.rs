//! One structured line per decision. Never a body, never an env value: only names, and the
//! sentences of findings.

use std::fmt::Write;
use std::time::Duration;

use tracing::{debug, error, info, warn};

use crate::approval::ApprovalNote;
use crate::judge::verdict::{MissedFix, Outcome, Ruling, Verdict};
use crate::review::{Path, Review};

use super::metrics::Failure;

/// Writes the line for a verdict: a denial is a warning, another finding or an approval in use is
/// information. What happens all day only shows when debugging: a review without a finding, and a
/// pod that was fixed, and what `is_repeated`.
pub(super) fn verdict(
    path: Path,
    review: &Review<'_>,
    verdict: &Verdict,
    is_repeated: bool,
    duration: Duration,
) {
    let subject = &review.subject;
    macro_rules! line {
        ($level:ident) => {
            $level!(
                path = path.as_str(),
                uid = &*review.uid,
                operation = subject.operation.as_str(),
                resource = subject.resource.plural(),
                subresource = subject.resource.subresource(),
                namespace = &*subject.namespace,
                name = &*subject.name,
                user = &*subject.requester.username,
                dry_run = subject.dry_run,
                cap = verdict.cap.as_str(),
                allowed = verdict.allowed(),
                findings = findings(&verdict.rulings),
                approvals = approvals(&verdict.approvals),
                fix_missed = verdict.missed_fix.map(MissedFix::as_str),
                microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
                "review"
            )
        };
    }
    if !verdict.allowed() {
        line!(warn);
    } else if !is_repeated
        && (verdict.rulings.iter().any(|ruling| ruling.outcome != Outcome::Amended)
            || !verdict.approvals.is_empty())
    {
        line!(info);
    } else {
        line!(debug);
    }
}

/// Writes the line for a review that got no verdict. `reason` says where it went wrong, never what
/// stood there.
pub(super) fn failure(path: Path, failure: Failure, reason: &str) {
    match failure {
        Failure::Panicked => {
            error!(path = path.as_str(), failure = failure.as_str(), reason, "review failed")
        }
        _ => warn!(path = path.as_str(), failure = failure.as_str(), reason, "review failed"),
    }
}

/// The most findings in one line. The rest are only counted.
const FINDINGS: usize = 20;

fn findings(rulings: &[Ruling]) -> String {
    let mut line = String::new();
    for (index, Ruling { rule, finding, outcome, .. }) in rulings.iter().take(FINDINGS).enumerate()
    {
        let parts = [
            if index > 0 { "; " } else { "" },
            outcome.as_str(),
            " ",
            rule,
            ": ",
            &finding.message,
        ];
        line.extend(parts);
    }
    if let Some(more) = rulings.len().checked_sub(FINDINGS).filter(|more| *more > 0) {
        let _ = write!(line, "; and {more} more");
    }
    line
}

fn approvals(notes: &[ApprovalNote]) -> String {
    notes
        .iter()
        .take(FINDINGS)
        .map(|note| format!("{}: {note}", note.outcome()))
        .collect::<Vec<_>>()
        .join("; ")
}
