//! Approvals through a running server: what the mutating path makes of a grant is what the
//! validating path wants.

mod webhook;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use restraint::approval::Grant;
use restraint::judge::judge;
use restraint::judge::look_up::LookUps;
use restraint::judge::policies::Policies;
use restraint::review::decode;
use serde_json::{Value, json};

use crate::following::{VolumeFolder, policy};
use crate::server::{Server, eventually};
use crate::subjects::{recorded, resize, update};

use webhook::{Webhook, by, patched};

const GRANT: &str = "restraint.dev/approve";
const STAMP: &str = "restraint.dev/approval";

#[test]
fn a_denial_suggests_no_grant_that_is_none() {
    let pod = |count: usize, name: &str, memory: &str| {
        let container = |index| json!({"name": format!("{name}{index}"), "resources": {"limits": {"memory": memory}}});
        let spec =
            json!({"nodeName": "n1", "containers": (0..count).map(container).collect::<Value>()});
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "uid": "uid-1"}, "spec": spec})
    };
    let remedy = |count: usize, name: &str| {
        let body = resize(&pod(count, name, "2Gi"), &pod(count, name, "1Gi"));
        let verdict = judge(&Policies::embedded(), &decode(&body).unwrap().subject);
        verdict.denials().next().unwrap().finding.remedy.to_string()
    };
    let suggested = remedy(64, "c");
    let (_, grant) = suggested.split('`').nth(1).unwrap().rsplit_once("approve=").unwrap();
    assert!(Grant::parse(grant).is_ok(), "{grant}");
    // each part by its name would be longer than any grant
    for many in [remedy(65, "c"), remedy(64, &"c".repeat(61))] {
        assert!(many.contains(" restraint.dev/approve=true`, or roll out"), "{many}");
    }
    let wrapping = resize(&pod(1, "c", "2Gi"), &pod(1, "c", "18446744073709551617"));
    let verdict = judge(&Policies::embedded(), &decode(&wrapping).unwrap().subject);
    assert_eq!(verdict.denials().next().unwrap().finding.remedy, "roll out the new limit");
}

#[tokio::test]
async fn a_grant_becomes_a_stamp_that_allows_its_decrease_once() {
    let webhook = Webhook::new(&[]);
    let old = pod("512Mi", json!({"team": "shop"}));
    let granted = webhook
        .mutate("alice", &old, &with(&old, GRANT, "app=256Mi; for=30m; reason=INC-4711"), false)
        .await
        .unwrap();
    let annotations = &granted["metadata"]["annotations"];
    assert!(annotations.get(GRANT).is_none() && annotations["team"] == "shop", "{annotations}");
    let stamp: Value = serde_json::from_str(annotations[STAMP].as_str().unwrap()).unwrap();
    assert_eq!(
        (&stamp["approver"], &stamp["memory"], &stamp["uid"]),
        (&json!("alice"), &json!("app=256Mi"), &json!("uid-1"))
    );
    webhook.validate("alice", &update(&old, &granted), false).await.unwrap();

    let shrunk = |memory: &str, generation: i64| {
        let mut pod = granted.clone();
        pod["metadata"]["generation"] = generation.into();
        pod["spec"]["containers"][0]["resources"]["limits"]["memory"] = memory.into();
        pod
    };
    webhook.validate("developer", &resize(&granted, &shrunk("256Mi", 4)), true).await.unwrap();
    webhook.validate("developer", &resize(&granted, &shrunk("256Mi", 4)), false).await.unwrap();
    let refused = webhook
        .validate("developer", &resize(&granted, &shrunk("255Mi", 4)), false)
        .await
        .unwrap_err();
    assert!(refused.contains("approved down to 256Mi only"), "{refused}");
    // the API server counts the generation up: raised again, it is another pod to the stamp
    let refused = webhook
        .validate("developer", &resize(&shrunk("512Mi", 4), &shrunk("256Mi", 5)), false)
        .await
        .unwrap_err();
    assert!(refused.contains("is not approved any more: the pod changed"), "{refused}");

    let metrics = webhook.server.metrics().await;
    let count = |name: &str| metrics.sum(&format!("restraint_approvals_{name}_total"), &[]);
    assert_eq!(
        (count("granted"), count("used"), count("invalid"), count("refused")),
        (1.0, 1.0, 2.0, 0.0),
        "a dry run uses nothing"
    );
}

#[tokio::test]
async fn an_approval_of_a_pod_on_no_node_ends_when_it_gets_one() {
    let webhook = Webhook::new(&[]);
    let on = |node: &Value, memory: &str, granted: &Value| {
        let mut pod = granted.clone();
        pod["spec"]["nodeName"] = node.clone();
        pod["spec"]["containers"][0]["resources"]["limits"]["memory"] = memory.into();
        pod
    };
    let (nowhere, node) = (json!(null), json!("node-1"));
    for (granted_on, used_on, counts) in
        [(&nowhere, &nowhere, true), (&nowhere, &node, false), (&node, &node, true)]
    {
        let old = on(granted_on, "512Mi", &pod("512Mi", json!({})));
        let granted = with(&old, GRANT, "app=256Mi");
        let granted = webhook.mutate("alice", &old, &granted, false).await.unwrap();
        webhook.validate("alice", &update(&old, &granted), false).await.unwrap();
        let mut shrunk = on(used_on, "256Mi", &granted);
        shrunk["metadata"]["generation"] = 4.into();
        let resize = resize(&on(used_on, "512Mi", &granted), &shrunk);
        let said = webhook.validate("developer", &resize, false).await;
        let ended = "is not approved any more: the pod got a node";
        match said {
            Ok(_) => assert!(counts, "on {granted_on}, then on {used_on}"),
            Err(refused) => assert!(!counts && refused.contains(ended), "{refused}"),
        }
    }
}

#[tokio::test]
async fn four_eyes_are_two_people() {
    let (name, text) = policy("memory-limit-decrease", "enforce");
    let webhook = Webhook::of((name, format!("{text}\nsettings: {{fourEyes: true}}\n")), &[]);
    let old = pod("512Mi", json!({}));
    let granted =
        webhook.mutate("alice", &old, &with(&old, GRANT, "app=256Mi"), false).await.unwrap();
    let mut shrunk = granted.clone();
    shrunk["metadata"]["generation"] = 4.into();
    shrunk["spec"]["containers"][0]["resources"]["limits"]["memory"] = "256Mi".into();
    let refused = webhook.validate("alice", &resize(&granted, &shrunk), false).await.unwrap_err();
    assert!(refused.contains("is approved by the requester alone"), "{refused}");
    webhook.validate("developer", &resize(&granted, &shrunk), false).await.unwrap();
    let invalid = webhook
        .server
        .metrics()
        .await
        .sum("restraint_approvals_invalid_total", &[("reason", "same-person")]);
    assert_eq!(invalid, 1.0);
}

#[tokio::test]
async fn the_same_words_grant_again() {
    let webhook = Webhook::new(&[]);
    let old = pod("512Mi", json!({}));
    let first =
        webhook.mutate("alice", &old, &with(&old, "approved-by-sre", "true"), false).await.unwrap();
    let second = webhook
        .mutate("alice", &first, &with(&first, "approved-by-sre", "true"), false)
        .await
        .unwrap();
    assert!(second["metadata"]["annotations"].get("approved-by-sre").is_none());
    webhook.validate("alice", &update(&first, &second), false).await.unwrap();
}

#[tokio::test]
async fn nobody_else_grants() {
    let webhook = Webhook::new(&[]);
    let old = pod("512Mi", json!({}));
    let refused =
        webhook.mutate("developer", &old, &with(&old, GRANT, "true"), false).await.unwrap_err();
    assert!(
        refused.contains("approval-authority: \"developer\" is no approver of this policy"),
        "{refused}"
    );
    let refused = webhook
        .validate("developer", &update(&old, &with(&old, GRANT, "true")), false)
        .await
        .unwrap_err();
    assert!(refused.contains("was not turned into a stamp"), "{refused}");
}

/// Whoever reaches the port may claim to be anybody. What they get must be worth nothing at the API
/// server's door.
#[tokio::test]
async fn a_stamp_of_an_invented_requester_is_not_stored() {
    let webhook = Webhook::new(&[]);
    let old = pod("512Mi", json!({}));
    let mut invented: Value =
        serde_json::from_slice(&by("developer", &update(&old, &with(&old, GRANT, "true")), false))
            .unwrap();
    invented["request"]["userInfo"]["groups"] = json!(["sre"]);
    let response = webhook.ask("/mutate", &serde_json::to_vec(&invented).unwrap()).await;
    assert_eq!(response["allowed"], true, "{response}");
    let stamped = patched(&with(&old, GRANT, "true"), &response);
    let refused = webhook.validate("developer", &update(&old, &stamped), false).await.unwrap_err();
    assert!(refused.contains("\"developer\" is no approver of this policy"), "{refused}");
}

#[tokio::test]
async fn a_stamp_is_for_one_pod_one_person_and_for_real() {
    let webhook = Webhook::new(&[]);
    let old = pod("512Mi", json!({}));
    let granted = webhook.mutate("alice", &old, &with(&old, GRANT, "true"), false).await.unwrap();
    let stamp = granted["metadata"]["annotations"][STAMP].as_str().unwrap();
    let refused = webhook.validate("developer", &update(&old, &granted), false).await.unwrap_err();
    assert!(refused.contains("the stamp was made for another approver"), "{refused}");

    let mut other = pod("512Mi", json!({}));
    other["metadata"]["name"] = "db-1".into();
    let refused = webhook
        .validate("alice", &update(&other, &with(&other, STAMP, stamp)), false)
        .await
        .unwrap_err();
    assert!(refused.contains("not sealed by this service for this pod"), "{refused}");
    let mut smaller = other.clone();
    smaller["spec"] = pod("256Mi", json!({}))["spec"].clone();
    let refused = webhook
        .validate("developer", &resize(&with(&other, STAMP, stamp), &smaller), false)
        .await
        .unwrap_err();
    assert!(refused.contains("the stamp is not sealed"), "{refused}");

    let tried = webhook.mutate("alice", &old, &with(&old, GRANT, "true"), true).await.unwrap();
    webhook.validate("alice", &update(&old, &tried), true).await.unwrap();
    webhook.validate("alice", &update(&old, &tried), false).await.unwrap_err();
    let refused = webhook
        .validate("developer", &resize(&tried, &pod("256Mi", json!({}))), false)
        .await
        .unwrap_err();
    assert!(
        refused.contains("the stamp is not sealed"),
        "what was tried out is worth nothing: {refused}"
    );
}

#[tokio::test]
async fn seal_keys_are_shared_and_rotate_with_an_overlap() {
    let (old_key, new_key) = (STANDARD.encode([1; 32]), STANDARD.encode([2; 32]));
    let keys = VolumeFolder::new(&[("keys".to_owned(), old_key.clone())]);
    let path = format!("{}/keys", keys.path());
    let (one, other) = (Webhook::new(&["--seal-key", &path]), Webhook::new(&["--seal-key", &path]));
    let old = pod("512Mi", json!({}));
    let granted = one.mutate("alice", &old, &with(&old, GRANT, "true"), false).await.unwrap();
    let decrease = resize(&granted, &pod("256Mi", json!({})));
    other.validate("developer", &decrease, false).await.unwrap();

    keys.swap(&[("keys".to_owned(), format!("{new_key}\n{old_key}\n"))]);
    let sealed_by = async |webhook: &Webhook| {
        let granted =
            webhook.mutate("alice", &old, &with(&old, GRANT, "true"), false).await.unwrap();
        serde_json::from_str::<Value>(granted["metadata"]["annotations"][STAMP].as_str().unwrap())
            .unwrap()["key"]
            .take()
    };
    let first =
        serde_json::from_str::<Value>(granted["metadata"]["annotations"][STAMP].as_str().unwrap())
            .unwrap()["key"]
            .take();
    eventually("the new key seals", async || (sealed_by(&one).await != first).then_some(())).await;
    one.validate("developer", &decrease, false).await.unwrap();

    keys.swap(&[("keys".to_owned(), "no key".to_owned())]);
    keys.swap(&[("keys".to_owned(), new_key)]);
    eventually("the old key ends", async || {
        one.validate("developer", &decrease, false).await.err()
    })
    .await;
}

#[tokio::test]
async fn without_an_api_server_rbac_cannot_be_asked() {
    let server = Server::start(&[]);
    let webhook = Webhook { server, _folder: None };
    let old = pod("512Mi", json!({}));
    let refused =
        webhook.mutate("alice", &old, &with(&old, GRANT, "true"), false).await.unwrap_err();
    assert!(
        refused.contains("nobody could say whether you may approve: there is no API server to ask"),
        "{refused}"
    );
}

/// With the default policies a resize never waits for the API server, and neither does anything
/// else but a grant.
#[test]
fn only_grants_ask_the_api_server() {
    let policies = Policies::embedded();
    let asked = |body: &[u8]| {
        let review = decode(body).unwrap();
        [
            LookUps::for_judging(&policies, &review.subject),
            LookUps::for_amending(&policies, &review.subject),
        ]
    };
    let asking: Vec<_> = recorded()
        .into_iter()
        .map(|(name, body)| (name, asked(&body)))
        .filter(|(_, asked)| *asked != [LookUps::default(); 2])
        .collect();
    assert_eq!(asking.len(), 6, "{asking:?}");
    for (name, asked) in asking {
        assert!(name.starts_with("annotate-approval-by-"), "{name}");
        assert_eq!(asked, [LookUps { authority: true, ..LookUps::default() }; 2], "{name}");
    }
}

#[test]
fn only_a_policy_that_leaves_it_to_the_api_server_asks() {
    let asked = |rule: &str, fields: &str| {
        let policies =
            Policies::read([("p.yaml", format!("{{name: p, rule: {rule}, {fields}}}"))]).unwrap();
        let old = pod("512Mi", json!({}));
        let body = update(&old, &with(&old, GRANT, "true"));
        let review = decode(&body).unwrap();
        LookUps::for_amending(&policies, &review.subject).authority
    };
    assert!(asked("approval-authority", "mode: enforce"));
    assert!(!asked("approval-authority", "mode: 'off'"));
    assert!(!asked(
        "approval-authority",
        "mode: enforce, scope: {namespaces: {names: [elsewhere]}}"
    ));
    assert!(!asked("approval-authority", "mode: enforce, settings: {approvers: {users: [alice]}}"));
    assert!(!asked("memory-above-usage", "mode: enforce"), "another question");
}

/// The recorded patch of the autoscaler: success without a decrease, and the rest of it.
#[tokio::test]
async fn what_an_autoscaler_takes_is_put_back() {
    let webhook = Webhook { server: Server::start(&[]), _folder: None };
    let body = recorded()
        .into_iter()
        .find(|(name, _)| name == "resize-by-vpa-updater.pods-resize.mutate")
        .unwrap()
        .1;
    let review: Value = serde_json::from_slice(&body).unwrap();
    let response = webhook.ask("/mutate", &body).await;
    assert_eq!(response["allowed"], true, "{response}");
    assert_eq!(
        response["warnings"],
        json!([
            "memory-limit-decrease: container \"app\": memory limit restored to 512Mi, not 400Mi: no approval; it would be asked for a…"
        ])
    );
    let mut review = review;
    let kept = patched(&review["request"]["object"], &response);
    let resources = &kept["spec"]["containers"][0]["resources"];
    assert_eq!(
        (&resources["limits"]["memory"], &resources["requests"]["memory"]),
        (&json!("512Mi"), &json!("256Mi"))
    );
    assert_eq!(
        resources["limits"]["cpu"],
        review["request"]["object"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]
    );
    review["request"]["object"] = kept;
    let again = serde_json::to_vec(&review).unwrap();
    for path in ["/validate", "/mutate"] {
        let response = webhook.ask(path, &again).await;
        assert_eq!(
            (&response["allowed"], response.get("patch")),
            (&json!(true), None),
            "idempotent: {response}"
        );
    }
    let refused = webhook.ask("/validate", &body).await;
    assert_eq!(refused["allowed"], false, "where the mutating path was passed by: {refused}");
}

fn pod(memory: &str, annotations: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "db-0", "namespace": "shop", "uid": "uid-1", "generation": 3, "annotations": annotations},
        "spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": memory}}}]},
    })
}

fn with(pod: &Value, key: &str, value: &str) -> Value {
    let mut pod = pod.clone();
    pod["metadata"]["annotations"][key] = value.into();
    pod
}
