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
mod tests {
    use crate::approval::{LimitChange, Refusal, Stamp};
    use crate::judge::finding::Finding;
    use crate::judge::mode::Mode;
    use crate::judge::verdict::Ruling;
    use crate::review::decode;

    use super::*;

    fn stamp() -> Box<Stamp> {
        let text = r#"{"version":1,"approver":"alice","memory":"true","granted":"2026-11-21T12:00:00Z",
            "expires":"2026-11-21T13:00:00Z","uid":"u","generation":1,"reason":"INC-1","key":"k","seal":"s"}"#;
        Box::new(serde_json::from_str(text).unwrap())
    }

    fn decrease() -> LimitChange {
        LimitChange {
            container: Some("app".to_owned()),
            from: "512Mi".to_owned(),
            to: "256Mi".to_owned(),
        }
    }

    fn ruling(rule: &'static str, message: &str, outcome: Outcome) -> Ruling {
        let finding = Finding::new(rule, "/spec".to_owned(), |_| message.to_owned(), "none");
        Ruling { rule, finding, wanted: Mode::Enforce, outcome }
    }

    fn review((subresource, dry_run, uid): (&str, bool, &str)) -> Vec<u8> {
        let pod = |memory: &str| {
            let spec = serde_json::json!({"containers": [{"name": "app", "resources": {"limits": {"memory": memory}}}]});
            serde_json::json!({"metadata": {"name": "db-0", "namespace": "shop", "uid": uid}, "spec": spec})
        };
        let review = serde_json::json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "review", "operation": "UPDATE", "namespace": "shop", "name": "db-0", "dryRun": dry_run,
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"}, "subResource": subresource,
            "userInfo": {"username": "alice"}, "object": pod("256Mi"), "oldObject": pod("512Mi"),
        }});
        serde_json::to_vec(&review).unwrap()
    }

    fn of(path: Path, request: (&str, bool, &str), verdict: &Verdict) -> Vec<(Reason, String)> {
        let uid = request.2;
        let bytes = review(request);
        let told = occurrences(path, &decode(&bytes).unwrap().subject, verdict);
        assert!(
            told.iter().filter(|told| told.regarding.kind == "Pod").all(|told| (
                &*told.namespace,
                &*told.regarding.name,
                &*told.regarding.uid
            ) == (
                "shop", "db-0", uid
            )),
            "{told:?}"
        );
        told.into_iter().map(|told| (told.reason, told.note)).collect()
    }

    #[test]
    fn a_grant_and_a_use_are_told_in_their_own_words() {
        let granted =
            Verdict { approvals: vec![ApprovalNote::Granted(stamp())], ..Verdict::default() };
        let words = r#""alice": any decrease by "alice" from 2026-11-21T12:00:00Z until 2026-11-21T13:00:00Z, reason "INC-1""#;
        assert_eq!(
            of(Path::Validate, ("", false, "u"), &granted),
            [(Reason::ApprovalGranted, words.to_owned())]
        );
        assert_eq!(of(Path::Mutate, ("", false, "u"), &granted), []);
        let used = ApprovalNote::Used { changes: vec![decrease()], stamp: stamp() };
        let used = Verdict { approvals: vec![used], ..Verdict::default() };
        let words = words.replacen(": ", ": container \"app\" 512Mi to 256Mi, approved: ", 1);
        assert_eq!(
            of(Path::Validate, ("resize", false, "u"), &used),
            [(Reason::ApprovalUsed, words)]
        );
    }

    #[test]
    fn a_denial_is_told_and_what_it_took_back_is_not() {
        let rulings = vec![
            ruling("one", "too small", Outcome::Denied),
            ruling("two", "odd", Outcome::Warned),
            ruling("three", "late", Outcome::Denied),
        ];
        let used = ApprovalNote::Used { changes: vec![decrease()], stamp: stamp() };
        let denied = Verdict { rulings, approvals: vec![used], ..Verdict::default() };
        let expected =
            [(Reason::ResizeDenied, "\"alice\": one: too small; three: late".to_owned())];
        assert_eq!(of(Path::Validate, ("resize", false, "u"), &denied), expected);
        assert_eq!(of(Path::Validate, ("", false, "u"), &denied), [], "no resize and no grant");
    }

    #[test]
    fn a_denial_carries_what_was_asked_for() {
        let carried = |lift: Option<Lift>, outcome, subresource| {
            let mut lifted = ruling("memory-limit-decrease", "too small", outcome);
            lifted.finding.lifted_by = lift;
            let rulings = vec![ruling("one", "odd", Outcome::Denied), lifted];
            let approvals = vec![ApprovalNote::Refused(Refusal::NotAllowed)];
            let denied = Verdict { rulings, approvals, ..Verdict::default() };
            let bytes = review((subresource, false, "u"));
            let told = occurrences(Path::Validate, &decode(&bytes).unwrap().subject, &denied);
            let [told] = told.as_slice() else { panic!("{told:?}") };
            told.requested.clone()
        };
        let text = |force| {
            let start =
                r#"{"requester":"alice","parts":"app=256Mi","from":{"app":"512Mi"},"force":"#;
            Some(format!("{start}{force}}}"))
        };
        let grant = Some(Lift::Grant);
        assert_eq!(carried(grant, Outcome::Denied, "resize"), text(false));
        assert_eq!(carried(Some(Lift::ForcedGrant), Outcome::Denied, "resize"), text(true));
        assert_eq!(carried(None, Outcome::Denied, "resize"), None, "no grant lifts it");
        assert_eq!(carried(grant, Outcome::Warned, "resize"), None, "it is not what denies");
        assert_eq!(carried(grant, Outcome::Denied, ""), None, "no resize");
    }

    #[test]
    fn a_refused_grant_is_told_wherever_it_is_denied() {
        let refused = |outcome| Verdict {
            rulings: vec![ruling("approval-authority", "\"bob\" may not approve", outcome)],
            approvals: vec![ApprovalNote::Refused(Refusal::NotAllowed)],
            ..Verdict::default()
        };
        let expected = [(
            Reason::ApprovalRefused,
            "\"alice\": approval-authority: \"bob\" may not approve".to_owned(),
        )];
        for (path, subresource) in
            [(Path::Mutate, ""), (Path::Validate, ""), (Path::Validate, "status")]
        {
            assert_eq!(of(path, (subresource, false, "u"), &refused(Outcome::Denied)), expected);
        }
        assert_eq!(of(Path::Mutate, ("", false, "u"), &refused(Outcome::WouldDeny)), []);
    }

    #[test]
    fn dry_runs_and_pods_without_a_uid_are_silent() {
        let denied = Verdict {
            rulings: vec![ruling("one", "too small", Outcome::Denied)],
            ..Verdict::default()
        };
        assert_eq!(of(Path::Validate, ("resize", true, "u"), &denied), []);
        assert_eq!(of(Path::Validate, ("resize", false, ""), &denied), []);
        assert_eq!(of(Path::Validate, ("binding", false, "u"), &denied), []);
    }

    #[test]
    fn notes_fit_what_the_api_server_takes() {
        let rulings = (0..40).map(|_| ruling("one", &"ä".repeat(60), Outcome::Denied)).collect();
        let denied = Verdict { rulings, ..Verdict::default() };
        let told = of(Path::Validate, ("resize", false, "u"), &denied);
        let [(_, note)] = told.as_slice() else { panic!("{told:?}") };
        assert!(
            (NOTE_LIMIT - 4..=NOTE_LIMIT).contains(&note.len()) && note.ends_with('…'),
            "{note}"
        );
    }
}
