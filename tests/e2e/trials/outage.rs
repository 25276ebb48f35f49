//! While Restraint is away, what it guards stays shut and everything else goes on.

use libtest_mimic::Trial;
use serde_json::json;

use crate::autoscalers::in_place;
use crate::installation::Installation;
use crate::pods::{memory_limit, pod, stored_limit};
use crate::space::Space;
use crate::world::cluster;

use super::approvals::{cpu, grant};
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
    let mut replica = installation.take().unwrap();
    replica.terminate();
    assert!(replica.wait().success());
    goes_on(&space);
    stays_shut(&space);

    installation.start();
    space.resize("db", &cpu("300m")).accepted();
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(said.contains("memory limit 512Mi -> 300Mi is not approved"), "{said}");
    grant(&space, "db", "approved-by-sre=true").accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
    space.create(&pod("afterwards")).accepted();
    space.create(&in_place("afterwards")).accepted().assert_warnings(&["vpa-memory-floor: "]);
    assert!(space.pod("afterwards")["spec"]["containers"][0]["resizePolicy"].is_array());
}

/// What nobody needs to be asked about.
fn goes_on(space: &Space<'_>) {
    space.resize("db", &cpu("400m")).accepted();
    space.create(&pod("meanwhile")).accepted();
    assert!(
        space.pod("meanwhile")["spec"]["containers"][0]["resizePolicy"].is_null(),
        "nobody was there to add it"
    );
    // advice is for those who can wait for it
    let labels = json!({"app": "a"});
    let mut deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "meanwhile", "annotations": {"reloader.stakater.com/atuo": "true"}},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}},
    });
    deployment["spec"]["template"]["spec"] = pod("meanwhile")["spec"].take();
    for object in [&deployment, &in_place("meanwhile")] {
        space.create(object).accepted().assert_warnings(&[]);
    }
    for (kind, patch) in [
        ("deployment", json!({"spec": {"replicas": 3}})),
        ("vpa", json!({"spec": {"resourcePolicy": {"containerPolicies": []}}})),
    ] {
        let patch = patch.to_string();
        let line = ["patch", kind, "meanwhile", "--type", "merge", "--patch", &patch];
        space.kubectl().run(&line).accepted();
    }
    grant(space, "db", "team=shop").accepted();
}

/// Memory, and what would let it go.
fn stays_shut(space: &Space<'_>) {
    let unreachable = |said: String, webhook: &str| {
        let failed = format!("failed calling webhook \"{webhook}\": failed to call webhook: ");
        assert!(said.contains(&failed) && said.contains("connection refused"), "{said}");
    };
    for amount in ["300Mi", "600Mi"] {
        unreachable(space.resize("db", &memory_limit(amount)).refused(), "resize.restraint.dev");
    }
    for annotation in
        ["approved-by-sre=true", "restraint.dev/approve=true", "restraint.dev/approval=true"]
    {
        unreachable(grant(space, "db", annotation).refused(), "approval.restraint.dev");
    }
    let mut approved = pod("approved");
    approved["metadata"]["annotations"] = json!({"approved-by-sre": "true"});
    unreachable(space.create(&approved).refused(), "approval.restraint.dev");
    assert_eq!(stored_limit(&space.pod("db")), "512Mi");
}
