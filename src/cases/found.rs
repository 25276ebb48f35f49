//! What the policies make of a request.

use serde_json::Value as Json;

use crate::approval::ApprovalNote;
use crate::judge::look_up::LookUps;
use crate::judge::policies::Policies;
use crate::recording::{Decision, Inputs, Judgement, Ruled, judge_again};

use super::evidence::STAMP_TOKEN;
use super::request::Request;

/// What the policies make of a request, by all hooks that are asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// The strongest thing that is done.
    pub(super) decision: Decision,
    /// The allowance that lets it through.
    pub(super) allowance: Option<String>,
    /// Every finding, each once.
    pub(super) findings: Vec<Ruled>,
    /// What a rule asks for and the case does not tell.
    pub(super) missing: LookUps,
}

impl Found {
    /// What `policies` make of `request`: the object that one hook amends is what the next one sees,
    /// and after a denial nobody is asked any more.
    pub(super) fn of(policies: &Policies, request: &Request) -> Result<Self, String> {
        let mut found = Self::default();
        let (mut review, mut facts) = (request.review.clone(), request.facts.clone());
        for path in request.way.paths() {
            let bytes = serde_json::to_vec(&review).map_err(|error| error.to_string())?;
            let inputs = Inputs { path: *path, review: &bytes, time: request.now, facts: &facts };
            let judgement = judge_again(policies, &inputs).map_err(|error| error.to_string())?;
            amend(&mut review, &judgement)?;
            // the stamp that is made here is the service's own
            facts.sealed |= is_stamped(&judgement);
            let decision = judgement.decision;
            found.take(judgement);
            if decision == Decision::Denied {
                break;
            }
        }
        Ok(found)
    }

    fn take(&mut self, judgement: Judgement) {
        self.decision = self.decision.min(judgement.decision);
        let missing = judgement.missing;
        self.missing.authority |= missing.authority;
        self.missing.usage |= missing.usage;
        self.missing.node_capacity |= missing.node_capacity;
        for note in &judgement.verdict.approvals {
            if let ApprovalNote::Allowed { allowance, .. } = note {
                self.allowance = Some(allowance.clone());
            }
        }
        for ruling in judgement.rulings {
            let same = |known: &Ruled| {
                (known.rule, &known.container, &known.message)
                    == (ruling.rule, &ruling.container, &ruling.message)
            };
            if !self.findings.iter().any(same) {
                self.findings.push(ruling);
            }
        }
    }

    /// What the case may say to have it looked up, in words.
    pub(super) fn hints(&self) -> Vec<&'static str> {
        let hints = [
            (
                self.missing.authority,
                "a policy asks whether the requester may approve: say \"evidence.mayApprove\"",
            ),
            (
                self.missing.usage,
                "a policy asks for the live memory of the pod: say \"evidence.usage\"",
            ),
            (
                self.missing.node_capacity,
                "a policy asks what the node has left: say \"evidence.nodeRoom\"",
            ),
        ];
        hints.into_iter().filter_map(|(is_missing, hint)| is_missing.then_some(hint)).collect()
    }
}

/// Whether a grant became a stamp.
fn is_stamped(judgement: &Judgement) -> bool {
    let path = format!("/metadata/annotations/{STAMP_TOKEN}");
    judgement.patch.iter().any(|operation| operation["op"] == "add" && operation["path"] == *path)
}

/// Puts what `judgement` amends into the object of `review`.
fn amend(review: &mut Json, judgement: &Judgement) -> Result<(), String> {
    if judgement.patch.is_empty() {
        return Ok(());
    }
    let patch: json_patch::Patch = serde_json::from_value(judgement.patch.clone().into())
        .map_err(|error| error.to_string())?;
    let object = review.pointer_mut("/request/object").ok_or("the review has no object")?;
    json_patch::patch(object, &patch).map_err(|error| error.to_string())
}
