//! A new pod that comes without what would have fixed it is told about, and never denied.

use serde_json::{Value, json};

use restraint::judge::mode::Cap;
use restraint::judge::policies::Policies;
use restraint::judge::verdict::{MissedFix, Outcome};
use restraint::judge::{amend, judge};
use restraint::review::{Path, answer, decode, decode_for};

use crate::server::Server;
use crate::subjects::{creation, update};

const RULE: &str = "memory-resize-policy";

#[test]
fn a_bare_pod_is_warned_about() {
    let (outcomes, cause, response) = judged(&Policies::embedded(), &creation(&pod(&[false])));
    assert_eq!((outcomes, cause), (vec![Outcome::Warned], Some(MissedFix::MutatingHook)));
    assert_eq!(response["allowed"], true);
    assert_eq!(response["warnings"].as_array().unwrap().len(), 1, "{response}");
    assert_eq!(response["auditAnnotations"]["fix-missed"], "mutating-hook");
}

#[test]
fn a_pod_of_a_controller_is_only_recorded() {
    let mut pod = pod(&[false]);
    pod["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "cni", "controller": true}]);
    let (outcomes, cause, response) = judged(&Policies::embedded(), &creation(&pod));
    assert_eq!((outcomes, cause), (vec![Outcome::Noted], Some(MissedFix::MutatingHook)));
    assert_eq!((&response["allowed"], &response["warnings"]), (&json!(true), &Value::Null));
}

#[test]
fn a_pod_that_is_fixed_in_part_met_another_webhook() {
    let (outcomes, cause, _) = judged(&Policies::embedded(), &creation(&pod(&[true, false])));
    assert_eq!((outcomes, cause), (vec![Outcome::Warned], Some(MissedFix::OtherWebhook)));
}

#[test]
fn a_pod_that_is_fixed_and_one_that_is_there_already_missed_nothing() {
    let fixed = judged(&Policies::embedded(), &creation(&pod(&[true])));
    assert_eq!((fixed.0, fixed.1), (vec![], None));
    let stored = judged(&Policies::embedded(), &update(&pod(&[false]), &pod(&[false])));
    assert_eq!((stored.0, stored.1), (vec![], None));
}

#[test]
fn under_a_cap_nothing_is_fixed_and_nothing_missed() {
    // what would be fixed is told once, by the mutating path
    for cap in [Cap::Audit, Cap::Warn] {
        let policies = Policies::embedded().under(cap);
        let (outcomes, cause, _) = judged(&policies, &creation(&pod(&[false])));
        assert_eq!((outcomes, cause), (vec![], None));
        let body = creation(&pod(&[false]));
        let amended = amend(&policies, &decode_for(Path::Mutate, &body).unwrap().subject);
        let outcomes: Vec<_> = amended.rulings.iter().map(|ruling| ruling.outcome).collect();
        assert_eq!(outcomes, [Outcome::WouldAmend]);
    }
}

#[test]
fn who_wants_a_denial_enforces() {
    let text = format!("name: p\nrule: {RULE}\nmode: enforce\n");
    let policies = Policies::read([("p.yaml", text)]).unwrap();
    let (outcomes, cause, response) = judged(&policies, &creation(&pod(&[false])));
    assert_eq!((outcomes, cause), (vec![Outcome::Denied], None));
    assert_eq!(response["allowed"], false);
}

#[test]
fn an_entry_that_changes_nothing_denies_nobody() {
    let mut job = pod(&[false]);
    job["spec"]["restartPolicy"] = json!("Never");
    let judged_in = |mode: &str| {
        let text = format!("name: p\nrule: {RULE}\nmode: {mode}\n");
        let policies = Policies::read([("p.yaml", text)]).unwrap();
        let review = creation(&job);
        let amended = amend(&policies, &decode_for(Path::Mutate, &review).unwrap().subject);
        (judged(&policies, &review).0, !amended.amendment.is_empty())
    };
    for mode in ["enforce", "warn", "audit"] {
        assert_eq!(judged_in(mode), (vec![Outcome::Noted], false), "{mode}");
    }
    assert_eq!(judged_in("fix"), (vec![Outcome::Warned], true));
}

#[test]
fn an_approval_that_came_along_is_warned_about() {
    let mut pod = pod(&[true]);
    pod["metadata"]["annotations"] = json!({"approved-by-sre": "true"});
    let body = creation(&pod);
    let review = decode(&body).unwrap();
    let verdict = judge(&Policies::embedded(), &review.subject);
    let told = verdict.rulings.iter().find(|ruling| ruling.rule == "approval-in-template");
    assert_eq!(told.map(|ruling| ruling.outcome), Some(Outcome::Warned));
}

#[tokio::test]
async fn what_is_missed_is_counted_and_dry_runs_are_not() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let mut review: Value = serde_json::from_slice(&creation(&pod(&[false]))).unwrap();
    for dry_run in [false, true] {
        review["request"]["dryRun"] = json!(dry_run);
        client.post("/validate", serde_json::to_vec(&review).unwrap()).await;
    }
    let counted = async |labels: &[(&str, &str)]| {
        server.metrics().await.sum("restraint_fix_missed_total", labels)
    };
    assert_eq!(counted(&[]).await, 1.0);
    assert_eq!(counted(&[("cause", "other-webhook")]).await, 0.0);
}

/// A pod with a container for each of `fixed`.
fn pod(fixed: &[bool]) -> Value {
    let policy = json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}]);
    let containers: Vec<_> = fixed
        .iter()
        .enumerate()
        .map(|(index, fixed)| {
            let mut container =
                json!({"name": format!("c{index}"), "resources": {"limits": {"memory": "512Mi"}}});
            if *fixed {
                container["resizePolicy"] = policy.clone();
            }
            container
        })
        .collect();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0"}, "spec": {"containers": containers}})
}

/// What came of the rule, why a fix was missed, and the answer.
fn judged(policies: &Policies, body: &[u8]) -> (Vec<Outcome>, Option<MissedFix>, Value) {
    let review = decode(body).unwrap();
    let verdict = judge(policies, &review.subject).on_creation(&review.subject);
    let outcomes = verdict.rulings.iter().filter(|ruling| ruling.rule == RULE);
    let outcomes = outcomes.map(|ruling| ruling.outcome).collect();
    let mut reply: Value = serde_json::from_slice(&answer(&review.uid, &verdict)).unwrap();
    (outcomes, verdict.missed_fix, reply["response"].take())
}
