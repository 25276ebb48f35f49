//! Approvals: what counts as one, and what does not.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::kubectl::Person;
use crate::pods::{memory_limit, pod, resources, stored_limit};
use crate::space::Space;
use crate::world::enforcing;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("approval: one that comes in the resize itself counts for nothing", in_the_same_patch),
        trial("approval: a new pod is stored without the one it brings", in_a_new_pod),
        trial("approval: one that was removed is no more", removed),
        trial("approval: another value than true approves nothing, and the message says how to mend it", another_value),
        trial("approval: an approved decrease of a live process is warned about", live),
    ]
}

fn in_the_same_patch() {
    let space = enforcing().space();
    space.create(&pod("db")).accepted();
    let with_approval = |mut patch: Value| {
        patch["metadata"] = json!({"annotations": {"approved-by-sre": "true"}});
        patch
    };
    for _ in 0..2 {
        let said = space.resize("db", &with_approval(memory_limit("300Mi"))).refused();
        assert!(said.contains("memory limit 512Mi -> 300Mi is not approved"), "{said}");
    }
    // a resize that is allowed does not carry it in either
    space.resize("db", &with_approval(memory_limit("600Mi"))).accepted();
    space.resize("db", &with_approval(resources(json!({"limits": {"cpu": "400m"}})))).accepted();
    assert!(space.pod("db")["metadata"]["annotations"].is_null());
    space.resize("db", &memory_limit("300Mi")).refused();
}

fn in_a_new_pod() {
    let space = enforcing().space();
    let mut pod = pod("db");
    pod["metadata"]["annotations"] = json!({"approved-by-sre": "true", "restraint.dev/approve": "app=1Mi", "team": "shop"});
    space.create(&pod).accepted();
    assert_eq!(space.pod("db")["metadata"]["annotations"], json!({"team": "shop"}));
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(said.contains("is not approved"), "{said}");
}

fn removed() {
    let space = enforcing().space();
    space.create(&pod("db")).accepted();
    annotate(&space, "approved-by-sre=true");
    space.resize_with("db", &memory_limit("300Mi"), &["--dry-run=server"]).accepted();
    annotate(&space, "approved-by-sre-");
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(said.contains("is not approved"), "{said}");
}

fn another_value() {
    let space = enforcing().space();
    space.create(&pod("db")).accepted();
    annotate(&space, "approved-by-sre=yes");
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    let command = said.split('`').nth(1).unwrap();
    assert_eq!(command, format!("kubectl annotate --overwrite pod db -n {} approved-by-sre=true", space.name()));
    space.by(Person::Sre).paste(command).accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
}

fn live() {
    let space = enforcing().space();
    let mut pod = pod("db");
    pod["spec"]["containers"][0]["resizePolicy"] = json!([{"resourceName": "memory", "restartPolicy": "NotRequired"}]);
    space.create(&pod).accepted();
    annotate(&space, "approved-by-sre=true");
    let outcome = space.resize("db", &memory_limit("300Mi")).accepted();
    outcome.assert_warnings(&["live-memory-shrink: container \"app\": live shrink 512Mi -> 300Mi"]);
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
}

fn annotate(space: &Space<'_>, annotation: &str) {
    space.by(Person::Sre).run(&["annotate", "pod", "db", annotation]).accepted();
}
