//! Recorded reviews, judged again.

use std::io::BufRead;

use crate::judge::policies::Policies;
use crate::recording::{Decision, Judgement, Lines, Recording};

use super::case::{Assumed, Told, told};
use super::entry::{Entry, named};
use super::skipped::Skips;

const AUTHORITY: &str = "whether the requester may approve was not looked up";

/// Judges each recording that `reader`, called `name`, has, and gives what comes of it to `take`,
/// with what the policies asked for and the recording does not hold.
pub(super) fn replay<R: BufRead>(
    reader: R,
    name: &str,
    (policies, against): (&Policies, Option<&Policies>),
    skips: &mut Skips,
    mut take: impl FnMut(Entry, Assumed) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut lines = Lines::of(reader);
    while let Some(recording) = lines.next() {
        match recording {
            Ok(recording) => {
                skips.recordings = skips.recordings.saturating_add(1);
                let place = format!("{name}:{}", lines.line());
                match entry(&recording, place, policies, against) {
                    Some((entry, assumed)) => take(entry, assumed)?,
                    None => skips.fault(name, &"a recorded review cannot be judged"),
                }
            }
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
) -> Option<(Entry, Assumed)> {
    let judgement = recording.judge_again(policies).ok()?;
    let asked = judgement.asked.clone();
    let told_of = |judgement: Judgement| match judgement.missing.authority {
        true => Told::unknown(AUTHORITY),
        false => told(&[judgement]).settled(),
    };
    let mut entry = Entry {
        file,
        path: recording.path.as_str(),
        time: Some(recording.time),
        namespace: asked.namespace,
        name: asked.name,
        requester: asked.requester,
        resource: named(asked.resource, asked.subresource),
        operation: asked.operation,
        dry_run: asked.dry_run,
        decision: Decision::Unknown,
        ..Entry::default()
    };
    let told = told_of(judgement);
    let assumed = told.assumed;
    entry.tell(told);
    match against {
        Some(against) => {
            let before = told_of(recording.judge_again(against).ok()?);
            entry.compare(before.decision, Some(before.rules));
        }
        // the answer tells the rules in words only
        None => entry.compare(recording.answered(), None),
    }
    Some((entry, assumed))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A resize from 1Gi to 512Mi that was let through under a cap of audit.
    fn recording(schema: &str) -> String {
        let pod = |limit: &str| json!({"metadata": {"name": "db"}, "spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": limit}}}]}});
        json!({
            "schema": schema, "time": "2026-11-21T10:00:00Z", "version": "0.1.0", "path": "validate", "cap": "audit",
            "review": {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
                "uid": "u", "operation": "UPDATE", "namespace": "shop", "name": "db", "subResource": "resize",
                "resource": {"group": "", "version": "v1", "resource": "pods"},
                "userInfo": {"username": "dev"}, "object": pod("512Mi"), "oldObject": pod("1Gi"),
            }},
            "evidence": {},
            "answer": {"response": {"uid": "u", "allowed": true}},
        })
        .to_string()
    }

    #[test]
    fn recordings_are_judged_again_and_compared_with_their_answers() {
        let (policies, none) = (Policies::embedded(), Policies::default());
        let lines = [
            recording("restraint.dev/recording/v1"),
            recording("restraint.dev/recording/v9"),
            "{}".to_owned(),
            recording("restraint.dev/recording/v1"),
        ];
        let text = lines.join("\n");
        let read = |policies: (&Policies, Option<&Policies>)| {
            let (mut skips, mut entries) = (Skips::default(), Vec::new());
            let take = |entry, _| {
                entries.push(entry);
                Ok(())
            };
            replay(text.as_bytes(), "x.jsonl", policies, &mut skips, take).unwrap();
            (entries, skips)
        };
        let (entries, skips) = read((&policies, None));
        let [entry] = &entries[..] else { panic!("{entries:#?}") };
        assert_eq!((entry.decision, &*entry.file), (Decision::Denied, "x.jsonl:1"));
        assert_eq!(
            (&*entry.resource, &*entry.requester, entry.path),
            ("pods/resize", "dev", "validate")
        );
        assert_eq!(entry.against.as_ref().unwrap().decision, Decision::Allowed);
        assert!(entry.is_changed());
        let told = skips.lines().join("\n");
        for said in ["use a newer restraint", "line 3 is no recording", "line 4 is cut off"] {
            assert!(told.contains(said), "{told}");
        }
        let (entries, _) = read((&none, Some(&policies)));
        assert_eq!(entries[0].decision, Decision::Allowed);
        assert!(entries[0].is_changed());
    }
}
