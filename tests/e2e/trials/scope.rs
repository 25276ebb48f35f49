//! Namespaces that are left alone.

use libtest_mimic::Trial;
use serde_json::json;

use crate::deadline::eventually;
use crate::installation::{Installation, LABEL};
use crate::pods::{memory_limit, pod, stored_limit};
use crate::world::{cluster, kube_system};

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![trial(
        "scope: kube-system and its own namespace are left alone, however they are labelled",
        exempted,
    )]
}

fn exempted() {
    let installation = Installation::new(cluster(), "scope", &[]);
    let label = format!("{LABEL}={}", installation.name());
    let own = installation.namespace();
    let _alone = kube_system();
    let alike = installation.space_labelled(&json!({}));
    for namespace in ["kube-system", &own, alike.name()] {
        cluster()
            .kubectl()
            .run(&["label", "--overwrite", "namespace", namespace, &label])
            .accepted();
    }
    // the API server takes note of labels in its own time, and of this one last
    eventually("the labels are known", || {
        let asked = ["create", "--dry-run=server", "--filename", "-"];
        alike.kubectl().feed(&asked, &pod("probe").to_string()).accepted();
        (!alike.logged_reviews().is_empty()).then_some(())
    });
    for namespace in ["kube-system", &own] {
        let kubectl = cluster().kubectl().within(namespace);
        let stored = kubectl
            .feed(&["create", "--filename", "-", "--output", "json"], &pod("db").to_string())
            .accepted()
            .object();
        assert!(stored["spec"]["containers"][0]["resizePolicy"].is_null());
        let patch = memory_limit("300Mi").to_string();
        let line = [
            "patch",
            "pod",
            "db",
            "--subresource",
            "resize",
            "--patch",
            &patch,
            "--output",
            "json",
        ];
        assert_eq!(stored_limit(&kubectl.run(&line).accepted().object()), "300Mi");
    }
    // a namespace like any other, to see that it was asked at all
    let space = installation.space();
    space.create(&pod("db")).accepted();
    space.resize("db", &memory_limit("300Mi")).refused();
    assert_eq!(space.reviews().len(), 3);
    assert!(
        !installation
            .logged_reviews(|_| true)
            .iter()
            .any(|review| review["namespace"] == "kube-system" || review["namespace"] == own)
    );
}
