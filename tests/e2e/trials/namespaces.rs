//! Policies and caps that go by the labels of namespaces, which are followed in the cluster.

use libtest_mimic::Trial;

use crate::audit::Event;
use crate::deadline::eventually;
use crate::installation::Installation;
use crate::pods::{memory_limit, pod, stored_limit};
use crate::world::cluster;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("namespaces: a label caps a namespace, and its removal ends that", capped_by_label),
        trial("namespaces: a policy applies where its selector says", selected_by_label),
    ]
}

fn capped_by_label() {
    let installation = Installation::new(cluster(), "labels", &[]);
    let space = installation.space();
    space.create(&pod("db")).accepted();
    space.resize("db", &memory_limit("300Mi")).refused();
    let label = |label: &str| {
        space.kubectl().run(&["label", "--overwrite", "namespace", space.name(), label]).accepted()
    };
    label("restraint.dev/cap=audit");
    let dry_run = |limit: &str| {
        space.resize_with("db", &memory_limit(limit), &["--dry-run=server"]).succeeded()
    };
    eventually("the cap is known", || dry_run("300Mi").then_some(()));
    space.resize("db", &memory_limit("300Mi")).accepted().assert_warnings(&[]);
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
    eventually("the cap is on record", || {
        let capped = |event: &Event| {
            event.is_within(space.name()) && event.annotation("resize.restraint.dev/cap") == "audit"
        };
        cluster().audit_log(|line| line.contains(space.name())).iter().any(capped).then_some(())
    });
    label("restraint.dev/cap-");
    eventually("the cap is gone", || (!dry_run("200Mi")).then_some(()));
}

fn selected_by_label() {
    let policies = cluster().file("policies-for-production");
    std::fs::create_dir(&policies).unwrap();
    let text = "name: shrink\nrule: memory-limit-decrease\nmode: enforce\nscope:\n  namespaces:\n    selector: {matchLabels: {tier: production}}\n";
    std::fs::write(policies.join("shrink.yaml"), text).unwrap();
    let installation =
        Installation::new(cluster(), "selected", &["--policies", policies.to_str().unwrap()]);
    let space = installation.space();
    space.create(&pod("db")).accepted();
    let dry_run =
        || space.resize_with("db", &memory_limit("300Mi"), &["--dry-run=server"]).succeeded();
    // a namespace that is not known yet is in the scope of every selector
    eventually("the namespace is known to be out of scope", || dry_run().then_some(()));
    space.kubectl().run(&["label", "namespace", space.name(), "tier=production"]).accepted();
    eventually("the namespace is in scope", || (!dry_run()).then_some(()));
}
