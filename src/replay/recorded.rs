//! Recorded reviews, judged again.

use std::io::BufRead;

use crate::judge::policies::Policies;
use crate::recording::{Decision, Lines, Recording, Unreadable};

use super::case::{Told, told};
use super::entry::Entry;
use super::skipped::Skips;

/// Judges each recording that `reader`, called `name`, has, and gives what comes of it to `take`.
pub(super) fn replay<R: BufRead>(
    reader: R,
    name: &str,
    (policies, against): (&Policies, Option<&Policies>),
    skips: &mut Skips,
    mut take: impl FnMut(Entry) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut lines = Lines::of(reader);
    while let Some(recording) = lines.next() {
        match recording {
            Ok(recording) => {
                skips.recordings = skips.recordings.saturating_add(1);
                let place = format!("{name}:{}", lines.line());
                match entry(&recording, place, policies, against) {
                    Some(entry) => take(entry)?,
                    None => skips.fault(name, &"a recorded review cannot be judged"),
                }
            }
            Err(fault @ Unreadable::Truncated { .. }) => skips.fault(name, &fault),
            Err(fault) => skips.fault(name, &fault),
        }
    }
    Ok(())
}

fn entry(
    recording: &Recording,
    file: String,
    policies: &Policies,
    against: Option<&Policies>,
) -> Option<Entry> {
    let judgement = recording.judge_again(policies).ok()?;
    let asked = judgement.asked.clone();
    let authority = "whether the requester may approve was not looked up";
    let told_of = |judgement| {
        let judgement: crate::recording::Judgement = judgement;
        match judgement.missing.authority {
            true => Told::unknown(authority),
            false => told(&[judgement]),
        }
    };
    let slash = if asked.subresource.is_empty() { "" } else { "/" };
    let mut entry = Entry {
        audit_id: String::new(),
        file,
        path: recording.path.as_str(),
        time: Some(recording.time),
        namespace: asked.namespace,
        name: asked.name,
        requester: asked.requester,
        resource: [asked.resource, slash, asked.subresource].concat(),
        operation: asked.operation,
        dry_run: asked.dry_run,
        decision: Decision::Unknown,
        rules: Default::default(),
        reason: String::new(),
        said: false,
        findings: Vec::new(),
        against: None,
    };
    entry.tell(told_of(judgement));
    match against {
        Some(against) => {
            let before = told_of(recording.judge_again(against).ok()?);
            entry.compare(before.decision, Some(before.rules));
        }
        // the answer tells the rules in words only
        None => entry.compare(recording.answered(), None),
    }
    Some(entry)
}
