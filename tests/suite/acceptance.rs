//! The manifests that Restraint was thought up with: each gets exactly the findings it deserves, of
//! all rules.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use restraint::judge::policies::Policies;
use restraint::judge::verdict::Verdict;
use restraint::judge::{amend, judge};
use restraint::review::Path::Mutate;
use restraint::review::{answer, decode, decode_for};

use crate::subjects::{approved, creation, examine, resize};

#[test]
fn manifests_get_what_they_deserve() {
    let cases: [(&str, &[&str]); 9] = [
        ("env-from-config-map", &["frozen-env-config", "memory-resize-policy"]),
        ("env-from-secret", &["frozen-env-config", "memory-resize-policy"]),
        ("config-map-volume", &["config-polling", "memory-resize-policy"]),
        ("secret-volume", &["config-polling", "memory-resize-policy"]),
        ("nginx", &["memory-resize-policy"]),
        ("nginx-crash-loop", &["memory-resize-policy"]),
        ("http-echo-v1", &["memory-resize-policy"]),
        ("http-echo-v2", &["memory-resize-policy"]),
        ("reloader-on-the-deployment", &["memory-resize-policy"]),
    ];
    for (name, expected) in cases {
        let verdict = judged(&creation(&manifest(name)));
        assert_eq!(rules(&verdict), expected.iter().copied().collect(), "{name}");
        assert!(verdict.allowed(), "{name}: a template is never denied by default");
        assert_eq!(verdict.warnings().count(), 0, "{name}");
    }
}

#[test]
fn a_polling_loop_is_no_fault() {
    for name in ["config-map-volume", "secret-volume"] {
        let mut template = manifest(name);
        template["spec"]["template"]["spec"]["containers"][0]["resources"].take();
        let found = rules(&judged(&creation(&template)));
        assert!(found.iter().all(|rule| *rule == "config-polling"), "{name}: {found:?}");
    }
}

#[test]
fn reloader_counts_where_it_reads_its_annotation() {
    let on_the_deployment = manifest("reloader-on-the-deployment");
    let found = |object: &Value| rules(&judged(&creation(object)));
    let expected = |rules: &[&'static str]| rules.iter().copied().collect::<BTreeSet<_>>();

    let mut removed = on_the_deployment.clone();
    let annotations = removed["metadata"]["annotations"].take();
    assert_eq!(found(&removed), expected(&["frozen-env-config", "memory-resize-policy"]));

    let mut moved = removed.clone();
    moved["spec"]["template"]["metadata"]["annotations"] = annotations.clone();
    assert_eq!(found(&moved), expected(&["memory-resize-policy"]));

    let mut yes = on_the_deployment.clone();
    yes["metadata"]["annotations"]["reloader.stakater.com/auto"] = "yes".into();
    assert_eq!(
        found(&yes),
        expected(&["frozen-env-config", "memory-resize-policy", "reloader-annotation"])
    );

    let mut spec = on_the_deployment["spec"]["template"]["spec"].clone();
    spec["restartPolicy"] = "Always".into();
    let bare = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "greeter", "annotations": annotations}, "spec": spec});
    assert_eq!(
        found(&bare),
        expected(&["frozen-env-config", "memory-resize-policy", "reloader-annotation"])
    );
    assert_eq!(found(&amended(&bare)), expected(&["frozen-env-config", "reloader-annotation"]));
}

#[test]
fn a_pod_that_decides_for_itself_is_left_alone() {
    let pod = manifest("resize-policy-spelled-out");
    assert_eq!(rules(&judged(&creation(&pod))), BTreeSet::new());
    assert_eq!(amended(&pod), pod);
}

#[test]
fn increases_and_cpu_pass() {
    let pod = manifest("resize-policy-spelled-out");
    let faster = with_resources(
        &pod,
        json!({"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}}),
    );
    let larger = with_memory(&pod, "512Mi");
    for new in [&pod, &faster, &larger] {
        assert_eq!(rules(&judged(&resize(&pod, new))), BTreeSet::new());
    }
}

#[test]
fn a_decrease_needs_an_approval() {
    let small = manifest("resize-policy-spelled-out");
    let mut large = with_memory(&small, "512Mi");
    let verdict = judged(&resize(&large, &small));
    assert!(!verdict.allowed());
    assert_eq!(rules(&verdict), BTreeSet::from(["memory-limit-decrease"]));
    let remedy = &verdict.rulings[0].finding.remedy;
    assert!(
        remedy.contains("`kubectl annotate pod resizable -n shop restraint.dev/approve=app=256Mi`"),
        "{remedy}"
    );

    // the same words again would be no change
    large["metadata"]["annotations"] = json!({"restraint.dev/approve": "app=256Mi"});
    let remedy = &judged(&resize(&large, &small)).rulings[0].finding.remedy;
    let command = "`kubectl annotate pod resizable -n shop restraint.dev/approve- && kubectl annotate pod resizable -n shop restraint.dev/approve=app=256Mi`";
    assert!(remedy.contains(command), "{remedy}");

    let verdict = judged(&resize(&approved(large), &small));
    assert!(verdict.allowed());
    assert_eq!(rules(&verdict), BTreeSet::new());
    let used: Vec<String> = verdict.approvals.iter().map(ToString::to_string).collect();
    assert_eq!(
        used,
        [
            "container \"app\" 512Mi to 256Mi, approved: any decrease by \"alice\" from 2026-11-21T11:30:00Z until 2026-11-21T12:30:00Z, reason \"INC-4711\""
        ]
    );
}

#[test]
fn a_pod_that_restarts_as_a_whole_is_admitted() {
    let pod = manifest("restart-all-containers");
    assert_eq!(rules(&judged(&creation(&pod))), BTreeSet::new());
    assert_eq!(amended(&pod), pod);

    let limited = with_memory(&pod, "64Mi");
    assert_eq!(rules(&judged(&creation(&limited))), BTreeSet::from(["memory-resize-policy"]));
    let amended = amended(&limited);
    let verdict = judged(&creation(&amended));
    assert!(verdict.allowed() && verdict.rulings.is_empty(), "{verdict:?}");
    // anything that restarts for a resize is invalid in a pod that never restarts
    assert!(!amended.to_string().contains("\"RestartContainer\""), "{amended}");
}

#[test]
fn what_is_amended_is_admitted_as_it_came() {
    let mut pod = with_memory(&manifest("resize-policy-spelled-out"), "256Mi");
    pod["metadata"]["annotations"] = json!({"approved-by-sre": "true", "team": "shop"});
    pod["spec"]["containers"][0]["resizePolicy"] =
        json!([{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]);
    assert!(judged(&creation(&pod)).missed_fix.is_some());
    let amended = amended(&pod);
    assert_eq!(judged(&creation(&amended)).missed_fix, None);
    assert_eq!(amended["metadata"]["annotations"], json!({"team": "shop"}));
    let memory = json!({"resourceName": "memory", "restartPolicy": "RestartContainer"});
    let kept = json!({"resourceName": "cpu", "restartPolicy": "RestartContainer"});
    assert_eq!(amended["spec"]["containers"][0]["resizePolicy"], json!([kept, memory]));

    pod["spec"]["containers"][0].as_object_mut().unwrap().remove("resizePolicy");
    let cpu = json!({"resourceName": "cpu", "restartPolicy": "NotRequired"});
    assert_eq!(self::amended(&pod)["spec"]["containers"][0]["resizePolicy"], json!([cpu, memory]));
}

fn manifest(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/acceptance")
        .join(name)
        .with_extension("yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The same pod with other resources in its first container.
fn with_resources(pod: &Value, resources: Value) -> Value {
    let mut pod = pod.clone();
    pod["spec"]["containers"][0]["resources"] = resources;
    pod
}

fn with_memory(pod: &Value, memory: &str) -> Value {
    with_resources(
        pod,
        json!({"requests": {"cpu": "100m", "memory": memory}, "limits": {"cpu": "500m", "memory": memory}}),
    )
}

fn judged(body: &[u8]) -> Verdict {
    let mut review = decode(body).unwrap();
    examine(&mut review.subject);
    judge(&Policies::embedded(), &review.subject)
}

fn rules(verdict: &Verdict) -> BTreeSet<&'static str> {
    verdict.rulings.iter().map(|ruling| ruling.rule).collect()
}

/// `pod` as the mutating path would have it stored.
fn amended(pod: &Value) -> Value {
    let body = creation(pod);
    let review = decode_for(Mutate, &body).unwrap();
    let reply: Value = serde_json::from_slice(&answer(
        &review.uid,
        &amend(&Policies::embedded(), &review.subject),
    ))
    .unwrap();
    let mut pod = pod.clone();
    if let Some(patch) = reply["response"]["patch"].as_str() {
        let operations: json_patch::Patch =
            serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap();
        json_patch::patch(&mut pod, &operations).unwrap();
    }
    pod
}
