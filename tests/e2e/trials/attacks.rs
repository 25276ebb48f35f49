//! What somebody might try who wants memory gone without asking.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::json;

use crate::deadline::eventually;
use crate::kubectl::Person;
use crate::kubelet::{self, DEFERRED};
use crate::pods::{memory_limit, pod, resources, stored_limit};
use crate::policies;
use crate::space::Space;
use crate::world::enforcing;

use super::approvals::{STAMP, cpu, grant, space_with_pod, stamp};
use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("attack: a developer approves their own decrease", self_approval),
        trial("attack: the approval comes in the resize itself", in_the_same_patch),
        trial("attack: a new pod brings its approval along", in_a_new_pod),
        trial("attack: a template brings approvals along", in_a_template),
        trial("attack: a stamp is copied to another pod", a_copied_stamp),
        trial("attack: a stamp is copied to a new pod", a_stamp_in_a_new_pod),
        trial("attack: a stamp is written by hand", a_hand_written_stamp),
        trial("attack: a stamp is edited", an_edited_stamp),
        trial("attack: an approval is used twice", replay_after_a_resize),
        trial("attack: an approval is used after it expired", replay_after_expiry),
        trial("attack: an approval is put back after it was revoked", revoked_and_put_back),
        trial(
            "attack: an approval for another container, or for a higher floor",
            another_container,
        ),
        trial("attack: an approval outlives its pod", another_pod_of_the_same_name),
        trial("attack: raise, then shrink below", raise_then_shrink),
        trial("attack: a grant and a change of the spec at once", with_a_change_of_the_spec),
        trial("attack: a limit of 0, and a limit after it", limit_to_zero),
        trial("attack: a LimitRange brings the limit", a_limit_range),
        trial("attack: a resize that changes labels as well", labels_as_well),
        trial("attack: a writer of status claims that the pod has less", a_claimed_status),
        trial("attack: an allowance that fits service accounts of any namespace", wide_allowances),
    ]
}

fn self_approval() {
    let space = space_with_pod();
    let developer = space.by(Person::Developer);
    for annotation in ["approved-by-sre=true", "restraint.dev/approve=app=300Mi"] {
        let said = developer.run(&["annotate", "pod", "db", annotation]).refused();
        assert!(
            said.contains("\"dev@example.com\" may not approve pods/resize of \"db\""),
            "{said}"
        );
        let right = format!(
            "the RBAC verb \"approve\" on pods/resize of pod \"db\" in namespace \"{}\"",
            space.name()
        );
        assert!(said.contains(&right), "{said}");
    }
    not_approved(&space, "300Mi");
}

fn in_the_same_patch() {
    let space = space_with_pod();
    let with_approval = |key: &str, mut patch: serde_json::Value| {
        patch["metadata"] = json!({"annotations": {key: "true"}});
        patch
    };
    for key in ["approved-by-sre", "restraint.dev/approve", STAMP] {
        let said = space.resize("db", &with_approval(key, memory_limit("300Mi"))).refused();
        assert!(said.contains("memory limit 512Mi -> 300Mi is not approved"), "{said}");
        // a resize that is allowed does not carry it in either
        space.resize("db", &with_approval(key, cpu(&format!("{}m", 300 + key.len())))).accepted();
    }
    assert!(space.pod("db")["metadata"]["annotations"].is_null());
    not_approved(&space, "300Mi");
}

fn in_a_new_pod() {
    let space = enforcing().space();
    let mut pod = pod("db");
    pod["metadata"]["annotations"] =
        json!({"approved-by-sre": "true", "restraint.dev/approve": "app=1Mi", "team": "shop"});
    space.create(&pod).accepted();
    assert_eq!(space.pod("db")["metadata"]["annotations"], json!({"team": "shop"}));
    not_approved(&space, "300Mi");
}

fn in_a_template() {
    let space = enforcing().space();
    let mut template = pod("");
    template["metadata"] =
        json!({"labels": {"app": "db"}, "annotations": {"restraint.dev/approve": "app=1Mi"}});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "db"},
        "spec": {"selector": {"matchLabels": {"app": "db"}}, "template": {"metadata": template["metadata"], "spec": template["spec"]}},
    });
    space
        .create(&deployment)
        .accepted()
        .assert_warnings(&["approval-in-template: annotation \"restraint.dev/approve\""]);
}

fn a_copied_stamp() {
    let space = space_with_pod();
    space.create(&pod("other")).accepted();
    grant(&space, "db", "approved-by-sre=true").accepted();
    let text = text(&space, "db");
    for person in [Person::Developer, Person::Sre] {
        let said = space
            .by(person)
            .run(&["annotate", "pod", "other", &format!("{STAMP}={text}")])
            .refused();
        assert!(said.contains("the stamp is not sealed by this service for this pod"), "{said}");
    }
    space.resize("other", &memory_limit("300Mi")).refused();
}

fn a_stamp_in_a_new_pod() {
    let space = space_with_pod();
    grant(&space, "db", "approved-by-sre=true").accepted();
    let mut new = pod("new");
    new["metadata"]["annotations"] = json!({STAMP: text(&space, "db")});
    space.create(&new).accepted();
    assert!(space.pod("new")["metadata"]["annotations"].is_null());
    space.resize("new", &memory_limit("300Mi")).refused();
}

fn a_hand_written_stamp() {
    let space = space_with_pod();
    let metadata = &space.pod("db")["metadata"];
    let text = format!(
        r#"{{"version":1,"approver":"dev@example.com","memory":"true","granted":"2026-01-01T00:00:00Z","expires":"2999-01-01T00:00:00Z","uid":{},"generation":{},"key":"k","seal":"c2VhbA"}}"#,
        metadata["uid"], metadata["generation"]
    );
    for text in [text.as_str(), "true", "{}"] {
        for person in [Person::Developer, Person::Sre, Person::Admin] {
            let said = space
                .by(person)
                .run(&["annotate", "pod", "db", &format!("{STAMP}={text}")])
                .refused();
            assert!(said.contains("only the service writes stamps"), "{said}");
        }
    }
}

fn an_edited_stamp() {
    let space = space_with_pod();
    grant(&space, "db", "restraint.dev/approve=app=500Mi").accepted();
    let text = text(&space, "db").replace("500Mi", "1Mi");
    for person in [Person::Developer, Person::Sre] {
        space
            .by(person)
            .run(&["annotate", "--overwrite", "pod", "db", &format!("{STAMP}={text}")])
            .refused();
    }
    space.resize("db", &memory_limit("300Mi")).refused();
}

fn replay_after_a_resize() {
    let space = space_with_pod();
    grant(&space, "db", "approved-by-sre=true").accepted();
    space.resize("db", &memory_limit("400Mi")).accepted();
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(
        said.contains("memory limit 400Mi -> 300Mi is not approved any more: the pod changed"),
        "{said}"
    );
}

fn replay_after_expiry() {
    let space = space_with_pod();
    grant(&space, "db", "approved-by-sre=true; for=10s").accepted();
    eventually("the approval ends", || {
        let outcome = space.resize_with("db", &memory_limit("300Mi"), &["--dry-run=server"]);
        (!outcome.succeeded() && outcome.refused().contains("was approved until")).then_some(())
    });
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(said.contains("was approved until"), "{said}");
}

fn revoked_and_put_back() {
    let space = space_with_pod();
    grant(&space, "db", "approved-by-sre=true").accepted();
    let text = text(&space, "db");
    grant(&space, "db", &format!("{STAMP}-")).accepted();
    not_approved(&space, "300Mi");
    let said = space
        .by(Person::Developer)
        .run(&["annotate", "pod", "db", &format!("{STAMP}={text}")])
        .refused();
    assert!(said.contains("the stamp was made for another approver"), "{said}");
    not_approved(&space, "300Mi");
}

fn another_container() {
    let space = space_with_pod();
    grant(&space, "db", "restraint.dev/approve=other=1Mi,@pod=1Mi").accepted();
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(said.contains("512Mi -> 300Mi is not in the approval"), "{said}");
    grant(&space, "db", "restraint.dev/approve=app=400Mi").accepted();
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(said.contains("is approved down to 400Mi only"), "{said}");
}

fn another_pod_of_the_same_name() {
    let space = space_with_pod();
    grant(&space, "db", "approved-by-sre=true").accepted();
    let mut again = pod("db");
    again["metadata"]["annotations"] = json!({STAMP: text(&space, "db")});
    space.kubectl().run(&["delete", "pod", "db", "--grace-period=0", "--force"]).accepted();
    space.create(&again).accepted();
    not_approved(&space, "300Mi");
    let said = space.by(Person::Sre).run(&[
        "annotate",
        "pod",
        "db",
        &format!("{STAMP}={}", again["metadata"]["annotations"][STAMP].as_str().unwrap()),
    ]);
    assert!(said.refused().contains("the stamp is another pod's"));
}

fn raise_then_shrink() {
    let space = space_with_pod();
    grant(&space, "db", "approved-by-sre=true").accepted();
    space.resize("db", &memory_limit("1Gi")).accepted();
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(said.contains("is not approved any more: the pod changed"), "{said}");
    assert_eq!(stored_limit(&space.pod("db")), "1Gi");
}

fn with_a_change_of_the_spec() {
    let space = space_with_pod();
    let patch = json!({
        "metadata": {"annotations": {"approved-by-sre": "true"}},
        "spec": {"containers": [{"name": "app", "image": "registry.k8s.io/pause:3.9"}]},
    });
    let said =
        space.by(Person::Sre).run(&["patch", "pod", "db", "--patch", &patch.to_string()]).refused();
    assert!(said.contains("the stamp and a change of the spec do not go together"), "{said}");
}

fn limit_to_zero() {
    let space = space_with_pod();
    space
        .resize("db", &resources(json!({"limits": {"memory": "0"}, "requests": {"memory": "0"}})))
        .accepted();
    let said = space.resize("db", &memory_limit("8Gi")).refused();
    assert!(said.contains("unlimited -> 8Gi is not approved"), "{said}");
}

fn a_limit_range() {
    let space = enforcing().space();
    let mut unlimited = pod("db");
    unlimited["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "200m"}});
    space.create(&unlimited).accepted();
    let range = json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"},
        "spec": {"limits": [{"type": "Container", "default": {"memory": "64Mi"}, "defaultRequest": {"memory": "32Mi"}}]},
    });
    space.create(&range).accepted();
    // the API server goes by it in its own time
    eventually("the LimitRange is known", || {
        let line = ["create", "--dry-run=server", "--output", "json", "--filename", "-"];
        let mut tried = unlimited.clone();
        tried["metadata"]["name"] = json!("tried");
        let tried = space.kubectl().feed(&line, &tried.to_string()).accepted().object();
        (stored_limit(&tried) == "64Mi").then_some(())
    });
    let said = space.resize("db", &resources(json!({"requests": {"cpu": "300m"}}))).refused();
    assert!(said.contains("memory limit unlimited -> 64Mi is not approved"), "{said}");
}

fn labels_as_well() {
    let space = space_with_pod();
    let mut patch = memory_limit("300Mi");
    patch["metadata"] = json!({"labels": {"restraint.dev/cap": "audit"}, "annotations": {"restraint.dev/ignore": "memory-limit-decrease"}});
    let said = space.resize("db", &patch).refused();
    assert!(said.contains("is not approved"), "{said}");
}

/// Documented in `docs/approvals.md`: the status is the kubelet's word. It reaches down to what it
/// says, in the generation it names, and no further.
fn a_claimed_status() {
    let space = enforcing().space();
    kubelet::join(&space);
    space.create(&kubelet::bound(&space, pod("db"))).accepted();
    let claimed = json!({"limits": {"memory": "400Mi"}, "requests": {"memory": "256Mi"}});
    let status = json!({"status": {"containerStatuses": []}}).to_string();
    let line = ["patch", "pod", "db", "--subresource", "status", "--patch", &status];
    let said = space.by(Person::Developer).run(&line).refused();
    assert!(said.contains("resource \"pods/status\""), "{said}");
    kubelet::says(&space, "db", ("PodResizePending", "Deferred", "False"), &claimed);
    not_approved(&space, "400Mi");
    kubelet::says(&space, "db", DEFERRED, &claimed);
    not_approved(&space, "399Mi");
    space.resize("db", &memory_limit("400Mi")).accepted();
    // the claim was about the generation before
    not_approved(&space, "399Mi");
}

/// Whoever may create a service account of such a name would be meant.
fn wide_allowances() {
    let check = |user: &str| {
        let folder = tempfile::tempdir().unwrap();
        let text = policies::in_mode("memory-limit-decrease", "enforce");
        let allowance =
            format!("{{name: updater, requesters: {{users: [\"{user}\"]}}, atLeast: 64Mi}}");
        let text = format!("{text}settings: {{allowances: [{allowance}]}}\n");
        policies::write(folder.path(), "memory-limit-decrease", &text);
        let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
        command.args(["serve", "--check", "--policies"]).arg(folder.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for user in [
        "system:serviceaccount:*:vpa-updater",
        "system:serviceaccount:*",
        "system:serviceaccount:kube-*:vpa-updater",
        "system:serviceaccount:kube-system*:vpa-updater",
        "*:kube-system:vpa-updater",
        "*vpa-updater",
        "*",
    ] {
        let (code, said) = check(user);
        assert_eq!(code, Some(2), "{user}: {said}");
        assert!(said.contains("memory-limit-decrease.yaml:4:") && said.contains(user), "{said}");
    }
    for user in [
        "system:serviceaccount:kube-system:*",
        "system:serviceaccount:vpa:*-updater",
        "*@example.com",
    ] {
        assert_eq!(check(user).0, Some(0), "{user}: {}", check(user).1);
    }
}

pub(super) fn text(space: &Space<'_>, pod: &str) -> String {
    let pod = space.pod(pod);
    assert!(!stamp(&pod).is_null());
    pod["metadata"]["annotations"][STAMP].as_str().unwrap().to_owned()
}

#[track_caller]
pub(super) fn not_approved(space: &Space<'_>, memory: &str) {
    let said = space.resize("db", &memory_limit(memory)).refused();
    assert!(said.contains("is not approved;"), "{said}");
}
