//! What comes of judging: plain data.

use super::finding::{ApprovalUse, Finding, PatchOperation};
use super::mode::{Cap, Mode};

/// What comes of judging one subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Every finding with what is done about it.
    pub rulings: Vec<Ruling>,
    /// The approvals that let a decrease through.
    pub approvals: Vec<ApprovalUse>,
    /// The operations that amend the object; empty unless on the mutating path.
    pub amendment: Vec<PatchOperation>,
    /// The cap that was in force.
    pub cap: Cap,
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
    pub applied: Mode,
}

impl Verdict {
    /// Whether the request is admitted.
    pub fn allowed(&self) -> bool {
        self.denials().next().is_none()
    }

    /// The findings that deny the request.
    pub fn denials(&self) -> impl Iterator<Item = &Ruling> {
        self.rulings.iter().filter(|ruling| ruling.applied == Mode::Enforce)
    }

    /// The findings the client is warned about.
    pub fn warnings(&self) -> impl Iterator<Item = &Ruling> {
        self.rulings.iter().filter(|ruling| ruling.applied == Mode::Warn)
    }
}

impl Ruling {
    /// The name of what is done, or would be done without the cap: a plain key for audit annotations and logs.
    pub fn outcome(&self) -> &'static str {
        match (self.wanted, self.applied) {
            (_, Mode::Fix) => "amended",
            (_, Mode::Enforce) => "denied",
            (Mode::Fix, _) => "would-amend",
            (Mode::Enforce, _) => "would-deny",
            (Mode::Warn, Mode::Warn) => "warned",
            (Mode::Warn, _) => "would-warn",
            _ => "noted",
        }
    }
}
