//! `restraint approve`, and what all commands of approvers share, against an API server that knows
//! pods.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::Output;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

use restraint::approval::{GRANT_ANNOTATION, STAMP_ANNOTATION, Stamp};

use crate::pods::{Pods, Webhook, pod};
use crate::server::PATIENCE;

const APPROVE: [&str; 4] = ["approve", "pod/db-0", "--memory", "app=256Mi"];

#[test]
fn a_grant_is_stamped() {
    let pods = Pods::start(Webhook::Stamps, [pod("db-0", json!({"team": "db"}))]);
    let (code, text, error) =
        run(&pods, &[&APPROVE[..], &["--for", "30m", "--reason", "INC-4711; see wiki"]].concat());
    let expected = "pod/db-0 approved: app down to 256Mi, by alice@example.com, until 2026-11-21T13:34:56Z (30 min); used by its next resize, invalid if its spec changes\n";
    assert_eq!((code, &*text, &*error), (0, expected, ""));
    let grant = "app=256Mi; for=30m; reason=INC-4711; see wiki";
    let patch = json!({"metadata": {"uid": "uid-db-0", "annotations": {GRANT_ANNOTATION: grant}}});
    assert_eq!(pods.patches(), [("/api/v1/namespaces/shop/pods/db-0?".to_owned(), patch)]);
    let stamp = Stamp::parse(&pods.annotation("db-0", STAMP_ANNOTATION).unwrap()).unwrap();
    assert_eq!(stamp.reason.as_deref(), Some("INC-4711; see wiki"));
    assert_eq!(pods.annotation("db-0", GRANT_ANNOTATION), None);
}

#[test]
fn two_words_and_more_memory_name_the_same() {
    let pods = Pods::start(Webhook::Stamps, [pod("db-0", json!({}))]);
    let flags = [
        "approve",
        "pod",
        "db-0",
        "-n",
        "shop",
        "--context",
        "there",
        "--memory",
        "app=256Mi,side=32Mi",
        "--memory",
        "@pod=1Gi",
        "--force",
    ];
    let (code, text, _) = run(&pods, &flags);
    assert_eq!(code, 0);
    assert!(
        text.contains(
            "approved: app down to 256Mi, side down to 32Mi, the pod down to 1Gi, forced, by alice"
        ),
        "{text}"
    );
    let (code, text, _) = run(&pods, &["approve", "po/db-0", "--memory", "true"]);
    assert_eq!(code, 0);
    assert!(
        text.contains(
            "approved: any decrease, by alice@example.com, until 2026-11-21T14:04:56Z (1 h); "
        ),
        "{text}"
    );
}

#[test]
fn a_denial_is_passed_on() {
    let pods = Pods::start(Webhook::Denies, [pod("db-0", json!({}))]);
    let expected = "pod/db-0 not approved: admission webhook \"approvals.restraint.dev\" denied the request: \"bob\" may not approve\n";
    assert_eq!(run(&pods, &APPROVE), (1, String::new(), expected.to_owned()));
}

#[test]
fn a_grant_that_is_not_stamped_is_removed_again() {
    let pods = Pods::start(Webhook::Sleeps, [pod("db-0", json!({}))]);
    let (code, text, error) = run(&pods, &APPROVE);
    assert_eq!((code, &*text), (1, ""));
    assert!(
        error.starts_with(
            "pod/db-0 not approved: the grant was not stamped: Restraint's webhook does not cover"
        ),
        "{error}"
    );
    assert!(error.ends_with("the grant was removed again\n"), "{error}");
    assert_eq!(pods.annotation("db-0", GRANT_ANNOTATION), None);
    assert_eq!(pods.patches().len(), 2);
}

#[test]
fn an_existing_grant_is_removed_first() {
    let pods = Pods::start(Webhook::Stamps, [pod("db-0", json!({GRANT_ANNOTATION: "app=256Mi"}))]);
    let (code, text, error) = run(&pods, &APPROVE);
    assert_eq!(code, 0, "{error}");
    assert!(text.starts_with("pod/db-0 approved: "), "{text}");
    assert!(error.contains("carried a grant without a stamp, which was removed first"), "{error}");
    assert_eq!(pods.patches()[0].1, json!({"metadata": {"annotations": {GRANT_ANNOTATION: null}}}));
    assert_eq!(pods.patches().len(), 2);
}

#[test]
fn a_dry_run_asks_and_stores_nothing() {
    for existing in [json!({}), json!({GRANT_ANNOTATION: "app=256Mi"})] {
        let pods = Pods::start(Webhook::Stamps, [pod("db-0", existing.clone())]);
        let (code, text, error) = run(&pods, &[&APPROVE[..], &["--dry-run=server"]].concat());
        assert_eq!(code, 0, "{error}");
        assert!(
            text.starts_with(
                "pod/db-0 approved (server dry run, nothing is stored): app down to 256Mi, by alice"
            ),
            "{text}"
        );
        let stored =
            (pods.annotation("db-0", GRANT_ANNOTATION), pods.annotation("db-0", STAMP_ANNOTATION));
        assert_eq!(stored, (existing[GRANT_ANNOTATION].as_str().map(str::to_owned), None));
        assert!(pods.patches().len() == 1 && pods.patches()[0].0.contains("dryRun=All"));
    }
}

#[test]
fn mistakes_are_found_before_anything_is_written() {
    let pods = Pods::start(Webhook::Stamps, [pod("db-0", json!({}))]);
    let cases: [(&[&str], &str); 9] = [
        (
            &["approve", "pod/db-0", "--memory", "ap=256Mi"],
            "pod/db-0 has no container \"ap\": its containers are app, side",
        ),
        (
            &["approve", "pod/db-1", "--memory", "app=256Mi"],
            "pod/db-1 cannot be read in namespace \"shop\": ",
        ),
        (
            &["approve", "pod/db-0", "--memory", "256Mi"],
            "--memory grants nothing: neither \"true\" nor PART=QUANTITY",
        ),
        (
            &["approve", "pod/db-0", "--memory", "app=256Mi", "--reason", " "],
            "the reason must have 1 to 256 characters",
        ),
        (
            &["approve", "pod/db-0", "--memory", "app=256Mi", "--for", "25h"],
            "\"for=\" must be from 1s to 24h",
        ),
        (
            &["approve", "db-0", "--memory", "app=256Mi"],
            "say pod/db-0, deploy/db-0, sts/db-0 or ds/db-0",
        ),
        (
            &["approve", "pod/db-0", "--memory", "app=256Mi", "-n", "a/b"],
            "\"a/b\" is not a valid namespace",
        ),
        (
            &["approve", "pod/db-0", "--memory", "app=256Mi", "--dry-run=client"],
            "invalid value 'client'",
        ),
        (&["approve", "pod/db-0"], "--memory <CONTAINER=QUANTITY,...>"),
    ];
    assert_refused(&pods, &cases);
}

/// That each of these commands says what is wrong with it and changes nothing.
pub(crate) fn assert_refused(pods: &Pods, cases: &[(&[&str], &str)]) {
    for (flags, expected) in cases {
        let (code, text, error) = run(pods, flags);
        assert_eq!((code, &*text), (2, ""), "{flags:?}: {error}");
        assert!(error.contains(expected), "{flags:?}: {error}");
    }
    assert!(pods.patches().is_empty());
}

#[test]
fn a_floor_that_allows_nothing_is_warned_about() {
    let pods = Pods::start(Webhook::Stamps, [pod("db-0", json!({}))]);
    let (code, _, error) = run(&pods, &["approve", "pod/db-0", "--memory", "app=1Gi,side=32Mi"]);
    let expected = "warning: pod/db-0: container \"app\" has a memory limit of 512Mi: a floor of 1Gi allows no decrease\n";
    assert_eq!((code, &*error), (0, expected));
}

#[test]
fn a_deployment_is_its_present_pods() {
    let pods = Pods::start(Webhook::DeniesOn("web-c"), deployment());
    let (code, text, error) = run(&pods, &["approve", "deploy/web", "--memory", "app=256Mi"]);
    assert_eq!(code, 1);
    let approved: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(approved, ["pod/web-a", "pod/web-d"]);
    assert!(error.contains("note: pod/web-b has finished: skipped\n"), "{error}");
    assert!(error.contains("pod/web-c not approved: admission webhook"), "{error}");
    assert_eq!(pods.annotation("stranger", STAMP_ANNOTATION), None);

    let (code, text, _) = run(&pods, &["revoke", "deployment.apps/web"]);
    assert_eq!((code, text.lines().count()), (0, 4));
    assert!(
        text.contains("pod/web-a revoked: app down to 256Mi, by alice@example.com, until ")
            && text.contains("pod/web-b: nothing to revoke")
    );
    assert_eq!(pods.annotation("web-a", STAMP_ANNOTATION), None);
}

#[test]
fn a_stateful_set_without_pods_is_an_error() {
    let set = json!({"metadata": {"name": "db", "uid": "s"}, "spec": {"selector": {"matchLabels": {"app": "db"}}, "serviceName": "db", "template": {}}});
    let pods = Pods::start(
        Webhook::Stamps,
        [
            ("/apis/apps/v1/namespaces/shop/statefulsets/db".to_owned(), set),
            pod("db-0", json!({})),
            owned("db-1", "s"),
        ],
    );
    let (code, text, _) = run(&pods, &["approve", "sts/db", "--memory", "app=256Mi"]);
    assert!(
        code == 0 && text.starts_with("pod/db-1 approved: ") && text.lines().count() == 1,
        "{text}"
    );
    let mut objects = deployment();
    objects.truncate(2);
    let pods = Pods::start(Webhook::Stamps, objects);
    let (code, _, error) = run(&pods, &["approve", "deploy/web", "--memory", "app=256Mi"]);
    assert_eq!((code, &*error), (2, "restraint: deployment/web has no pods\n"));
}

#[test]
fn programs_read_the_results() {
    let pods = Pods::start(Webhook::DeniesOn("web-c"), deployment());
    let (code, text, _) =
        run(&pods, &["approve", "deploy/web", "--memory", "app=256Mi", "-o", "json"]);
    assert_eq!(code, 1);
    let results: Value = serde_json::from_str(&text).unwrap();
    let expected = json!({
        "namespace": "shop", "pod": "web-a", "approved": true, "dryRun": false, "memory": "app=256Mi", "approver": "alice@example.com",
        "granted": "2026-11-21T13:04:56Z", "expires": "2026-11-21T14:04:56Z", "force": false, "reason": null,
    });
    assert_eq!(results[0], expected);
    assert_eq!((&results[1]["pod"], &results[1]["approved"]), (&json!("web-c"), &json!(false)));
    assert!(results[1]["error"].as_str().unwrap().contains("may not approve"));
}

#[test]
fn without_a_kubeconfig_nothing_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    for flags in [&APPROVE[..], &["revoke", "pod/db-0"], &["approvals"]] {
        let (code, text, error) = call(env!("CARGO_BIN_EXE_restraint"), &[("HOME", home)], flags);
        assert_eq!((code, &*text), (2, ""));
        assert!(error.starts_with("restraint: no kubeconfig can be used: name one with --kubeconfig or in KUBECONFIG: "), "{error}");
        let nowhere = format!("{home}/nowhere");
        let (code, _, error) = call(
            env!("CARGO_BIN_EXE_restraint"),
            &[],
            &[flags, &["--kubeconfig", &nowhere]].concat(),
        );
        assert_eq!(code, 2);
        assert!(error.contains(&format!("kubeconfig \"{nowhere}\" cannot be read")), "{error}");
    }
}

#[test]
fn an_api_server_that_is_away_is_no_answer() {
    let pods = Pods::start(Webhook::Stamps, []);
    let (_kept, path) = kubeconfig(&pods);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    std::fs::write(
        &path,
        pods.kubeconfig().replace(&pods.address().to_string(), &nobody.to_string()),
    )
    .unwrap();
    for (flags, expected) in [
        (&APPROVE[..], "pod/db-0 cannot be read in namespace \"shop\": "),
        (&["approvals"], "pods cannot be listed in namespace \"shop\": "),
    ] {
        let (code, text, error) =
            call(env!("CARGO_BIN_EXE_restraint"), &[("KUBECONFIG", &path)], flags);
        assert_eq!((code, &*text), (2, ""));
        assert!(error.contains(expected) && error.contains("refused"), "{error}");
    }
}

#[test]
fn pods_that_ended_are_not_approved() {
    let (path, mut ended) = pod("db-0", json!({}));
    ended["metadata"]["deletionTimestamp"] = json!("2026-11-21T13:00:00Z");
    let pods = Pods::start(Webhook::Stamps, [(path, ended)]);
    let expected =
        "note: pod/db-0 is terminating: skipped\nrestraint: pod/db-0 cannot be resized any more\n";
    assert_eq!(run(&pods, &APPROVE), (2, String::new(), expected.to_owned()));
    assert!(pods.patches().is_empty());
}

#[test]
fn the_same_binary_is_a_plugin_of_kubectl() {
    let pods = Pods::start(Webhook::Stamps, [pod("db-0", json!({}))]);
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubectl-restraint");
    symlink(env!("CARGO_BIN_EXE_restraint"), &plugin).unwrap();
    let plugin = plugin.to_str().unwrap();
    for (flags, expected) in [
        (&["--help"][..], "Usage: kubectl restraint <COMMAND>"),
        (&["approve", "--help"], "Usage: kubectl restraint approve "),
    ] {
        let (code, text, _) = call(plugin, &[], flags);
        assert!(code == 0 && text.contains(expected), "{text}");
    }
    let (_kept, path) = kubeconfig(&pods);
    let (code, text, error) = call(plugin, &[("KUBECONFIG", &path)], &APPROVE);
    assert!(code == 0 && text.starts_with("pod/db-0 approved: "), "{text}{error}");
}

/// A Deployment, its ReplicaSet, four pods of it, one of which has finished, and one with the same
/// labels that is not.
fn deployment() -> Vec<(String, Value)> {
    let selector = json!({"matchLabels": {"app": "web"}});
    let deployment = json!({"metadata": {"name": "web", "uid": "d"}, "spec": {"selector": selector, "template": {}}});
    let (_, mut replicas) = owned("web-1", "d");
    replicas["spec"] = json!({"selector": selector});
    replicas["status"] = json!({"replicas": 4});
    replicas["metadata"]["uid"] = json!("r");
    let mut finished = owned("web-b", "r");
    finished.1["status"]["phase"] = json!("Succeeded");
    vec![
        ("/apis/apps/v1/namespaces/shop/deployments/web".to_owned(), deployment),
        ("/apis/apps/v1/namespaces/shop/replicasets/web-1".to_owned(), replicas),
        owned("web-d", "r"),
        owned("web-a", "r"),
        finished,
        owned("web-c", "r"),
        owned("stranger", "x"),
    ]
}

/// A pod that is controlled by the owner with this `metadata.uid`.
fn owned(name: &str, owner: &str) -> (String, Value) {
    let (path, mut pod) = pod(name, json!({}));
    pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "X", "name": "x", "uid": owner, "controller": true}]);
    (path, pod)
}

/// Exit code, standard output and standard error of `restraint` as alice.
pub(crate) fn run(pods: &Pods, flags: &[&str]) -> (i32, String, String) {
    let (_kept, path) = kubeconfig(pods);
    call(env!("CARGO_BIN_EXE_restraint"), &[], &[flags, &["--kubeconfig", &path]].concat())
}

fn kubeconfig(pods: &Pods) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, pods.kubeconfig()).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

/// The same, of any binary, with these variables and no other ones.
pub(crate) fn call(
    binary: &str,
    variables: &[(&str, &str)],
    flags: &[&str],
) -> (i32, String, String) {
    let mut command = Command::new(binary);
    command.env_clear().envs(variables.iter().copied()).args(flags).timeout(PATIENCE);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or_else(|| panic!("{flags:?} did not end")), text(stdout), text(stderr))
}
