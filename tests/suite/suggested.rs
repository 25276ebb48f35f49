//! What a denial tells an approver to run leads to success: every command of every golden denial.

use serde_json::{Value, json};

use restraint::approval::{GRANT_ANNOTATION, STAMP_ANNOTATION};
use restraint::judge::policies::Policies;
use restraint::judge::verdict::Verdict;
use restraint::judge::{amend, judge};
use restraint::review::{Path, Review, decode, decode_for};

use crate::subjects::{examine, recorded, update};

#[test]
fn every_suggested_grant_lets_its_resize_through() {
    let mut tried = 0;
    for (name, body) in recorded() {
        let Some(command) = suggested(&validated(&body)) else { continue };
        let mut review: Value = serde_json::from_slice(&body).unwrap();
        let stored = review["request"]["oldObject"].take();
        let granted = granted(&stored, &command);
        let stamped = stamped(&stored, &granted);
        review["request"]["oldObject"] = stamped;
        let verdict = validated(&serde_json::to_vec(&review).unwrap());
        assert!(verdict.allowed(), "{name}: {command}: {:?}", verdict.rulings);
        tried += 1;
    }
    assert!(tried >= 8, "{tried} commands");
}

#[test]
fn a_heap_in_the_way_is_said_and_forced() {
    let (_, body) = recorded()
        .into_iter()
        .find(|(name, _)| name == "resize-jvm-below-heap.pods-resize.validate")
        .unwrap();
    let verdict = validated(&body);
    let remedy = remedies(&verdict).find(|remedy| remedy.contains("kubectl")).unwrap().to_owned();
    assert!(remedy.contains("; force'` (force: heap -Xmx"), "{remedy}");
}

/// The command that the denials of `verdict` suggest.
fn suggested(verdict: &Verdict) -> Option<String> {
    remedies(verdict).find_map(|remedy| remedy.split('`').nth(1).map(str::to_owned))
}

fn remedies(verdict: &Verdict) -> impl Iterator<Item = &str> {
    verdict
        .denials()
        .filter(|ruling| ruling.rule == "memory-limit-decrease")
        .map(|ruling| &*ruling.finding.remedy)
}

/// `stored` as `command` leaves it, read as a shell reads it.
fn granted(stored: &Value, command: &str) -> Value {
    let mut pod = stored.clone();
    for line in command.split(" && ") {
        let words = shlex::split(line).unwrap();
        let [kubectl, annotate, kind, name, option, namespace, change] = words.as_slice() else {
            panic!("{words:?}")
        };
        assert_eq!([kubectl, annotate, kind, option], ["kubectl", "annotate", "pod", "-n"]);
        assert_eq!(
            json!([name, namespace]),
            json!([pod["metadata"]["name"], pod["metadata"]["namespace"]])
        );
        let annotations = pod["metadata"]["annotations"].as_object_mut();
        let mut kept = annotations.cloned().unwrap_or_default();
        match change.split_once('=') {
            Some((key, value)) => drop(kept.insert(key.to_owned(), json!(value))),
            None => drop(kept.remove(change.strip_suffix('-').unwrap())),
        }
        pod["metadata"]["annotations"] = json!(kept);
    }
    assert!(pod["metadata"]["annotations"].get(GRANT_ANNOTATION).is_some(), "{command}");
    pod
}

/// `granted` as the service stamps it for an approver.
pub(crate) fn stamped(stored: &Value, granted: &Value) -> Value {
    let body = update(stored, granted);
    let mut review = decode_for(Path::Mutate, &body).unwrap();
    examine(&mut review.subject);
    let approvers = "name: p\nrule: approval-authority\nmode: enforce\nsettings: {approvers: {users: [developer]}}\n";
    let policies = Policies::read([("p.yaml", approvers.to_owned())]).unwrap();
    let mut verdict = amend(&policies, &review.subject);
    assert!(verdict.allowed() && verdict.stamp.is_some(), "{:?}", verdict.rulings);
    let Review { subject, .. } = &review;
    verdict.seal(subject.place(), "k", |_| "genuine".to_owned());
    let mut pod = granted.clone();
    let operations: json_patch::Patch =
        serde_json::from_value(serde_json::to_value(&verdict.amendment).unwrap()).unwrap();
    json_patch::patch(&mut pod, &operations).unwrap();
    assert!(pod["metadata"]["annotations"].get(STAMP_ANNOTATION).is_some());
    pod
}

pub(crate) fn validated(body: &[u8]) -> Verdict {
    let mut review = decode(body).unwrap();
    examine(&mut review.subject);
    judge(&Policies::embedded(), &review.subject)
}
