//! `restraint approvals` and `revoke` against an API server that knows pods.

use jiff::Timestamp;
use serde_json::{Value, json};

use restraint::approval::{GRANT_ANNOTATION, STAMP_ANNOTATION};

use crate::approving::{call, run};
use crate::pods::{Pods, Webhook, pod, stamp};

#[test]
fn approvals_are_listed_page_by_page() {
    let stamped = |name: &str, granted: &str| {
        let (_, bare) = pod(name, json!({}));
        pod(
            name,
            json!({STAMP_ANNOTATION: stamp("app=256Mi; for=24h; reason=INC-4711", &bare, granted)}),
        )
    };
    let now = Timestamp::now().to_string();
    let objects = [
        stamped("a", &now),
        pod("b", json!({})),
        stamped("c", "2025-01-01T00:00:00Z"),
        pod("d", json!({GRANT_ANNOTATION: "true"})),
        pod("e", json!({})),
    ];
    let pods = Pods::start(Webhook::Sleeps, objects);
    let (code, text, error) = run(&pods, &["approvals"]);
    assert_eq!((code, &*error), (0, ""));
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(lines[0], ["NAMESPACE", "POD", "MEMORY", "APPROVER", "UNTIL", "REASON", "STATE"]);
    let cells = |line: &[&str]| (line[1].to_owned(), line[6].to_owned());
    assert_eq!(lines[1][..4], ["shop", "a", "app down to 256Mi", "alice@example.com"]);
    assert_eq!(cells(&lines[1]), ("a".to_owned(), "usable".to_owned()));
    assert_eq!(cells(&lines[2]), ("c".to_owned(), "expired".to_owned()));
    assert_eq!(lines[3], ["shop", "d", "-", "-", "-", "-", "grant without a stamp: no effect"]);
    assert_eq!((lines.len(), pods.lists()), (4, 3), "five pods in pages of two");

    let (code, text, _) = run(&pods, &["approvals", "-A", "-o", "json"]);
    let entries: Value = serde_json::from_str(&text).unwrap();
    let states: Vec<&str> =
        entries.as_array().unwrap().iter().map(|entry| entry["state"].as_str().unwrap()).collect();
    assert_eq!((code, &*states), (0, &["usable", "expired", "grant-without-stamp"][..]));
    assert!(entries.as_array().unwrap().iter().all(|entry| entry["sealChecked"] == false));

    assert_eq!(
        run(&pods, &["approvals", "-n", "empty", "-o", "json"]),
        (0, "[]\n".to_owned(), "no approvals\n".to_owned())
    );
    assert_eq!(
        run(&pods, &["approvals", "-n", "empty"]),
        (0, String::new(), "no approvals\n".to_owned())
    );
}

#[test]
fn a_list_that_became_too_old_is_started_again() {
    let objects = ["a", "b", "c"].map(|name| pod(name, json!({GRANT_ANNOTATION: "true"})));
    let pods = Pods::start(Webhook::Sleeps, objects.clone());
    pods.forget(1);
    let (code, text, error) = run(&pods, &["approvals"]);
    assert_eq!((code, text.lines().count(), &*error), (0, 4, ""), "{text}");
    assert_eq!(pods.lists(), 4);

    pods.forget(usize::MAX);
    let (code, text, error) = run(&pods, &["approvals"]);
    assert_eq!(
        (code, &*text, &*error),
        (2, "", "restraint: pods cannot be listed in namespace \"shop\": too old\n")
    );
}

#[test]
fn help_says_what_cannot_be_known() {
    let (code, text, _) = call(env!("CARGO_BIN_EXE_restraint"), &[], &["approvals", "--help"]);
    assert!(code == 0 && text.contains("only the service can tell"), "{text}");
}

#[test]
fn revoking_removes_everything() {
    let annotations = json!({"approved-by-sre": "true", GRANT_ANNOTATION: "true", STAMP_ANNOTATION: "x", "team": "db"});
    let pods = Pods::start(Webhook::Sleeps, [pod("db-0", annotations)]);
    let (code, text, _) = run(&pods, &["revoke", "pod/db-0", "--dry-run=server"]);
    assert_eq!(
        (code, &*text),
        (0, "pod/db-0 revoked (server dry run, nothing is stored): a malformed stamp\n")
    );
    assert!(pods.annotation("db-0", STAMP_ANNOTATION).is_some());
    let (code, text, _) = run(&pods, &["revoke", "pod/db-0", "-o", "json"]);
    let revocations: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &revocations[0]["removed"]),
        (0, &json!([STAMP_ANNOTATION, GRANT_ANNOTATION, "approved-by-sre"]))
    );
    for key in [STAMP_ANNOTATION, GRANT_ANNOTATION, "approved-by-sre"] {
        assert_eq!(pods.annotation("db-0", key), None);
    }
    assert_eq!(pods.annotation("db-0", "team").as_deref(), Some("db"));
    assert_eq!(
        run(&pods, &["revoke", "pod/db-0"]),
        (0, "pod/db-0: nothing to revoke\n".to_owned(), String::new())
    );
}
