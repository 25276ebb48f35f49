//! Events, replayed in order: each is judged by what is known until then, and then remembered.

use std::collections::HashSet;

use crate::judge::mode::Cap;
use crate::judge::policies::Policies;
use crate::judge::subject::{Operation, Resource};
use crate::recording::Decision;

use super::case::{Case, Told};
use super::entry::{Entry, named};
use super::event::{Answer, Event};
use super::memory::Memory;
use super::webhooks::said;

/// The most events whose names are kept, so that one that is in two files counts once.
const KNOWN: usize = 100_000;

/// What judges, and what is remembered.
pub(super) struct Replay<'p> {
    /// Whether Restraint's own words of then count as what these policies say.
    pub(super) takes_words: bool,
    pub(super) policies: &'p Policies,
    pub(super) against: Option<&'p Policies>,
    pub(super) cap: Cap,
    /// Namespaces that the hooks leave out.
    pub(super) excluded: &'p [String],
    pub(super) memory: Memory,
    /// How many requests were left out with their namespaces.
    pub(super) left_out: usize,
    /// How many events came twice.
    pub(super) repeated: usize,
    pub(super) assumed: Assumptions,
    known: HashSet<Box<str>>,
}

/// What was taken for granted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Assumptions {
    pub(super) usage: bool,
    pub(super) node: bool,
    pub(super) namespaces: bool,
    pub(super) requests_alone: bool,
}

impl<'p> Replay<'p> {
    /// One that remembers no more than `remember` objects.
    pub(super) fn of(
        policies: &'p Policies,
        against: Option<&'p Policies>,
        cap: Cap,
        remember: usize,
    ) -> Self {
        Self {
            takes_words: false,
            policies,
            against,
            cap,
            excluded: &[],
            memory: Memory::of(remember),
            left_out: 0,
            repeated: 0,
            assumed: Assumptions::default(),
            known: HashSet::new(),
        }
    }

    /// What comes of the event in `line`, if the hooks would have asked about it; `Err` where it is
    /// no event.
    pub(super) fn event(&mut self, line: &[u8]) -> Result<Option<Entry>, ()> {
        let event = Event::read(line).map_err(drop)?;
        if self.is_known(&event) {
            self.repeated = self.repeated.saturating_add(1);
            return Ok(None);
        }
        if &*event.stage != "RequestReceived" {
            self.memory.end(&event.audit_id);
        }
        let entry = if self.is_asked_about(&event) { Some(self.judge(&event)) } else { None };
        self.memory.learn(&event);
        Ok(entry)
    }

    /// Whether the event came before, in another file.
    fn is_known(&mut self, event: &Event<'_>) -> bool {
        if !event.is_complete() || event.audit_id.is_empty() {
            return false;
        }
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        !self.known.insert((*event.audit_id).into())
    }

    fn is_asked_about(&mut self, event: &Event<'_>) -> bool {
        let is_write = matches!(event.operation(), Operation::Create | Operation::Update)
            && event.is_complete()
            && !event.namespace().is_empty();
        let is_judged = match event.resource() {
            Resource::Other | Resource::ConfigMap | Resource::Secret => false,
            // nothing but approvals is asked about there
            Resource::PodStatus | Resource::PodBinding | Resource::Binding => {
                let keys = &self.policies.context().approval_annotations;
                let body = event.request_object.map_or("", |raw| raw.get());
                keys.iter().any(|key| body.contains(key.as_str()))
            }
            _ => true,
        };
        if !(is_write && is_judged) {
            return false;
        }
        let is_left_out = self.excluded.iter().any(|name| name == event.namespace());
        self.left_out = self.left_out.saturating_add(usize::from(is_left_out));
        !is_left_out
    }

    fn judge(&mut self, event: &Event<'_>) -> Entry {
        let case = Case::of(event, &self.memory);
        let mut entry = entry(event, &case);
        let words = said(event, self.cap);
        let was_denied = words.as_ref().is_some_and(|said| said.decision == Decision::Denied)
            && event.answer() == Answer::Refused(403);
        match event.answer() {
            Answer::Done => {}
            Answer::Refused(_) if was_denied => {}
            Answer::Refused(code) => {
                entry.decision = Decision::Refused;
                entry.reason = format!("{code} {}", event.refusal()).trim_end().to_owned();
                return entry;
            }
            Answer::Failed(code) => {
                entry.tell(Told::unknown(format!("the API server failed with {code}")));
                return entry;
            }
            Answer::Unsaid => {
                entry.tell(Told::unknown("the answer is not in the log"));
                return entry;
            }
        }
        self.assumed.namespaces |= !case.knows_namespace();
        self.assumed.requests_alone |= &*event.level == "Request";
        match words {
            Some(said) if self.takes_words => {
                entry.decision = said.decision;
                entry.rules = said.rules;
                entry.reason = said.text;
                entry.said = true;
            }
            words => {
                let told = case.judged_by(self.policies);
                self.assumed.usage |= told.assumed.usage;
                self.assumed.node |= told.assumed.node;
                entry.tell(told);
                if self.against.is_none()
                    && let Some(said) = words
                {
                    entry.compare(said.decision, Some(said.rules));
                }
            }
        }
        if let Some(against) = self.against {
            let before = case.judged_by(against);
            entry.compare(before.decision, Some(before.rules));
        }
        entry
    }
}

/// What is asked, and by whom.
fn entry(event: &Event<'_>, case: &Case) -> Entry {
    Entry {
        audit_id: event.audit_id.to_string(),
        time: event.received(),
        namespace: event.namespace().to_owned(),
        name: case.name().to_owned(),
        requester: event.username(),
        resource: named(event.plural(), event.subresource()),
        operation: event.operation().as_str(),
        dry_run: event.is_dry_run(),
        decision: Decision::Unknown,
        ..Entry::default()
    }
}

#[cfg(test)]
mod tests;
