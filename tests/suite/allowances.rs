//! Standing rules by which a decrease needs no person.

use serde_json::{Value, json};

use restraint::judge::finding::Lift;
use restraint::judge::look_up::LookUps;
use restraint::judge::policies::Policies;
use restraint::judge::verdict::{Outcome, Verdict};
use restraint::judge::{amend, judge};
use restraint::review::{Path, answer, decode, decode_for};

use crate::subjects::resize;

const MIB: i128 = 1 << 20;

/// Who asks for the resizes of these tests.
const REQUESTER: &str = "developer";

#[test]
fn what_an_allowance_says_must_hold() {
    let cases: &[(&str, u32, u32, bool)] = &[
        ("atLeast: 256Mi", 512, 256, true),
        ("atLeast: 256Mi", 512, 255, false),
        ("atLeast: 256Mi, step: 25%", 512, 384, true),
        ("atLeast: 256Mi, step: 25%", 512, 383, false),
        ("atLeast: 256Mi, step: 99%", 512, 250, false),
        ("atLeast: 1Mi, requesters: {users: [dev*]}", 512, 256, true),
        ("atLeast: 1Mi, requesters: {users: [ops*]}", 512, 256, false),
        ("atLeast: 1Mi, requesters: {users: [ops*], groups: ['system:auth*']}", 512, 256, true),
        ("atLeast: 1Mi, onlyWithRestart: true", 512, 256, false),
        ("onlyUnscheduled: true", 512, 256, false),
        ("aboveUsage: 30%", 512, 256, false),
    ];
    for (allowance, old, new, allowed) in cases {
        let verdict = judged(&[allowance], &pods(*old, *new), None);
        assert_eq!(verdict.allowed(), *allowed, "{allowance}: {old}Mi -> {new}Mi");
    }
}

#[test]
fn what_it_let_through_names_it() {
    let body = pods(512, 256);
    let verdict = judged(&["atLeast: 256Mi"], &body, None);
    let reply: Value = serde_json::from_slice(&answer("u", &verdict)).unwrap();
    let record = "container \"app\" 512Mi to 256Mi, by allowance \"a0\"";
    assert_eq!(reply["response"]["auditAnnotations"]["allowance-used"], record);
}

#[test]
fn containers_that_restart_are_told_from_those_that_do_not() {
    let policy = json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}]);
    let [old, new] = ["512Mi", "256Mi"].map(|memory| {
        let mut pod = pod(memory);
        pod["spec"]["containers"][0]["resizePolicy"] = policy.clone();
        pod
    });
    let allowance = "atLeast: 64Mi, onlyWithRestart: true";
    assert!(judged(&[allowance], &resize(&old, &new), None).allowed());
    // the pod's own limit restarts nobody
    let with_own = |mut pod: Value, memory: &str| {
        pod["spec"]["resources"] = json!({"limits": {"memory": memory}});
        pod
    };
    let body = resize(&with_own(old, "2Gi"), &with_own(new, "1Gi"));
    assert!(!judged(&[allowance], &body, None).allowed());
}

#[test]
fn a_pod_on_no_node_may_shrink_to_fit() {
    let [old, new] = ["512Mi", "256Mi"].map(|memory| {
        let mut pod = pod(memory);
        pod["spec"].as_object_mut().unwrap().remove("nodeName");
        pod
    });
    assert!(judged(&["onlyUnscheduled: true"], &resize(&old, &new), None).allowed());
    let verdict = judged(&[], &resize(&old, &new), None);
    let remedy = &verdict.denials().next().unwrap().finding.remedy;
    assert!(
        remedy.ends_with("or create it anew with the new limit: the pod does not run yet"),
        "{remedy}"
    );
    assert!(
        remedy.starts_with("an approver grants it with `kubectl annotate pod db-0"),
        "{remedy}"
    );
}

#[test]
fn usage_decides_where_it_is_known_and_else_nothing_is_allowed() {
    let body = pods(512, 260);
    for (used, allowed) in [(Some(200), true), (Some(201), false), (None, false)] {
        let verdict = judged(&["aboveUsage: 30%"], &body, used);
        assert_eq!(verdict.allowed(), allowed, "{used:?}");
    }
}

#[test]
fn every_part_that_shrinks_must_be_above_its_usage() {
    let two = |memory: &str| {
        let mut pod = pod(memory);
        let mut side = pod["spec"]["containers"][0].clone();
        side["name"] = json!("side");
        pod["spec"]["containers"].as_array_mut().unwrap().push(side);
        pod
    };
    let body = resize(&two("512Mi"), &two("260Mi"));
    let allowed = |measured: &[(&str, i128)]| allowed_above(&body, measured);
    assert!(allowed(&[("app", 200), ("side", 200)]));
    assert!(!allowed(&[("app", 200), ("side", 201)]));
    assert!(!allowed(&[("app", 200)]));
}

#[test]
fn of_a_pod_all_must_be_measured_that_run() {
    let with_own = |memory: &str| {
        let mut pod = pod("512Mi");
        pod["spec"]["resources"] = json!({"limits": {"memory": memory}});
        let side = json!({"name": "side"});
        pod["spec"]["containers"].as_array_mut().unwrap().push(side);
        pod["spec"]["initContainers"] = json!([{"name": "done"}]);
        pod
    };
    let body = resize(&with_own("2Gi"), &with_own("1300Mi"));
    let allowed = |measured: &[(&str, i128)]| allowed_above(&body, measured);
    assert!(allowed(&[("app", 400), ("side", 600)]));
    assert!(!allowed(&[("app", 400), ("side", 601)]));
    assert!(!allowed(&[("app", 400)]) && !allowed(&[]));
}

#[test]
fn usage_is_asked_for_only_where_it_decides() {
    let usage = |allowances: &[&str], body: &[u8]| {
        let review = decode(body).unwrap();
        let policies = policies(allowances);
        let asked = LookUps::for_judging(&policies, &review.subject);
        assert!(!LookUps::for_amending(&policies, &review.subject).usage, "no automation");
        asked.usage
    };
    assert!(usage(&["aboveUsage: 30%"], &pods(512, 256)));
    assert!(!usage(&["aboveUsage: 30%"], &pods(256, 512)), "growth");
    assert!(!usage(&["aboveUsage: 30%, atLeast: 300Mi"], &pods(512, 256)), "too low anyway");
    assert!(!usage(&["aboveUsage: 30%, requesters: {users: [bob]}"], &pods(512, 256)));
    assert!(!usage(&["atLeast: 1Mi", "aboveUsage: 30%"], &pods(512, 256)), "allowed anyway");
    assert!(!usage(&[], &pods(512, 256)));
}

#[test]
fn one_allowance_covers_the_whole_resize() {
    let two = |one: &str, other: &str| {
        let mut pod = pod(one);
        let side = json!({"name": "side", "resources": {"limits": {"memory": other}}});
        pod["spec"]["containers"].as_array_mut().unwrap().push(side);
        pod
    };
    let body = resize(&two("1Gi", "128Mi"), &two("512Mi", "64Mi"));
    assert!(!judged(&["atLeast: 512Mi"], &body, None).allowed());
    assert!(!judged(&["atLeast: 512Mi", "atLeast: 64Mi, step: 40%"], &body, None).allowed());
    assert!(judged(&["atLeast: 512Mi", "atLeast: 64Mi"], &body, None).allowed());
}

#[test]
fn what_has_no_bound_is_taken_by_no_step() {
    let mut unlimited = pod("1Gi");
    unlimited["spec"]["containers"][0]["resources"] = json!({});
    let body = resize(&unlimited, &pod("1Gi"));
    assert!(!judged(&["atLeast: 64Mi, step: 50%"], &body, None).allowed());
    assert!(judged(&["atLeast: 64Mi"], &body, None).allowed());
}

#[test]
fn amounts_that_wrap_around_are_never_allowed() {
    let body = resize(&pod("1Gi"), &pod("18446744073709551617"));
    assert!(!judged(&["atLeast: 1Mi"], &body, None).allowed());
}

#[test]
fn a_heap_above_the_limit_is_denied_all_the_same() {
    let [old, new] = ["1Gi", "512Mi"].map(|memory| {
        let mut pod = pod(memory);
        pod["spec"]["containers"][0]["args"] = json!(["-Xmx600m"]);
        pod
    });
    let text = "name: h\nrule: heap-above-limit\nmode: enforce\n".to_owned();
    let both = [("h.yaml", text), ("p.yaml", policy(&["atLeast: 1Mi"], ""))];
    let body = resize(&old, &new);
    let review = decode(&body).unwrap();
    let verdict = judge(&Policies::read(both).unwrap(), &review.subject);
    let denials: Vec<_> = verdict.denials().map(|ruling| ruling.rule).collect();
    assert_eq!(denials, ["heap-above-limit"]);
    assert!(verdict.approvals.is_empty(), "what is denied used nothing: {:?}", verdict.approvals);
    let lift = |body: &[u8]| {
        let denied = judged(&[], body, None);
        denied.denials().next().unwrap().finding.lifted_by
    };
    assert_eq!(lift(&body), Some(Lift::ForcedGrant));
    assert_eq!(lift(&pods(512, 256)), Some(Lift::Grant));
}

#[test]
fn automation_is_restored_unless_an_allowance_covers_it() {
    let list = format!("  automation: {{users: [{REQUESTER}]}}\n");
    let outcomes = |allowances: &[&str], more: &str, used: Option<i128>| {
        let policies = Policies::read([("p.yaml", policy(allowances, &format!("{list}{more}")))]);
        let body = pods(512, 256);
        let mut review = decode_for(Path::Mutate, &body).unwrap();
        review.subject.evidence.usage = used.map(measured);
        let verdict = amend(&policies.unwrap(), &review.subject);
        verdict.rulings.iter().map(|ruling| ruling.outcome).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&[], "", None), [Outcome::Restored]);
    assert_eq!(outcomes(&["atLeast: 256Mi"], "", None), []);
    assert_eq!(outcomes(&["aboveUsage: 30%"], "", Some(100)), []);
    assert_eq!(outcomes(&["aboveUsage: 30%"], "", None), [Outcome::Restored]);
    assert_eq!(outcomes(&[], "  unapproved: deny\n", None), []);
    let policies = Policies::read([("p.yaml", policy(&["aboveUsage: 1%"], &list))]).unwrap();
    let body = pods(512, 256);
    assert!(LookUps::for_amending(&policies, &decode(&body).unwrap().subject).usage);
}

fn policy(allowances: &[&str], more: &str) -> String {
    let mut text = format!(
        "name: p\nrule: memory-limit-decrease\nmode: enforce\nsettings:\n{more}  allowances:\n"
    );
    for (index, allowance) in allowances.iter().enumerate() {
        text.push_str(&format!("  - {{name: a{index}, {allowance}}}\n"));
    }
    text
}

fn policies(allowances: &[&str]) -> Policies {
    Policies::read([("p.yaml", policy(allowances, ""))]).unwrap()
}

fn judged(allowances: &[&str], body: &[u8], used: Option<i128>) -> Verdict {
    let mut review = decode(body).unwrap();
    review.subject.evidence.usage = used.map(measured);
    judge(&policies(allowances), &review.subject)
}

/// Whether the resize may happen that leaves 30% above so many MiB in use.
fn allowed_above(body: &[u8], measured: &[(&str, i128)]) -> bool {
    let mut review = decode(body).unwrap();
    let bytes = |(name, mebibytes): &(&str, i128)| ((*name).to_owned(), mebibytes * MIB);
    review.subject.evidence.usage = Some(measured.iter().map(bytes).collect());
    judge(&policies(&["aboveUsage: 30%"]), &review.subject).allowed()
}

/// So many MiB in use by the container.
fn measured<U: FromIterator<(String, i128)>>(mebibytes: i128) -> U {
    [("app".to_owned(), mebibytes * MIB)].into_iter().collect()
}

fn pods(old: u32, new: u32) -> Vec<u8> {
    resize(&pod(&format!("{old}Mi")), &pod(&format!("{new}Mi")))
}

fn pod(memory: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "namespace": "shop", "uid": "u"},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "resources": {"limits": {"memory": memory}}}]},
    })
}
