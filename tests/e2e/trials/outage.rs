//! While Restraint is away, what it guards stays shut and everything else goes on.

use libtest_mimic::Trial;
use serde_json::json;

use crate::autoscalers::in_place;
use crate::installation::Installation;
use crate::kubectl::Person;
use crate::pods::{memory_limit, pod, resources, stored_limit};
use crate::world::cluster;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![trial(
        "outage: memory and approvals stay shut, all else goes on, and then it is as before",
        an_outage,
    )]
}

fn an_outage() {
    let installation = Installation::new(cluster(), "outage", &["--drain-delay", "0"]);
    let space = installation.space();
    space.create(&pod("db")).accepted();
    let cpu = |amount: &str| resources(json!({"limits": {"cpu": amount}}));
    let annotate =
        |annotation: &str| space.by(Person::Sre).run(&["annotate", "pod", "db", annotation]);
    let unreachable = |said: String, webhook: &str| {
        assert!(
            said.contains(&format!(
                "failed calling webhook \"{webhook}\": failed to call webhook: "
            )),
            "{said}"
        );
        assert!(said.contains("connection refused"), "{said}");
    };

    let mut replica = installation.take().unwrap();
    replica.terminate();
    assert!(replica.wait().success());
    space.resize("db", &cpu("400m")).accepted();
    space.create(&pod("meanwhile")).accepted();
    // advice is for those who can wait for it
    let mut deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "meanwhile", "annotations": {"reloader.stakater.com/atuo": "true"}},
        "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": {"metadata": {"labels": {"app": "a"}}}},
    });
    deployment["spec"]["template"]["spec"] = pod("meanwhile")["spec"].take();
    for object in [&deployment, &in_place("meanwhile")] {
        space.create(object).accepted().assert_warnings(&[]);
    }
    for line in [
        [
            "patch",
            "deployment",
            "meanwhile",
            "--type",
            "merge",
            "--patch",
            r#"{"spec": {"replicas": 3}}"#,
        ],
        [
            "patch",
            "vpa",
            "meanwhile",
            "--type",
            "merge",
            "--patch",
            r#"{"spec": {"resourcePolicy": {"containerPolicies": []}}}"#,
        ],
    ] {
        space.kubectl().run(&line).accepted();
    }
    assert!(
        space.pod("meanwhile")["spec"]["containers"][0]["resizePolicy"].is_null(),
        "nobody was there to add it"
    );
    annotate("team=shop").accepted();
    unreachable(space.resize("db", &memory_limit("300Mi")).refused(), "resize.restraint.dev");
    unreachable(space.resize("db", &memory_limit("600Mi")).refused(), "resize.restraint.dev");
    for annotation in
        ["approved-by-sre=true", "restraint.dev/approve=true", "restraint.dev/approval=true"]
    {
        unreachable(annotate(annotation).refused(), "approval.restraint.dev");
    }
    let mut approved = pod("approved");
    approved["metadata"]["annotations"] = json!({"approved-by-sre": "true"});
    unreachable(space.create(&approved).refused(), "approval.restraint.dev");
    assert_eq!(stored_limit(&space.pod("db")), "512Mi");

    installation.start();
    space.resize("db", &cpu("300m")).accepted();
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(said.contains("memory limit 512Mi -> 300Mi is not approved"), "{said}");
    annotate("approved-by-sre=true").accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
    space.create(&pod("afterwards")).accepted();
    space.create(&in_place("afterwards")).accepted().assert_warnings(&["vpa-memory-floor: "]);
    assert!(space.pod("afterwards")["spec"]["containers"][0]["resizePolicy"].is_array());
}
