//! What automation takes is put back by the API server itself, where that was chosen.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::fallback::LABEL;
use crate::installation::{self, Installation};
use crate::kubectl::{Outcome, Person};
use crate::pods::{memory_limit, pod, resources};
use crate::space::Space;
use crate::world::{cluster, fallback_with_allowances};

use super::super::approvals::grant;
use super::super::trial;
use super::allowances::{resize_as, slim, with_allowances};

pub(super) fn trials() -> [Trial; 2] {
    [
        trial("fallback: what automation takes is put back, and the rest passes", put_back),
        trial(
            "fallback: while the service is away an autoscaler gets its answer, and takes nothing",
            an_outage,
        ),
    ]
}

/// Updaters, of any name that is usual.
const UPDATERS: [&str; 2] = [
    "system:serviceaccount:kube-system:vpa-updater",
    "system:serviceaccount:platform:goldilocks-vpa-updater",
];

/// Memory of the container `app`, request and limit, and its limit of cpu.
fn of_app(pod: &Value) -> [String; 3] {
    let resources = &pod["spec"]["containers"][0]["resources"];
    ["/requests/memory", "/limits/memory", "/limits/cpu"].map(|pointer| {
        resources.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    })
}

fn asked(request: &str, limit: &str, cpu: &str) -> Value {
    resources(json!({"requests": {"memory": request}, "limits": {"memory": limit, "cpu": cpu}}))
}

fn put_back() {
    let space = with_allowances();
    space.create(&pod("db")).accepted();
    let mut unlimited = slim("unlimited");
    unlimited["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "200m"}});
    space.create(&unlimited).accepted();
    let mut guaranteed = pod("guaranteed");
    guaranteed["spec"]["containers"][0]["resources"] =
        json!({"limits": {"cpu": "500m", "memory": "512Mi"}});
    space.create(&guaranteed).accepted();
    for updater in UPDATERS {
        let stored = |name: &str, patch: &Value| {
            of_app(&resize_as(&space, updater, name, patch).accepted().object())
        };
        assert_eq!(stored("db", &asked("128Mi", "300Mi", "400m")), ["256Mi", "512Mi", "400m"]);
        assert_eq!(
            stored("db", &asked("300Mi", "1Gi", "400m")),
            ["300Mi", "1Gi", "400m"],
            "growth"
        );
        let request = resources(json!({"requests": {"memory": "128Mi"}}));
        assert_eq!(stored("db", &request), ["128Mi", "512Mi", "500m"], "only a request");
        assert_eq!(stored("unlimited", &memory_limit("8Gi")), ["", "", ""], "a first limit");
        let mut less = asked("300Mi", "300Mi", "400m");
        less["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!("400m");
        assert_eq!(stored("guaranteed", &less), ["512Mi", "512Mi", "400m"]);
    }
    resize_as(&space, "bob@example.com", "db", &memory_limit("300Mi")).refused();
    whole_pod(&space);
}

/// Of a pod with memory of its own all memory is put back: its parts must fit together.
fn whole_pod(space: &Space<'_>) {
    let mut whole = pod("whole");
    whole["spec"]["resources"] =
        json!({"requests": {"memory": "600Mi"}, "limits": {"memory": "1Gi"}});
    space.create(&whole).accepted();
    let patch = |of_pod: &str| {
        let mut patch = memory_limit("600Mi");
        patch["spec"]["resources"] = json!({"limits": {"memory": of_pod}});
        let stored = resize_as(space, UPDATERS[0], "whole", &patch).accepted().object();
        let of_pod = stored["spec"]["resources"]["limits"]["memory"].as_str().unwrap().to_owned();
        [of_app(&stored)[1].clone(), of_pod]
    };
    assert_eq!(patch("900Mi"), ["512Mi", "1Gi"]);
    assert_eq!(patch("2Gi"), ["600Mi", "2Gi"]);
}

fn an_outage() {
    fallback_with_allowances();
    let installation = Installation::new(cluster(), "restoring", &["--drain-delay", "0"]);
    let space = installation
        .space_labelled(&json!({LABEL: "allowances", installation::LABEL: installation.name()}));
    for name in ["db", "approved"] {
        space.create(&pod(name)).accepted();
    }
    grant(&space, "approved", "approved-by-sre=true").accepted();
    let updater = |name: &str, patch: &Value| -> Outcome {
        let patch = patch.to_string();
        let line = ["patch", "pod", name, "--subresource", "resize", "--patch", &patch];
        space.by(Person::Autoscaler).run(&line)
    };
    // the service finds nothing to put back
    updater("db", &asked("128Mi", "300Mi", "400m")).accepted().assert_warnings(&[]);
    assert_eq!(of_app(&space.pod("db")), ["256Mi", "512Mi", "400m"]);

    let mut replica = installation.take().unwrap();
    replica.terminate();
    assert!(replica.wait().success());
    updater("db", &asked("128Mi", "300Mi", "300m")).accepted();
    assert_eq!(of_app(&space.pod("db")), ["256Mi", "512Mi", "300m"]);
    updater("db", &asked("300Mi", "600Mi", "300m")).accepted();
    assert_eq!(of_app(&space.pod("db")), ["300Mi", "600Mi", "300m"]);
    // who has an approval is asked about
    let said = updater("approved", &asked("128Mi", "300Mi", "400m")).refused();
    assert!(said.contains("failed calling webhook \"resize.restraint.dev\""), "{said}");
}
