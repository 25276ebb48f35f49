//! What Restraint says to the resize: the engine itself is asked.

use serde_json::Value;

use crate::approval::ApprovalNote;
use crate::explain::change::Surroundings;
use crate::explain::difference::Difference;
use crate::json;
use crate::judge::finding::Finding;
use crate::judge::judge;
use crate::judge::subject::{Evidence, Operation, Resource, Subject, UserInfo};
use crate::judge::verdict::Verdict;
use crate::manifest::object::Document;

/// What it says of one difference.
pub(super) struct About {
    /// What is wrong, and how to have it let through.
    pub(super) denial: Option<(String, String)>,
    pub(super) warnings: Vec<String>,
    pub(super) approvals: Vec<String>,
}

/// What the service would answer to the resize.
pub(super) fn of(old: &Document, new: &Document, surroundings: &Surroundings) -> Verdict {
    let (old_text, new_text) = (old.value.to_string(), new.value.to_string());
    let (Ok(old_object), Ok(object)) = (json::read(&old_text), json::read(&new_text)) else {
        return Verdict::default();
    };
    let mut subject = Subject {
        resource: Resource::PodResize,
        operation: Operation::Update,
        namespace: old.namespace.as_str().into(),
        name: old.name.as_str().into(),
        requester: UserInfo::default(),
        dry_run: false,
        object,
        old_object: Some(old_object),
        evidence: Evidence { now: surroundings.now, ..Evidence::default() },
    };
    // only the service holds the key: what looks like its stamp is taken for one, and that is said
    subject.examine_stamp(|_, _, _| true);
    judge(&surroundings.policies, &subject)
}

/// What `verdict` says of `difference`.
pub(super) fn about(verdict: &Verdict, difference: &Difference<'_>) -> About {
    let container = difference.path.container().map(|(_, name)| name);
    let words = difference.path.words();
    let place = words
        .iter()
        .skip(words.len().saturating_sub(2))
        .map(|word| format!("/{word}"))
        .collect::<String>();
    let mine = |finding: &Finding| {
        finding.container.as_deref() == container && finding.pointer.ends_with(&place)
    };
    let say = |rule: &str, finding: &Finding| format!("{rule}: {}", finding.message);
    let mut denials: Vec<(String, String)> = Vec::new();
    for ruling in verdict.denials().filter(|ruling| mine(&ruling.finding)) {
        denials.push((say(ruling.rule, &ruling.finding), ruling.finding.remedy.to_string()));
    }
    let denial = denials.into_iter().reduce(|(said, remedy), (more, help)| {
        (format!("{said}; {more}"), format!("{remedy}; {help}"))
    });
    let warnings = verdict.warnings().filter(|ruling| mine(&ruling.finding));
    let warnings = warnings
        .map(|ruling| format!("Restraint warns: {}", say(ruling.rule, &ruling.finding)))
        .collect();
    let approvals = verdict.approvals.iter().filter_map(|note| match note {
        ApprovalNote::Used { change, .. }
            if is_limit(difference) && change.container.as_deref() == container =>
        {
            Some("an approval on the pod covers it, if its seal is the service's, which only the service can tell".to_owned())
        }
        _ => None,
    });
    About { denial, warnings, approvals: approvals.collect() }
}

fn is_limit(difference: &Difference<'_>) -> bool {
    difference.path.words().ends_with(&["limits", "memory"])
        && difference.to.is_some_and(|value| *value != Value::Null)
}
