//! What is said of a variable that a resize leaves stale depends on whether the pods will be made
//! to restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use restraint::judge::judge;
use restraint::judge::mode::CAP_LABEL;
use restraint::judge::mode::Cap;
use restraint::judge::policies::Policies;
use restraint::judge::verdict::Outcome;
use restraint::review::decode;

use crate::subjects::{creation, update};

#[test]
fn a_restart_that_will_be_added_needs_no_warning() {
    assert_eq!(outcomes(&creation(&deployment(&json!({})))), [Outcome::Noted]);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"}, "spec": deployment(&json!({}))["spec"]["template"]["spec"]});
    assert_eq!(outcomes(&creation(&pod)), [Outcome::Noted]);
}

#[test]
fn an_explicit_policy_is_not_changed() {
    let mut explicit = deployment(&json!({}));
    explicit["spec"]["template"]["spec"]["containers"][0]["resizePolicy"] =
        json!([{"resourceName": "memory", "restartPolicy": "NotRequired"}]);
    assert_eq!(outcomes(&creation(&explicit)), [Outcome::Warned]);
}

#[test]
fn a_pod_that_is_there_already_is_not_changed() {
    let spec = deployment(&json!({}))["spec"]["template"]["spec"].clone();
    let with = |spec: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"}, "spec": spec});
    let mut before = spec.clone();
    before["containers"][0]["env"] = json!([]);
    assert_eq!(outcomes(&update(&with(before), &with(spec))), [Outcome::Warned]);
}

#[test]
fn nothing_is_added_where_the_owner_silenced_the_fix() {
    let silenced = deployment(&json!({"restraint.dev/ignore": "memory-resize-policy"}));
    assert_eq!(outcomes(&creation(&silenced)), [Outcome::Warned]);
}

#[test]
fn nothing_is_added_under_a_cap() {
    let body = creation(&deployment(&json!({})));
    assert_eq!(judged(&policies("fix", "{}").under(Cap::Warn), &body, None), [Outcome::Warned]);
    assert_eq!(judged(&policies("fix", "{}"), &body, Some("warn")), [Outcome::Warned]);
    assert_eq!(judged(&policies("fix", "{}"), &body, Some("enforce")), [Outcome::Noted]);
}

#[test]
fn a_policy_that_is_weaker_or_not_everywhere_adds_nothing_for_sure() {
    let body = creation(&deployment(&json!({})));
    for (mode, scope) in [
        ("enforce", "{}"),
        ("off", "{}"),
        ("fix", "{namespaces: {names: [shop]}}"),
        ("fix", "{operations: [CREATE]}"),
    ] {
        assert_eq!(
            judged(&policies(mode, scope), &body, None),
            [Outcome::Warned],
            "{mode} {scope}"
        );
    }
}

/// A variable from the memory limit, in warn, beside `memory-resize-policy` in this mode and scope.
fn policies(mode: &str, scope: &str) -> Policies {
    let files = [
        (
            "stale-resource-env.yaml",
            "{name: stale-resource-env, rule: stale-resource-env, mode: warn}".to_owned(),
        ),
        (
            "memory-resize-policy.yaml",
            format!(
                "{{name: memory-resize-policy, rule: memory-resize-policy, mode: {mode}, scope: {scope}}}"
            ),
        ),
    ];
    Policies::read(files).unwrap()
}

fn outcomes(body: &[u8]) -> Vec<Outcome> {
    judged(&Policies::embedded(), body, None)
}

fn judged(policies: &Policies, body: &[u8], cap: Option<&str>) -> Vec<Outcome> {
    let mut review = decode(body).unwrap();
    review.subject.evidence.namespace_labels =
        cap.map(|cap| Arc::new(BTreeMap::from([(CAP_LABEL.to_owned(), cap.to_owned())])));
    let rulings = judge(policies, &review.subject).rulings;
    rulings
        .into_iter()
        .filter(|ruling| ruling.rule == "stale-resource-env")
        .map(|ruling| ruling.outcome)
        .collect()
}

fn deployment(annotations: &Value) -> Value {
    let container = json!({
        "name": "app",
        "env": [{"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}}],
        "resources": {"limits": {"memory": "1Gi"}},
    });
    let template =
        json!({"metadata": {"annotations": annotations}, "spec": {"containers": [container]}});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": template}})
}
