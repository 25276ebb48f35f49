//! What becomes an event: a function of a review and its verdict.

use crate::approval::ApprovalNote;
use crate::judge::finding::Lift;
use crate::judge::subject::{Resource, Subject};
use crate::judge::verdict::{Outcome, Verdict};
use crate::judge::view;
use crate::kube::object::OwnerReference;
use crate::review::Path;
use crate::yaml::suggest::quoted;

/// The longest note the API server takes, in bytes.
const NOTE_LIMIT: usize = 1024;

/// Something that happened to a pod or a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    pub(super) reason: Reason,
    /// What happened, in sentences.
    pub(super) note: String,
    /// What was asked for and denied, for programs: the text of the annotation.
    pub(super) requested: Option<String>,
    /// The namespace.
    pub(super) namespace: String,
    /// What it happened to.
    pub(super) regarding: Regarding,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Regarding {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// Empty where it is not known.
    pub(super) uid: String,
}

impl Occurrence {
    /// What it happened to, told apart from all else.
    pub(super) fn place(&self) -> String {
        let Regarding { kind, name, uid, .. } = &self.regarding;
        if uid.is_empty() { format!("{}/{kind}/{name}", self.namespace) } else { uid.clone() }
    }
}

#[cfg(test)]
impl Occurrence {
    /// Something that happened to the pod `shop/db-0` with this uid.
    pub(super) fn to_pod(uid: &str, reason: Reason, note: &str) -> Self {
        Self {
            reason,
            note: note.to_owned(),
            requested: None,
            namespace: "shop".to_owned(),
            regarding: Regarding {
                api_version: "v1".to_owned(),
                kind: "Pod".to_owned(),
                name: "db-0".to_owned(),
                uid: uid.to_owned(),
            },
        }
    }
}

/// The kind of thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reason {
    /// A grant was turned into a stamp that is about to be stored.
    ApprovalGranted,
    /// A grant, or a stamp that somebody wrote, was denied.
    ApprovalRefused,
    /// A decrease went through by an approval.
    ApprovalUsed,
    /// A decrease went through by an allowance.
    AllowanceUsed,
    /// What automation lowered was put back.
    MemoryRestored,
    /// A resize was denied.
    ResizeDenied,
    /// A container needs configuration at its next start that is gone.
    ConfigurationMissing,
    /// A running container does not see a change of its configuration.
    ConfigurationUnseen,
}

impl Reason {
    /// The word for it in an event.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::ApprovalGranted => "ApprovalGranted",
            Self::ApprovalRefused => "ApprovalRefused",
            Self::ApprovalUsed => "ApprovalUsed",
            Self::AllowanceUsed => "AllowanceUsed",
            Self::MemoryRestored => "MemoryRestored",
            Self::ResizeDenied => "ResizeDenied",
            Self::ConfigurationMissing => "ConfigurationMissing",
            Self::ConfigurationUnseen => "ConfigurationUnseen",
        }
    }

    /// What was attempted.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::ApprovalGranted | Self::ApprovalRefused => "Approve",
            Self::ApprovalUsed
            | Self::AllowanceUsed
            | Self::MemoryRestored
            | Self::ResizeDenied => "Resize",
            Self::ConfigurationMissing | Self::ConfigurationUnseen => "Configure",
        }
    }

    /// Whether somebody should look.
    pub(super) fn is_warning(self) -> bool {
        matches!(self, Self::ApprovalRefused | Self::MemoryRestored | Self::ResizeDenied)
            || self.is_of_configuration()
    }

    /// Whether it is told to all who use a ConfigMap, of which there may be many.
    pub(super) fn is_of_configuration(self) -> bool {
        matches!(self, Self::ConfigurationMissing | Self::ConfigurationUnseen)
    }
}

/// What happened in a review that is worth an event on the pod. A dry run is nothing that happened,
/// and what was denied used no approval.
pub(super) fn occurrences(path: Path, subject: &Subject<'_>, verdict: &Verdict) -> Vec<Occurrence> {
    let restored = restored(verdict);
    let silent = verdict.approvals.is_empty() && verdict.allowed() && restored.is_empty();
    if subject.dry_run || silent {
        return Vec::new();
    }
    let is_pod =
        matches!(subject.resource, Resource::Pod | Resource::PodResize | Resource::PodStatus);
    let stored = subject.old_object.as_ref().map(|old| &old.metadata);
    let Some(stored) = stored.filter(|stored| is_pod && !stored.uid.is_empty()) else {
        return Vec::new();
    };
    let sentences =
        if verdict.allowed() { successes(path, verdict) } else { denial(path, subject, verdict) };
    let pod = Regarding {
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        name: subject.name.to_string(),
        uid: stored.uid.to_string(),
    };
    let who = &*subject.requester.username;
    let occurrence = |reason, sentences, regarding| {
        let namespace = subject.namespace.to_string();
        let requested = match reason {
            Reason::ResizeDenied => requested(subject, verdict),
            _ => None,
        };
        Occurrence { reason, note: note(who, sentences), requested, namespace, regarding }
    };
    let mut told: Vec<_> = sentences
        .into_iter()
        .map(|(reason, sentences)| occurrence(reason, sentences, pod.clone()))
        .collect();
    if !restored.is_empty() {
        // whoever looks for the reason of a loop looks at the workload first
        told.extend(
            stored
                .controller()
                .map(controller)
                .map(|owner| occurrence(Reason::MemoryRestored, restored.clone(), owner)),
        );
        told.push(occurrence(Reason::MemoryRestored, restored, pod));
    }
    told
}

fn controller(owner: &OwnerReference<'_>) -> Regarding {
    Regarding {
        api_version: owner.api_version.to_string(),
        kind: owner.kind.to_string(),
        name: owner.name.to_string(),
        uid: owner.uid.to_string(),
    }
}

/// What was put back, and how that ends. Equal for all pods of a workload, so that it is one
/// series there.
fn restored(verdict: &Verdict) -> Vec<String> {
    let restored = verdict.rulings.iter().filter(|ruling| ruling.outcome == Outcome::Restored);
    let mut sentences: Vec<String> = restored
        .clone()
        .map(|ruling| format!("{}: {}", ruling.rule, ruling.finding.message))
        .collect();
    sentences.extend(restored.map(|ruling| ruling.finding.remedy.to_string()).next());
    sentences
}

/// The validating path speaks last: only there it is certain that a stamp is about to be stored.
fn successes(path: Path, verdict: &Verdict) -> Vec<(Reason, Vec<String>)> {
    let sentences = |wanted: fn(&ApprovalNote) -> bool| {
        verdict
            .approvals
            .iter()
            .filter(|note| wanted(note))
            .map(|note| format!("{note:#}"))
            .collect::<Vec<_>>()
    };
    let granted =
        (Reason::ApprovalGranted, sentences(|note| matches!(note, ApprovalNote::Granted(_))));
    let used = (Reason::ApprovalUsed, sentences(|note| matches!(note, ApprovalNote::Used { .. })));
    let allowed =
        (Reason::AllowanceUsed, sentences(|note| matches!(note, ApprovalNote::Allowed { .. })));
    [granted, used, allowed]
        .into_iter()
        .filter(|(_, sentences)| path == Path::Validate && !sentences.is_empty())
        .collect()
}

/// A grant is mostly denied on the mutating path, and then the other is never asked.
fn denial(path: Path, subject: &Subject<'_>, verdict: &Verdict) -> Vec<(Reason, Vec<String>)> {
    let refused = verdict.approvals.iter().any(|note| matches!(note, ApprovalNote::Refused(_)));
    let reason = match (subject.resource, path) {
        (Resource::PodResize, Path::Validate) => Reason::ResizeDenied,
        _ if refused => Reason::ApprovalRefused,
        _ => return Vec::new(),
    };
    let sentences = verdict
        .denials()
        .map(|ruling| format!("{}: {}", ruling.rule, ruling.finding.message))
        .collect();
    vec![(reason, sentences)]
}

/// What an approver could grant so that the same request passes next time.
fn requested(subject: &Subject<'_>, verdict: &Verdict) -> Option<String> {
    let lifts = || verdict.denials().filter_map(|ruling| ruling.finding.lifted_by);
    let forced = lifts().any(|lift| lift == Lift::ForcedGrant);
    lifts().next()?;
    Some(view::requested(subject, forced)?.text())
}

/// Who asked, as the API server knows them, and what came of it.
pub(super) fn note(who: &str, sentences: Vec<String>) -> String {
    let mut note = format!("{}: {}", quoted(who), sentences.join("; "));
    if note.len() > NOTE_LIMIT {
        note.truncate(note.floor_char_boundary(NOTE_LIMIT.saturating_sub("…".len())));
        note.push('…');
    }
    note
}

#[cfg(test)]
mod tests;
