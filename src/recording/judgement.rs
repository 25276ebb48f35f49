//! What comes of judging a review again, in a form that programs read.

use serde::Serialize;
use serde_json::Value;

use crate::approval::ApprovalNote;
use crate::judge::finding::Finding;
use crate::judge::look_up::LookUps;
use crate::judge::subject::Subject;
use crate::judge::verdict::{Ruling, Verdict};
use crate::review::warnings;

use super::decision::Decision;

/// What comes of judging a review again.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// What the review asks.
    pub asked: Asked,
    /// What comes of it, in a word.
    pub decision: Decision,
    /// Every finding with what is done about it, or would be done without the cap.
    pub rulings: Vec<Ruled>,
    /// What happened to approvals and allowances.
    pub approvals: Vec<Noted>,
    /// The warnings as the client sees them.
    pub warnings: Vec<String>,
    /// The JSON Patch; empty unless on the mutating path. A new stamp in it has no seal.
    pub patch: Vec<Value>,
    /// What a rule in force asks for and nobody looked up: with it the decision might be another.
    #[serde(skip)]
    pub missing: LookUps,
    /// The verdict it is made of.
    #[serde(skip)]
    pub verdict: Verdict,
}

/// What a review asks, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// `request.uid`.
    pub uid: String,
    /// The word for what is done: `CREATE`, `UPDATE`.
    pub operation: &'static str,
    /// The plural name of what is written to; `other` where no rule looks at it.
    pub resource: &'static str,
    /// The subresource; empty for the object itself.
    pub subresource: &'static str,
    /// The namespace of the request.
    pub namespace: String,
    /// The name of the object; empty while the API server has not made one up.
    pub name: String,
    /// Who asks.
    pub requester: String,
    /// Whether the client only wants to know.
    pub dry_run: bool,
}

/// A finding and what is done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ruled {
    /// The rule that found it.
    pub rule: &'static str,
    /// What is done about it: `denied`, `warned`, `noted`, or `would-deny` under a cap.
    pub outcome: &'static str,
    /// The mode that the policy asks for.
    pub mode: &'static str,
    /// The container, where it is about one.
    pub container: Option<String>,
    /// Where: a JSON pointer into the object.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub remedy: String,
}

/// What happened to an approval or through an allowance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Noted {
    /// What happened: `approval-used`, `allowance-used`, `approval-refused`.
    pub outcome: &'static str,
    /// The same in a sentence.
    pub note: String,
}

impl Judgement {
    /// The judgement that `verdict` on `subject` is.
    pub(super) fn of(uid: &str, subject: &Subject<'_>, verdict: Verdict, missing: LookUps) -> Self {
        let patch = verdict.amendment.iter();
        let noted = |note: &ApprovalNote| Noted { outcome: note.outcome(), note: note.to_string() };
        Self {
            asked: Asked::of(uid, subject),
            decision: Decision::of(&verdict),
            rulings: verdict.rulings.iter().map(Ruled::of).collect(),
            approvals: verdict.approvals.iter().map(noted).collect(),
            warnings: warnings(&verdict),
            patch: patch.filter_map(|operation| serde_json::to_value(operation).ok()).collect(),
            missing,
            verdict,
        }
    }
}

impl Asked {
    fn of(uid: &str, subject: &Subject<'_>) -> Self {
        Self {
            uid: uid.to_owned(),
            operation: subject.operation.as_str(),
            resource: subject.resource.plural(),
            subresource: subject.resource.subresource(),
            namespace: subject.namespace.to_string(),
            name: subject.name.to_string(),
            requester: subject.requester.username.to_string(),
            dry_run: subject.dry_run,
        }
    }
}

impl Ruled {
    fn of(Ruling { rule, finding, wanted, outcome }: &Ruling) -> Self {
        let Finding { container, pointer, message, remedy, .. } = finding;
        Self {
            rule,
            outcome: outcome.as_str(),
            mode: wanted.as_str(),
            container: container.clone(),
            pointer: pointer.clone(),
            message: message.clone(),
            remedy: remedy.to_string(),
        }
    }
}
