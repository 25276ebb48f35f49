//! Pods as they are stored.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::pods::pod;
use crate::world::enforcing;

use super::shapes::{self, Shape};
use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    let shapes = shapes::all().into_iter().map(|shape| {
        let name =
            format!("creation: the recorded pod {} is stored with its resize policy", shape.name);
        trial(name, move || a_recorded_pod(&shape))
    });
    let rest = [
        trial("creation: a plain pod gets a resize policy", a_plain_pod),
        trial("creation: a dry run shows the resize policy", a_dry_run),
        trial("creation: a mirror pod is none of its business", a_mirror_pod),
    ];
    rest.into_iter().chain(shapes).collect()
}

fn a_plain_pod() {
    let space = enforcing().space();
    space.create(&pod("plain")).accepted();
    assert_eq!(space.pod("plain")["spec"]["containers"][0]["resizePolicy"], restarting());
}

fn a_dry_run() {
    let space = enforcing().space();
    let line = ["create", "--dry-run=server", "--filename", "-", "--output", "json"];
    let outcome = space.kubectl().feed(&line, &pod("plain").to_string()).accepted();
    assert_eq!(outcome.object()["spec"]["containers"][0]["resizePolicy"], restarting());
    assert_eq!(space.object(&["get", "pods"])["items"], json!([]));
}

fn a_mirror_pod() {
    let space = enforcing().space();
    let mut mirror = pod("mirror");
    mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "hash"});
    mirror["spec"]["nodeName"] = json!("node");
    space.create(&mirror).accepted();
    assert!(space.pod("mirror")["spec"]["containers"][0]["resizePolicy"].is_null());
    assert!(!space.reviews().iter().any(|review| review["path"] == "mutate"));
}

fn a_recorded_pod(shape: &Shape) {
    let space = enforcing().space();
    let stored = space.create(&shape.sent).accepted().object();
    Shape::assert_stored(&stored, &shape.expected);
}

fn restarting() -> Value {
    json!([{"resourceName": "cpu", "restartPolicy": "NotRequired"}, {"resourceName": "memory", "restartPolicy": "RestartContainer"}])
}
