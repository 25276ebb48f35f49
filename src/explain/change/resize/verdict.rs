//! What Restraint says to the resize: the engine itself is asked.

use serde_json::Value;

use crate::approval::ApprovalNote;
use crate::explain::change::ChangeContext;
use crate::explain::difference::Difference;
use crate::judge::finding::Finding;
use crate::judge::judge;
use crate::judge::subject::{Evidence, Operation, Resource, Subject, UserInfo};
use crate::judge::verdict::Verdict;
use crate::kube::object::Object;
use crate::manifest::unstructured::Unstructured;

/// What it says of one difference.
pub(super) struct About {
    /// What is wrong, and how to have it let through.
    pub(super) denial: Option<(String, String)>,
    pub(super) warnings: Vec<String>,
    pub(super) approvals: Vec<String>,
}

/// What the service would answer to the resize of `pod` from `old_object` to `object`.
pub(super) fn of(
    pod: &Unstructured,
    old_object: Object<'_>,
    object: Object<'_>,
    context: &ChangeContext,
) -> Verdict {
    let mut subject = Subject {
        resource: Resource::PodResize,
        operation: Operation::Update,
        namespace: pod.namespace.as_str().into(),
        name: pod.name.as_str().into(),
        requester: UserInfo::default(),
        dry_run: false,
        object,
        old_object: Some(old_object),
        evidence: Evidence { now: context.now, ..Evidence::default() },
    };
    // only the service holds the key: what looks like its stamp is taken for one, and that is said
    subject.examine_stamp(|_, _, _| true);
    judge(&context.policies, &subject)
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
    let sentence = |rule: &str, finding: &Finding| format!("{rule}: {}", finding.message);
    let mut denials: Vec<(String, String)> = Vec::new();
    for ruling in verdict.denials().filter(|ruling| mine(&ruling.finding)) {
        denials.push((sentence(ruling.rule, &ruling.finding), ruling.finding.remedy.to_string()));
    }
    let denial = denials.into_iter().reduce(|(message, remedy), (more, help)| {
        (format!("{message}; {more}"), format!("{remedy}; {help}"))
    });
    let warnings = verdict.warnings().filter(|ruling| mine(&ruling.finding));
    let warnings = warnings
        .map(|ruling| format!("Restraint warns: {}", sentence(ruling.rule, &ruling.finding)))
        .collect();
    let approvals = verdict.approvals.iter().filter_map(|note| match note {
        ApprovalNote::Used { changes, .. } if is_limit(difference) && changes.iter().any(|change| change.container.as_deref() == container) => {
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
