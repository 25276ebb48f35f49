//! The doors to a pod's annotations besides the pod itself: each is watched, and there are no others.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::kubectl::{Outcome, Person};
use crate::kubelet::join;
use crate::pods::{memory_limit, pod};
use crate::space::Space;
use crate::world::{cluster, enforcing};

use super::approvals::{STAMP, grant, space_with_pod, stamp};
use super::attacks::{not_approved, text};
use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("attack: a grant or a stamp is written through pods/status", through_status),
        trial("attack: a grant or a stamp is written through pods/binding", || {
            through_a_binding("pods/db/binding", "cannot be written through pods/binding")
        }),
        trial("attack: a grant or a stamp is written through bindings", || {
            through_a_binding("bindings", "of pod \"db\" cannot be written through bindings")
        }),
        trial("doors: a pod is bound through either door", bound),
        trial("doors: an approval of a pod on no node ends when it is bound", ended),
        trial("doors: whatever writes a pod's metadata is watched", all_are_watched),
        trial("doors: what is not watched drops metadata", metadata_is_dropped),
    ]
}

/// What somebody could write who wants a decrease approved: a grant of either kind, and a genuine
/// stamp that was revoked.
fn forgeries(space: &Space<'_>) -> [(&'static str, String); 3] {
    grant(space, "db", "approved-by-sre=true").accepted();
    let revoked = text(space, "db");
    grant(space, "db", &format!("{STAMP}-")).accepted();
    [
        ("approved-by-sre", "true".to_owned()),
        ("restraint.dev/approve", "app=1Mi".to_owned()),
        (STAMP, revoked),
    ]
}

fn through_status() {
    let space = space_with_pod();
    let through = |patch: Value| {
        let line = ["patch", "pod", "db", "--subresource", "status", "--type", "merge", "--patch"];
        space.by(Person::Agent).run(&[&line[..], &[&patch.to_string()]].concat())
    };
    for (key, value) in forgeries(&space) {
        let patch =
            json!({"metadata": {"annotations": {key: value}}, "status": {"phase": "Running"}});
        let said = through(patch).refused();
        assert!(
            said.contains(&format!("\"{key}\" cannot be written through pods/status")),
            "{said}"
        );
    }
    through(json!({"status": {"phase": "Running"}})).accepted();
    not_approved(&space, "300Mi");
}

fn through_a_binding(door: &str, refusal: &str) {
    let space = space_with_pod();
    for (key, value) in forgeries(&space) {
        let said = bind(&space, door, "db", &json!({key: value})).refused();
        assert!(said.contains(&format!("\"{key}\" {refusal}")), "{said}");
    }
    not_approved(&space, "300Mi");
    assert!(space.pod("db")["metadata"]["annotations"].is_null());
}

fn bound() {
    let space = enforcing().space();
    for (name, door) in [("one", "pods/one/binding"), ("two", "bindings")] {
        space.create(&pod(name)).accepted();
        bind(&space, door, name, &json!({"team": "shop"})).accepted();
        let bound = space.pod(name);
        assert_eq!(bound["spec"]["nodeName"], "node");
        assert_eq!(bound["metadata"]["annotations"], json!({"team": "shop"}), "it is a door");
    }
}

fn ended() {
    let space = space_with_pod();
    join(&space);
    grant(&space, "db", "approved-by-sre=true").accepted();
    assert_eq!(stamp(&space.pod("db"))["unscheduled"], true);
    bind_to(&space, space.name(), "pods/db/binding", "db", &json!({})).accepted();
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(said.contains("is not approved any more: the pod got a node"), "{said}");
    grant(&space, "db", "approved-by-sre=true").accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
}

/// Binds a pod to a node as a scheduler does, and brings annotations along.
fn bind(space: &Space<'_>, door: &str, pod: &str, annotations: &Value) -> Outcome {
    bind_to(space, "node", door, pod, annotations)
}

fn bind_to(space: &Space<'_>, node: &str, door: &str, pod: &str, annotations: &Value) -> Outcome {
    let binding = json!({
        "apiVersion": "v1", "kind": "Binding", "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        "metadata": {"name": pod, "namespace": space.name(), "annotations": annotations},
    });
    let path = format!("/api/v1/namespaces/{}/{door}", space.name());
    let line = ["create", "--raw", &path, "--filename", "-"];
    space.by(Person::Agent).feed(&line, &binding.to_string())
}

/// What may be written about pods and is not watched, and why not.
const UNWATCHED: [(&str, &str); 7] = [
    ("pods/resize", "drops metadata"),
    ("pods/ephemeralcontainers", "drops metadata"),
    ("pods/eviction", "deletes: its metadata is the eviction's"),
    ("pods/attach", "speaks to a container"),
    ("pods/exec", "speaks to a container"),
    ("pods/portforward", "speaks to a container"),
    ("pods/proxy", "speaks to a container"),
];

fn all_are_watched() {
    let watched = watched();
    let mut found = BTreeSet::new();
    for (path, list) in discovered() {
        for resource in list["resources"].as_array().into_iter().flatten() {
            let name = resource["name"].as_str().unwrap();
            let kind = resource["kind"].as_str().unwrap();
            let verbs = resource["verbs"].as_array().unwrap();
            let writes =
                ["create", "update", "patch"].iter().any(|verb| verbs.contains(&json!(verb)));
            let about_pods = name == "pods"
                || name.starts_with("pods/")
                || ["Pod", "Binding", "Eviction"].contains(&kind);
            if writes && about_pods {
                let core = path == "/api/v1";
                let known =
                    watched.contains(name) || UNWATCHED.iter().any(|(other, _)| *other == name);
                assert!(core && known, "nobody watches {path} {name} of kind {kind}");
                found.insert(name.to_owned());
            }
        }
    }
    let gone = |name: &&str| !found.contains(*name);
    let named = watched.iter().map(String::as_str).chain(UNWATCHED.iter().map(|(name, _)| *name));
    assert_eq!(named.filter(gone).collect::<Vec<_>>(), [""; 0], "these are not served any more");
}

/// The resources that the hook on approvals is asked about.
fn watched() -> BTreeSet<String> {
    let name = format!("restraint-{}", enforcing().name());
    let get = ["get", "validatingwebhookconfiguration", &name, "--output", "json"];
    let configuration = cluster().kubectl().run(&get).accepted().object();
    let hooks = configuration["webhooks"].as_array().unwrap();
    let approval = hooks.iter().find(|hook| hook["name"] == "approval.restraint.dev").unwrap();
    let rules = approval["rules"].as_array().unwrap();
    let resources = rules.iter().flat_map(|rule| rule["resources"].as_array().unwrap());
    resources.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Every resource that the API server serves, by group and version.
fn discovered() -> Vec<(String, Value)> {
    let raw = |path: &str| cluster().kubectl().run(&["get", "--raw", path]).accepted().object();
    let groups = raw("/apis");
    let versions = groups["groups"].as_array().unwrap().iter().flat_map(|group| {
        group["versions"].as_array().unwrap().iter().map(|version| &version["groupVersion"])
    });
    let paths = versions.map(|version| format!("/apis/{}", version.as_str().unwrap()));
    let paths: Vec<_> = ["/api/v1".to_owned()].into_iter().chain(paths).collect();
    assert!(paths.len() > 10, "{paths:?}");
    paths.into_iter().map(|path| (path.clone(), raw(&path))).collect()
}

/// Where an API server runs without kubelets, that is what can be shown.
fn metadata_is_dropped() {
    let space = enforcing().space();
    let mut kept = pod("db");
    // so that it stays when it is evicted
    kept["metadata"]["finalizers"] = json!(["example.com/keep"]);
    space.create(&kept).accepted();
    let annotations = json!({"team": "shop", "approved-by-sre": "true"});
    let untouched = || assert!(space.pod("db")["metadata"]["annotations"].is_null());
    let with_annotations = |mut patch: Value| {
        patch["metadata"] = json!({"annotations": annotations});
        patch
    };
    let growth = with_annotations(memory_limit("600Mi"));
    space.resize("db", &growth).accepted();
    untouched();

    let debugger = json!([{"name": "debugger", "image": "registry.k8s.io/pause:3.10"}]);
    let patch = with_annotations(json!({"spec": {"ephemeralContainers": debugger}})).to_string();
    let line = ["patch", "pod", "db", "--subresource", "ephemeralcontainers", "--patch", &patch];
    space.kubectl().run(&line).accepted();
    assert_eq!(space.pod("db")["spec"]["ephemeralContainers"][0]["name"], "debugger");
    untouched();

    let eviction = json!({
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": "db", "namespace": space.name(), "annotations": annotations},
    });
    let path = format!("/api/v1/namespaces/{}/pods/db/eviction", space.name());
    let line = ["create", "--raw", &path, "--filename", "-"];
    space.kubectl().feed(&line, &eviction.to_string()).accepted();
    eventually("the pod is evicted", || {
        space.pod("db")["metadata"]["deletionTimestamp"].is_string().then_some(())
    });
    untouched();
    let free = json!({"metadata": {"finalizers": null}}).to_string();
    space.kubectl().run(&["patch", "pod", "db", "--type", "merge", "--patch", &free]).accepted();
}
