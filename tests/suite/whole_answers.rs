//! Answers say enough to act on, and the record is whole.

use serde_json::{Value, json};

use restraint::approval::STAMP_ANNOTATION;
use restraint::judge::judge;
use restraint::judge::mode::Cap;
use restraint::judge::policies::Policies;
use restraint::review::{answer, decode};

use crate::subjects::{examine, resize, update};
use crate::suggested::{stamped, validated};

#[test]
fn a_grant_for_a_container_that_is_not_there_is_answered_with_those_that_are() {
    let old = pod(2, "1Gi");
    let stamped = stamped(&old, &granted(&old, "web=300Mi"));
    let response = answered(&update(&old, &stamped), &Policies::read([approvers()]).unwrap());
    assert_eq!(response["allowed"], true);
    let warning = "approval-authority: no container is called \"web\", there are \"c0\", \"c1\"; grant again with the name of a container of the…";
    assert_eq!(response["warnings"], json!([warning]));
}

#[test]
fn a_limit_range_is_named_where_it_may_have_brought_the_memory() {
    let bare = json!({"name": "app", "resources": {"requests": {"cpu": "100m"}}});
    let brought = json!({"name": "app", "resources": {
        "requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}}});
    let with = |container: &Value| {
        let mut pod = pod(0, "");
        pod["spec"]["containers"] = json!([container]);
        pod
    };
    let remedy = |old: &Value, new: &Value| {
        let verdict = validated(&resize(&with(old), &with(new)));
        verdict.denials().next().unwrap().finding.remedy.to_string()
    };
    let named = "nobody asked for it? A LimitRange of the namespace adds it to any resize; ";
    assert!(remedy(&bare, &brought).starts_with(named));
    let mut asked = bare.clone();
    asked["resources"]["requests"]["memory"] = json!("256Mi");
    assert!(!remedy(&asked, &brought).contains("LimitRange"), "there was memory before");
}

#[test]
fn an_approval_of_many_containers_is_whole_in_the_record() {
    let (old, new) = (pod(60, "1Gi"), pod(60, "512Mi"));
    let reason = "é".repeat(256);
    let granted = granted(&old, &format!("true; reason={reason}"));
    let approver = ["arn:aws:sts::1:", &"x".repeat(6_000)].concat();
    let mut stored = stamped(&old, &granted);
    let stamp = &mut stored["metadata"]["annotations"][STAMP_ANNOTATION];
    *stamp = json!(stamp.as_str().unwrap().replace("developer", &approver));
    let response = answered(&resize(&stored, &new), &Policies::embedded());
    let record = response["auditAnnotations"]["approval-used"].as_str().unwrap();
    for index in 0..60 {
        assert!(record.contains(&format!("container \"c{index}\" 1Gi to 512Mi")), "{record}");
    }
    assert!(record.contains(" by \"arn:aws:sts::1:xxx") && record.contains(&reason), "{record}");
    assert_eq!(record.matches("approved: ").count(), 1, "once for all");
}

#[test]
fn what_did_not_count_is_bounded_in_the_record() {
    let padded = |memory: &str| {
        let mut pod = pod(1000, &format!("{}{memory}", "0".repeat(100)));
        pod["metadata"]["annotations"] = json!({"restraint.dev/approval": "no stamp"});
        pod
    };
    let response = answered(&resize(&padded("2Gi"), &padded("1Gi")), &Policies::embedded());
    for (key, record) in response["auditAnnotations"].as_object().unwrap() {
        assert!(record.as_str().unwrap().len() <= 4096 + "; and more".len(), "{key}");
    }
}

#[test]
fn a_lawful_grant_under_a_cap_is_no_refusal() {
    let old = pod(1, "1Gi");
    let body = update(&old, &granted(&old, "true"));
    let mut review = decode(&body).unwrap();
    examine(&mut review.subject);
    for cap in Cap::ALL {
        let verdict = judge(&Policies::read([approvers()]).unwrap().under(cap), &review.subject);
        assert_eq!(verdict.approvals.is_empty(), cap != Cap::Enforce, "{cap}");
    }
}

fn approvers() -> (&'static str, String) {
    let settings = "settings: {approvers: {users: [developer]}}";
    ("p.yaml", format!("name: p\nrule: approval-authority\nmode: enforce\n{settings}\n"))
}

fn granted(pod: &Value, grant: &str) -> Value {
    let mut pod = pod.clone();
    pod["metadata"]["annotations"] = json!({"restraint.dev/approve": grant});
    pod
}

/// The response to a review on the validating path.
fn answered(body: &[u8], policies: &Policies) -> Value {
    let mut review = decode(body).unwrap();
    examine(&mut review.subject);
    let verdict = judge(policies, &review.subject);
    let mut reply: Value = serde_json::from_slice(&answer(&review.uid, &verdict)).unwrap();
    reply["response"].take()
}

fn pod(containers: usize, memory: &str) -> Value {
    let container =
        |index| json!({"name": format!("c{index}"), "resources": {"limits": {"memory": memory}}});
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "db-0", "namespace": "shop", "uid": "uid-1", "generation": 1},
        "spec": {"nodeName": "n1", "containers": (0..containers).map(container).collect::<Value>()},
    })
}
