//! Rules with action `RestartAllContainers`: people are warned of what they skip, and where there
//! is an allowlist, what it does not admit is denied.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::installation::Installation;
use crate::pods::pod_with;
use crate::space::Space;
use crate::world::{cluster, enforcing};

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("restart all: an exit code of its own is accepted without a word", a_code_of_its_own),
        trial(
            "restart all: an ordinary exit code and what is skipped are warned about",
            an_ordinary_code,
        ),
        trial(
            "restart all: what a controller makes of a template is not warned about again",
            made_by_a_controller,
        ),
        trial("restart all: only what the allowlist admits is admitted", an_allowlist),
    ]
}

fn a_code_of_its_own() {
    let space = enforcing().space();
    let outcome = space.create(&pod_with("trainer", spec(88))).accepted();
    outcome.assert_warnings(&[]);
    assert_eq!(
        outcome.object()["spec"]["containers"][0]["restartPolicyRules"][0]["action"],
        "RestartAllContainers"
    );
    assert_eq!(space.reviews().len(), 2, "it was judged on both paths");
}

fn an_ordinary_code() {
    let space = enforcing().space();
    let mut spec = spec(137);
    spec["terminationGracePeriodSeconds"] = json!(120);
    spec["containers"][0]["lifecycle"] = json!({"preStop": {"exec": {"command": ["drain"]}}});
    let beginnings = [
        "restart-all-broad-exit-codes: container \"app\": exit code 137 restarts all",
        "restart-all-skips-pre-stop: container \"app\": no preStop hook runs",
        "restart-all-skips-pre-stop: 2s of the 120s grace period are left",
    ];
    space.create(&pod_with("trainer", spec.clone())).accepted().assert_warnings(&beginnings);
    space.create(&deployment("trainer", &spec)).accepted().assert_warnings(&beginnings);
    let label = space.kubectl().run(&["label", "pod", "trainer", "tier=gold"]).accepted();
    label.assert_warnings(&[]); // it was there before
}

fn made_by_a_controller() {
    let space = enforcing().space();
    space
        .create(&made_by("trainer-5f7d8b9c4", "trainer-5f7d8b9c4-x2x4z", &spec(137)))
        .accepted()
        .assert_warnings(&[]);
    assert_eq!(space.reviews().len(), 2, "it was judged on both paths");
    let events = space.audited("pods", "", "trainer-5f7d8b9c4-x2x4z", 1);
    assert!(!events[0].annotation_keys().any(|key| key.contains("restraint.dev/")), "{events:#?}");
}

fn an_allowlist() {
    let policies = cluster().file("policies-with-an-allowlist");
    std::fs::create_dir(&policies).unwrap();
    let allow = "{allow: [{namespaces: {matchLabels: {example.com/restart-all: allowed}}, workloads: [trainer]}]}";
    let text = format!(
        "name: restart-all\nrule: restart-all-not-allowed\nmode: enforce\nsettings: {allow}\n"
    );
    std::fs::write(policies.join("restart-all.yaml"), text).unwrap();
    let installation =
        Installation::new(cluster(), "allowlist", &["--policies", policies.to_str().unwrap()]);
    let space = installation.space();
    let trainer = pod_with("trainer", spec(88));
    let label = |label: &str| {
        space.kubectl().run(&["label", "--overwrite", "namespace", space.name(), label]).accepted()
    };

    assert_denied(&space, &trainer, "trainer");
    space.create(&pod_with("alone", restarting_alone())).accepted();
    label("example.com/restart-all=allowed");
    eventually("the label is known", || dry_run(&space, &trainer).then_some(()));
    space.create(&trainer).accepted().assert_warnings(&[]);
    space.create(&deployment("trainer", &spec(88))).accepted();
    space.create(&made_by("trainer-5f7d8b9c4", "trainer-5f7d8b9c4-x2x4z", &spec(88))).accepted();

    assert_denied(&space, &pod_with("web", spec(88)), "web");
    assert_denied(&space, &deployment("web", &spec(88)), "web");
    // a controller makes up the names of its pods
    assert_denied(&space, &made_by("web-5f7d8b9c4", "trainer", &spec(88)), "web");
    // a name that only looks like the Deployment's
    let mut without_hash = made_by("trainer-5f7d8b9c4", "trainer-5f7d8b9c4-x2x4z", &spec(88));
    without_hash["metadata"]["labels"] = json!({});
    assert_denied(&space, &without_hash, "trainer-5f7d8b9c4");
    let mut silenced = pod_with("web", spec(88));
    silenced["metadata"]["annotations"] =
        json!({"restraint.dev/ignore": "restart-all-not-allowed"});
    assert_denied(&space, &silenced, "web");

    label("example.com/restart-all-");
    eventually("the label is gone", || {
        (!dry_run(&space, &pod_with("trainer-2", spec(88)))).then_some(())
    });
    // what is stored already may go on
    let patch =
        json!({"spec": {"containers": [{"name": "app", "image": "registry.k8s.io/pause:3.9"}]}})
            .to_string();
    space.kubectl().run(&["patch", "pod", "trainer", "--patch", &patch]).accepted();
    let patch = json!({"spec": {"replicas": 3}}).to_string();
    space.kubectl().run(&["patch", "deployment", "trainer", "--patch", &patch]).accepted();
}

fn dry_run(space: &Space<'_>, object: &Value) -> bool {
    space
        .kubectl()
        .feed(&["create", "--dry-run=server", "--filename", "-"], &object.to_string())
        .succeeded()
}

/// That nobody lets this workload restart all of its containers.
#[track_caller]
fn assert_denied(space: &Space<'_>, object: &Value, workload: &str) {
    let said = space.create(object).refused();
    let message = format!(
        "restart-all-not-allowed: container \"app\": no RestartAllContainers for \"{workload}\" in \"{}\"",
        space.name()
    );
    assert!(
        said.contains("admission webhook \"advice.restraint.dev\" denied the request: "),
        "{said}"
    );
    assert!(said.contains(&message), "{said}");
}

/// A pod whose container restarts all when it ends with `code`.
fn spec(code: u8) -> Value {
    let mut spec = restarting_alone();
    spec["containers"][0]["restartPolicyRules"] = json!([{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [code]}}]);
    spec
}

/// A pod whose container restarts alone.
fn restarting_alone() -> Value {
    let rules = json!([{"action": "Restart", "exitCodes": {"operator": "In", "values": [88]}}]);
    json!({"containers": [
        {"name": "app", "image": "registry.k8s.io/pause:3.10", "restartPolicy": "Never", "restartPolicyRules": rules},
    ]})
}

fn deployment(name: &str, spec: &Value) -> Value {
    let labels = json!({"app": name});
    let spec = json!({"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})
}

/// A pod as the ReplicaSet `owner` of a Deployment makes it.
fn made_by(owner: &str, name: &str, spec: &Value) -> Value {
    let (_, hash) = owner.rsplit_once('-').unwrap();
    let mut pod = pod_with(name, spec.clone());
    pod["metadata"]["labels"] = json!({"pod-template-hash": hash});
    pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": "4c7b1d9e", "controller": true}]);
    pod
}
