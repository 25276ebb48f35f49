//! Which verdicts are told, and in which words.

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
    let granted = Verdict { approvals: vec![ApprovalNote::Granted(stamp())], ..Verdict::default() };
    let words = r#""alice": any decrease by "alice" from 2026-11-21T12:00:00Z until 2026-11-21T13:00:00Z, reason "INC-1""#;
    assert_eq!(
        of(Path::Validate, ("", false, "u"), &granted),
        [(Reason::ApprovalGranted, words.to_owned())]
    );
    assert_eq!(of(Path::Mutate, ("", false, "u"), &granted), []);
    let used = ApprovalNote::Used { changes: vec![decrease()], stamp: stamp() };
    let used = Verdict { approvals: vec![used], ..Verdict::default() };
    let words = words.replacen(": ", ": container \"app\" 512Mi to 256Mi, approved: ", 1);
    assert_eq!(of(Path::Validate, ("resize", false, "u"), &used), [(Reason::ApprovalUsed, words)]);
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
    let expected = [(Reason::ResizeDenied, "\"alice\": one: too small; three: late".to_owned())];
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
        let start = r#"{"requester":"alice","parts":"app=256Mi","from":{"app":"512Mi"},"force":"#;
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
    assert!((NOTE_LIMIT - 4..=NOTE_LIMIT).contains(&note.len()) && note.ends_with('…'), "{note}");
}
