//! Caps of the service and of namespaces: what is left of a verdict, and what is recorded of the
//! rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use restraint::judge::mode::CAP_LABEL;
use restraint::judge::mode::{Cap, Mode};
use restraint::judge::policies::Policies;
use restraint::judge::verdict::{Outcome, Verdict};
use restraint::judge::{amend, judge};
use restraint::review::{answer, decode};

use crate::subjects::{creation, resize};

#[test]
fn a_cap_of_warn_says_what_it_would_deny() {
    let verdict = under(Cap::Warn, None, judge, &decrease());
    assert!(verdict.allowed());
    assert_eq!(outcomes(&verdict), [("memory-limit-decrease", Mode::Enforce, "would-deny")]);
    let response = response(&verdict);
    assert_eq!(response["allowed"], true);
    assert_eq!(
        response["warnings"],
        json!([
            "memory-limit-decrease: would be denied: container \"app\": memory limit 512Mi -> 256Mi is not approved"
        ])
    );
    assert_eq!(response["auditAnnotations"]["cap"], "warn");
    assert!(
        response["auditAnnotations"]["would-deny"].as_str().unwrap().contains("512Mi -> 256Mi")
    );
}

#[test]
fn a_cap_of_audit_says_nothing_and_records_all() {
    let verdict = under(Cap::Audit, None, judge, &decrease());
    assert!(verdict.allowed());
    assert_eq!(outcomes(&verdict), [("memory-limit-decrease", Mode::Enforce, "would-deny")]);
    let response = response(&verdict);
    assert!(response.get("warnings").is_none() && response.get("status").is_none(), "{response}");
    assert_eq!(response["auditAnnotations"]["cap"], "audit");
}

#[test]
fn under_a_cap_nothing_is_amended() {
    let body = undecided();
    assert_eq!(under(Cap::Enforce, None, amend, &body).amendment.len(), 1);
    for cap in [Cap::Warn, Cap::Audit] {
        let verdict = under(cap, None, amend, &body);
        assert!(verdict.amendment.is_empty());
        assert_eq!(
            outcomes(&verdict).into_iter().map(|(_, _, outcome)| outcome).collect::<Vec<_>>(),
            ["would-amend"]
        );
        let response = response(&verdict);
        assert!(
            response.get("patch").is_none() && response.get("patchType").is_none(),
            "{response}"
        );
    }
}

#[test]
fn the_label_of_a_namespace_caps_it() {
    let applied = |label| {
        let verdict = under(Cap::Enforce, Some(label), judge, &decrease());
        (verdict.cap, verdict.rulings[0].outcome, verdict.warnings().count())
    };
    assert_eq!(applied("audit"), (Cap::Audit, Outcome::WouldDeny, 0));
    assert_eq!(applied("warn"), (Cap::Warn, Outcome::WouldDeny, 1));
    assert_eq!(applied("enforce"), (Cap::Enforce, Outcome::Denied, 0));
}

#[test]
fn a_label_that_is_no_cap_weakens_nothing() {
    for label in ["", "off", "Audit", "audit ", "true", "0"] {
        let verdict = under(Cap::Enforce, Some(label), judge, &decrease());
        assert!(!verdict.allowed() && verdict.cap == Cap::Enforce, "{label:?}");
    }
}

#[test]
fn the_smaller_of_two_caps_is_in_force() {
    for service in Cap::ALL {
        for namespace in Cap::ALL {
            let verdict = under(service, Some(namespace.as_str()), judge, &decrease());
            assert_eq!(verdict.cap, service.min(namespace), "{service}, {namespace}");
        }
    }
}

#[test]
fn unknown_labels_and_no_labels_cap_nothing() {
    let body = decrease();
    let mut review = decode(&body).unwrap();
    assert_eq!(review.subject.evidence.namespace_labels, None);
    assert!(!judge(&Policies::embedded(), &review.subject).allowed());
    review.subject.evidence.namespace_labels = Some(Arc::default());
    assert!(!judge(&Policies::embedded(), &review.subject).allowed());
}

#[test]
fn a_label_of_the_object_is_no_cap() {
    let mut old = pod("512Mi");
    old["metadata"]["labels"] = json!({CAP_LABEL: "audit"});
    let mut new = pod("256Mi");
    new["metadata"]["labels"] = json!({CAP_LABEL: "audit"});
    assert!(!under(Cap::Enforce, None, judge, &resize(&old, &new)).allowed());
}

type Way = fn(&Policies, &restraint::judge::subject::Subject<'_>) -> Verdict;

/// The verdict under the service's cap and, where there is one, the namespace's label.
#[test]
fn restarts_by_automation_are_noted_and_nobody_else_is_automation() {
    let restarting = |memory: &str| {
        let mut pod = pod(memory);
        pod["spec"]["nodeName"] = "n1".into();
        pod["spec"]["containers"][0]["resizePolicy"] =
            json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}]);
        pod
    };
    let review = resize(&restarting("512Mi"), &restarting("1Gi"));
    let told = |policies: &Policies, user: &str| {
        let mut review: Value = serde_json::from_slice(&review).unwrap();
        review["request"]["userInfo"]["username"] = user.into();
        let body = serde_json::to_vec(&review).unwrap();
        outcomes(&judge(policies, &decode(&body).unwrap().subject))
    };
    let updater = "system:serviceaccount:kube-system:vpa-updater";
    let rule = "resize-restarts-container";
    let alone = Policies::read([("p.yaml", format!("name: p\nrule: {rule}\nmode: warn\n"))]);
    let (alone, all) = (alone.unwrap(), Policies::embedded());
    assert_eq!(told(&all, updater), [(rule, Mode::Audit, "noted")]);
    assert_eq!(told(&all, "dev"), [(rule, Mode::Warn, "warned")]);
    assert_eq!(told(&alone, updater), [(rule, Mode::Warn, "warned")], "nobody is listed");
}

fn under(cap: Cap, label: Option<&str>, way: Way, body: &[u8]) -> Verdict {
    let mut review = decode(body).unwrap();
    review.subject.evidence.namespace_labels =
        label.map(|label| Arc::new(BTreeMap::from([(CAP_LABEL.to_owned(), label.to_owned())])));
    way(&Policies::embedded().under(cap), &review.subject)
}

fn outcomes(verdict: &Verdict) -> Vec<(&'static str, Mode, &'static str)> {
    verdict
        .rulings
        .iter()
        .map(|ruling| (ruling.rule, ruling.wanted, ruling.outcome.as_str()))
        .collect()
}

fn response(verdict: &Verdict) -> Value {
    serde_json::from_slice::<Value>(&answer("uid", verdict)).unwrap()["response"].take()
}

/// A decrease that nobody approved.
fn decrease() -> Vec<u8> {
    resize(&pod("512Mi"), &pod("256Mi"))
}

/// A new pod without a `resizePolicy`.
fn undecided() -> Vec<u8> {
    creation(&pod("512Mi"))
}

fn pod(memory: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": memory}}}]},
    })
}
