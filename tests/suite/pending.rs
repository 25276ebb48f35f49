//! `restraint approvals --pending` and `restraint approve --pending` against an API server that
//! knows pods and Events.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use restraint::approval::{GRANT_ANNOTATION, REQUESTED_ANNOTATION, STAMP_ANNOTATION};

use crate::approving::{assert_refused, run};
use crate::pods::{Pods, Webhook, pod, stamp};

const LIST: [&str; 2] = ["approvals", "--pending"];
const APPROVE: [&str; 4] = ["approve", "pod/db-0", "--pending", "--yes"];

#[test]
fn what_was_denied_is_listed_with_its_command() {
    let objects = [
        pod("db-0", json!({})),
        pod("db-1", json!({GRANT_ANNOTATION: "true"})),
        denied("a", "db-0", 10, &asked("dev@example.com", "app=256Mi", false)),
        denied("b", "db-1", 20, &asked("dev\u{1b}[2J\n`id`", "app=128Mi,side=32Mi", true)),
        denied("c", "gone", 5, &asked("dev", "app=1Mi", false)),
        denied("d", "db-0", 61, &asked("late", "app=1Mi", false)),
    ];
    let pods = Pods::start(Webhook::Stamps, objects);
    let (code, text, error) = run(&pods, &LIST);
    assert_eq!((code, &*error), (0, ""));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("NAMESPACE   POD    CLAIMED BY"), "{text}");
    assert!(lines[1].starts_with("shop        db-0   \"dev@example.com\"   "), "{text}");
    assert!(lines[1].contains("   app 512Mi -> 256Mi   "), "{text}");
    assert!(lines[2].contains("app 512Mi -> 128Mi, side 64Mi -> 32Mi, forced"), "{text}");
    let expected = [
        "",
        "to grant:",
        "  kubectl annotate pod db-0 -n shop restraint.dev/approve=app=256Mi",
        "  kubectl annotate pod db-1 -n shop restraint.dev/approve- && kubectl annotate pod db-1 -n shop restraint.dev/approve='app=128Mi,side=32Mi; force'",
    ];
    assert_eq!(lines[3..], expected);
    assert!(!text.contains('\u{1b}'));

    let (code, text, _) = run(&pods, &["approvals", "--pending", "-A", "-o", "json"]);
    let entries: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, entries.as_array().unwrap().len()), (0, 2), "{text}");
    assert_eq!(
        (&entries[0]["state"], &entries[0]["claimedBy"], &entries[0]["parts"]),
        (
            &json!("pending"),
            &json!("dev@example.com"),
            &json!([{"part": "app", "from": "512Mi", "to": "256Mi"}])
        )
    );
    let asked = pods.asked().into_iter().find(|path| path.contains("events")).unwrap();
    assert!(asked.contains("reportingController%3Drestraint.dev"), "{asked}");
}

#[test]
fn what_is_settled_is_not_listed() {
    let (_, bare) = pod("db-1", json!({}));
    let stamped = stamp("app=300Mi", &bare, &ago(5).to_string());
    let (_, smaller) = pod("db-2", json!({}));
    let smaller = {
        let mut smaller = smaller;
        smaller["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!("256Mi");
        ("/api/v1/namespaces/shop/pods/db-2".to_owned(), smaller)
    };
    let (path, mut recreated) = pod("db-3", json!({}));
    recreated["metadata"]["uid"] = json!("another");
    let ask = asked("dev", "app=256Mi", false);
    let objects = [
        pod("db-0", json!({})),
        denied("a", "db-0", 10, &ask),
        event("b", ("ApprovalGranted", "db-0"), 9, json!({})),
        pod("db-1", json!({STAMP_ANNOTATION: stamped})),
        denied("c", "db-1", 10, &ask),
        smaller,
        denied("d", "db-2", 10, &ask),
        (path, recreated),
        denied("e", "db-3", 10, &ask),
    ];
    let pods = Pods::start(Webhook::Stamps, objects);
    assert_eq!(run(&pods, &LIST), (0, String::new(), "no pending requests\n".to_owned()));
    let json = [&LIST[..], &["-o", "json"]].concat();
    assert_eq!(run(&pods, &json).1, "[]\n");
}

#[test]
fn hostile_events_are_malformed_and_bring_no_command() {
    let hostile = asked("dev", "app=1Mi; rm -rf ~", false);
    let objects = [
        pod("db-0", json!({})),
        denied("a", "db-0", 10, &hostile),
        denied("b", "$(id)\u{9b}2J", 10, &asked("dev", "app=1Mi", false)),
        denied("c", "db-0", 9, &asked("dev", "true", false)),
    ];
    let pods = Pods::start(Webhook::Stamps, objects);
    let (code, text, error) = run(&pods, &LIST);
    assert_eq!((code, &*error), (0, ""));
    assert!(text.contains("$(id)\\u{9b}2J") && !text.contains('\u{9b}'), "{text}");
    assert_eq!(text.matches("malformed: ").count(), 3, "{text}");
    assert!(!text.contains("kubectl") && !text.contains("rm -rf"), "{text}");

    let (code, text, error) = run(&pods, &APPROVE);
    assert_eq!((code, &*text), (2, ""));
    assert!(error.contains("malformed: it names no amounts; claimed by -"), "{error}");
    assert!(error.contains("pod/db-0 has no pending request"), "{error}");
    assert!(pods.patches().is_empty());
}

#[test]
fn exactly_what_was_denied_is_granted() {
    let objects = [
        pod("db-0", json!({})),
        denied("a", "db-0", 10, &asked("dev", "app=256Mi,side=32Mi", true)),
        denied("b", "db-1", 5, &asked("dev", "app=1Mi", true)),
    ];
    let pods = Pods::start(Webhook::Stamps, objects);
    let (code, text, error) =
        run(&pods, &[&APPROVE[..], &["--for", "30m", "--reason", "INC-4711"]].concat());
    assert_eq!(code, 0, "{error}");
    let shown =
        "pod/db-0: app 512Mi -> 256Mi, side 64Mi -> 32Mi, forced; claimed by \"dev\", denied ";
    assert!(error.starts_with(shown), "{error}");
    assert!(text.starts_with("pod/db-0 approved: app down to 256Mi, side down to 32Mi, forced"));
    let grant = "app=256Mi,side=32Mi; for=30m; force; reason=INC-4711";
    let patch = json!({"metadata": {"uid": "uid-db-0", "annotations": {GRANT_ANNOTATION: grant}}});
    assert_eq!(pods.patches(), [("/api/v1/namespaces/shop/pods/db-0?".to_owned(), patch)]);
}

#[test]
fn nobody_grants_unseen() {
    let objects = [
        pod("db-0", json!({})),
        denied("a", "db-0", 10, &asked("dev", "app=256Mi", false)),
        pod("db-1", json!({})),
        denied("b", "db-1", 10, &asked("dev", "app=256Mi", false)),
        denied("c", "db-1", 9, &asked("eve", "app=1Mi", false)),
        pod("db-2", json!({})),
    ];
    let pods = Pods::start(Webhook::Stamps, objects);
    let cases: [(&[&str], &str); 7] = [
        (
            &["approve", "pod/db-0", "--pending"],
            "there is no terminal: --yes grants without asking",
        ),
        (&["approve", "pod/db-1", "--pending", "--yes"], "pod/db-1 has 2 pending requests: choose"),
        (&["approve", "pod/db-2", "--pending", "--yes"], "pod/db-2 has no pending request"),
        (&["approve", "deploy/db", "--pending", "--yes"], "--pending is for one pod: say pod/NAME"),
        (&["approve", "pod/db-0", "--pending", "--memory", "app=1Mi"], "cannot be used with"),
        (&["approve", "pod/db-0", "--pending", "--force"], "cannot be used with"),
        (&["approve", "pod/db-0", "--memory", "app=1Mi", "--yes"], "cannot be used with"),
    ];
    assert_refused(&pods, &cases);
}

#[test]
fn missing_rights_come_with_the_way_out() {
    let objects =
        [pod("db-0", json!({})), denied("a", "db-0", 10, &asked("dev", "app=256Mi", false))];
    let pods = Pods::start(Webhook::Stamps, objects);
    pods.forbid("/apis/events.k8s.io/");
    for flags in [&LIST[..], &APPROVE] {
        let (code, _, error) = run(&pods, flags);
        assert_eq!(code, 2);
        assert!(error.contains("events cannot be listed in namespace \"shop\": alice may not"));
        let way_out = "; ask for \"list\" on \"events\" of \"events.k8s.io\": ClusterRole restraint-reader has it\n";
        assert!(error.ends_with(way_out), "{error}");
    }
    pods.forbid("/api/v1/namespaces/shop/pods/");
    let (code, _, error) = run(&pods, &LIST);
    assert_eq!(code, 2);
    assert!(
        error.contains("; ask for \"get\" on \"pods\": ClusterRole restraint-reader"),
        "{error}"
    );
}

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

fn asked(who: &str, parts: &str, force: bool) -> String {
    json!({"requester": who, "parts": parts, "from": {}, "force": force}).to_string()
}

/// A denial on the pod, so many minutes ago.
fn denied(name: &str, pod: &str, minutes: i64, requested: &str) -> (String, Value) {
    event(name, ("ResizeDenied", pod), minutes, json!({REQUESTED_ANNOTATION: requested}))
}

fn event(
    name: &str,
    (reason, pod): (&str, &str),
    minutes: i64,
    annotations: Value,
) -> (String, Value) {
    let event = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event",
        "metadata": {"name": name, "namespace": "shop", "annotations": annotations},
        "eventTime": format!("{:.6}", ago(minutes)), "reason": reason, "action": "Resize", "type": "Warning",
        "reportingController": "restraint.dev", "reportingInstance": "restraint-0",
        "regarding": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": pod, "uid": format!("uid-{pod}")},
    });
    (format!("/apis/events.k8s.io/v1/namespaces/shop/events/{name}"), event)
}
