//! What comes of judging: plain data.

use crate::approval::{ApprovalNote, STAMP_ANNOTATION, Stamp, StampTarget};

use super::finding::{Finding, Findings};
use super::mode::{Cap, Mode};
use super::patch::{PatchOperation, PatchValue, pointer_token};
use super::policies::Policies;
use super::policy::Policy;
use super::subject::{Operation, Resource, Subject};

/// What comes of judging one subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Every finding with what is done about it.
    pub rulings: Vec<Ruling>,
    /// What happened to approvals.
    pub approvals: Vec<ApprovalNote>,
    /// The operations that amend the object; empty unless on the mutating path.
    pub amendment: Vec<PatchOperation>,
    /// The stamp that is to be sealed before the answer is written; only on the mutating path.
    pub stamp: Option<Box<Stamp>>,
    /// Why a new pod probably comes without what a policy in mode `fix` would have fixed; only on
    /// the validating path.
    pub missed_fix: Option<MissedFix>,
    /// The cap that was in force.
    pub cap: Cap,
    /// Whether messages have whole names.
    pub(crate) whole: bool,
}

/// Why a new pod probably comes without its fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MissedFix {
    /// Nothing in it is fixed: the mutating hook did not act.
    MutatingHook,
    /// It is fixed in part: another webhook acted afterwards.
    OtherWebhook,
    /// The policies changed a moment ago, and another replica may not hold these yet.
    OtherPolicies,
}

impl MissedFix {
    /// Every cause.
    pub const ALL: [Self; 3] = [Self::MutatingHook, Self::OtherWebhook, Self::OtherPolicies];

    /// The word for it in metrics, logs and audit annotations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MutatingHook => "mutating-hook",
            Self::OtherWebhook => "other-webhook",
            Self::OtherPolicies => "other-policies",
        }
    }
}

/// A finding and what is done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// The rule that found it.
    pub rule: &'static str,
    /// What is wrong.
    pub finding: Finding,
    /// What the policy asks for.
    pub wanted: Mode,
    /// What is done under the cap in force.
    pub outcome: Outcome,
}

/// What is done about a finding, or would be done without the cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The request is denied.
    Denied,
    /// The fault is fixed in a new pod.
    Amended,
    /// What automation lowered is restored.
    Restored,
    /// `Denied`, but for the cap.
    WouldDeny,
    /// `Amended`, but for the cap.
    WouldAmend,
    /// `Restored`, but for the cap.
    WouldRestore,
    /// The client is told.
    Warned,
    /// `Warned`, but for the cap.
    WouldWarn,
    /// It is recorded.
    Noted,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 9] = [
        Self::Denied,
        Self::Amended,
        Self::Restored,
        Self::WouldDeny,
        Self::WouldAmend,
        Self::WouldRestore,
        Self::Warned,
        Self::WouldWarn,
        Self::Noted,
    ];

    /// What comes of a finding whose policy asks for `wanted` where `applied` is left of that.
    pub fn of(wanted: Mode, applied: Mode) -> Self {
        match (wanted, applied) {
            (_, Mode::Fix) => Self::Amended,
            (_, Mode::Enforce) => Self::Denied,
            (Mode::Fix, _) => Self::WouldAmend,
            (Mode::Enforce, _) => Self::WouldDeny,
            (Mode::Warn, Mode::Warn) => Self::Warned,
            (Mode::Warn, _) => Self::WouldWarn,
            _ => Self::Noted,
        }
    }

    /// The name of it: a plain key for audit annotations, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Amended => "amended",
            Self::Restored => "restored",
            Self::WouldDeny => "would-deny",
            Self::WouldAmend => "would-amend",
            Self::WouldRestore => "would-restore",
            Self::Warned => "warned",
            Self::WouldWarn => "would-warn",
            Self::Noted => "noted",
        }
    }
}

impl Verdict {
    /// One without findings yet.
    pub(super) fn under(cap: Cap, policies: &Policies) -> Self {
        Self { cap, whole: policies.context().whole_messages, ..Self::default() }
    }

    /// Whether the request is admitted.
    pub fn allowed(&self) -> bool {
        self.denials().next().is_none()
    }

    /// The findings that deny the request.
    pub fn denials(&self) -> impl Iterator<Item = &Ruling> {
        self.rulings.iter().filter(|ruling| ruling.outcome == Outcome::Denied)
    }

    /// The findings the client is warned about: under a cap of `warn` also those that would deny,
    /// amend or keep.
    pub fn warnings(&self) -> impl Iterator<Item = &Ruling> {
        let capped = self.cap == Cap::Warn;
        self.rulings.iter().filter(move |ruling| match ruling.outcome {
            Outcome::Warned | Outcome::Restored => true,
            Outcome::WouldDeny | Outcome::WouldAmend | Outcome::WouldRestore => capped,
            _ => false,
        })
    }

    /// Records what `policy` found, with the mode `wanted` of each finding unless it deserves less.
    pub(super) fn record(
        &mut self,
        policy: &Policy,
        findings: Findings,
        wanted: impl Fn(&Finding) -> Mode,
    ) {
        let cap = self.cap;
        self.record_as(policy, findings, |finding| {
            let wanted = finding.mode(wanted(finding));
            (wanted, Outcome::of(wanted, wanted.under(cap)))
        });
    }

    /// Records what `policy` found, each finding with what `decide` says of it. Two policies with
    /// one rule may find the same thing: the stronger counts, once.
    pub(super) fn record_as(
        &mut self,
        policy: &Policy,
        findings: Findings,
        decide: impl Fn(&Finding) -> (Mode, Outcome),
    ) {
        let (rule, earlier) = (policy.rule.name, self.rulings.len());
        for finding in findings.list {
            let (wanted, outcome) = decide(&finding);
            let finding = finding.settled(self.whole);
            let same = |known: &&mut Ruling| {
                known.rule == rule && known.finding.identity() == finding.identity()
            };
            match self.rulings.iter_mut().take(earlier).find(same) {
                Some(known) if known.wanted < wanted => {
                    *known = Ruling { rule, finding, wanted, outcome }
                }
                Some(_) => {}
                None => self.rulings.push(Ruling { rule, finding, wanted, outcome }),
            }
        }
    }

    /// Takes the notes about approvals over. Two policies with one rule note the same thing: once
    /// is enough.
    pub(super) fn take_notes(&mut self, findings: &mut Findings) {
        for note in findings.approvals.drain(..) {
            if !self.approvals.contains(&note) {
                self.approvals.push(note);
            }
        }
    }

    /// Makes the amendment of the edits that fix or restore.
    pub(super) fn take_edits(&mut self) {
        let acted_on =
            |ruling: &&mut Ruling| matches!(ruling.outcome, Outcome::Amended | Outcome::Restored);
        let edits = self
            .rulings
            .iter_mut()
            .filter(acted_on)
            .filter_map(|ruling| ruling.finding.edit.take());
        self.amendment = edits.flat_map(|edit| edit.0).collect();
    }

    /// The verdict of the validating path on `subject`, which comes to the mutating path as well:
    /// under a cap nothing is fixed, and the mutating path alone says so of a new pod, which counts
    /// once.
    pub fn on_creation(mut self, subject: &Subject<'_>) -> Self {
        if subject.resource == Resource::Pod && subject.operation == Operation::Create {
            self.rulings.retain(|ruling| ruling.outcome != Outcome::WouldAmend);
        }
        self
    }

    /// Seals the stamp, if there is one, and puts it into the amendment.
    pub fn seal(&mut self, place: StampTarget<'_>, key: &str, seal: impl FnOnce(&[u8]) -> String) {
        let Some(stamp) = self.stamp.take() else { return };
        let value = PatchValue::Text(stamp.sealed(place, key, seal).text());
        let path = format!("/metadata/annotations/{}", pointer_token(STAMP_ANNOTATION));
        self.amendment.push(PatchOperation::Add { path, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_turns_what_is_done_into_what_would_be_done() {
        let cases = [
            (Mode::Fix, [Outcome::WouldAmend, Outcome::WouldAmend, Outcome::Amended]),
            (Mode::Enforce, [Outcome::WouldDeny, Outcome::WouldDeny, Outcome::Denied]),
            (Mode::Warn, [Outcome::WouldWarn, Outcome::Warned, Outcome::Warned]),
            (Mode::Audit, [Outcome::Noted; 3]),
        ];
        for (wanted, outcomes) in cases {
            assert_eq!(
                Cap::ALL.map(|cap| Outcome::of(wanted, wanted.under(cap))),
                outcomes,
                "{wanted}"
            );
        }
    }
}
