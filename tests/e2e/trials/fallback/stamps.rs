//! Approvals that nobody sealed, where the fallback policies stand alone.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::kubectl::{Outcome, Person};
use crate::kubelet::{bound, join};
use crate::pods::{memory_limit, pod};
use crate::space::Space;

use super::super::approvals::STAMP;
use super::super::trial;
use super::{fallback_alone, forged, write_stamp};

pub(super) fn trials() -> [Trial; 4] {
    [
        trial("fallback: an approval ends with its time, whatever was planted", expiry),
        trial("fallback: an approval of another pod, or of no form, does not count", other_stamps),
        trial("fallback: a stamp is written by who may approve, through any door", authority),
        trial("fallback: a stamp that is there may stay, and go", a_stamp_that_is_there),
    ]
}

fn expiry() {
    let space = fallback_alone();
    space.create(&pod("db")).accepted();
    let resize = || space.resize("db", &memory_limit("300Mi"));
    let plant = |entries: Value| {
        let patch = json!({"metadata": {"managedFields": entries}}).to_string();
        space
            .by(Person::Developer)
            .run(&["patch", "pod", "db", "--type", "merge", "--patch", &patch])
            .accepted();
    };
    let entry_of = |manager: &str, time: &str, resource: &str| {
        json!({
            "apiVersion": "v1", "fieldsType": "FieldsV1", "manager": manager, "operation": "Update", "subresource": "resize", "time": time,
            "fieldsV1": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {"f:resources": {"f:limits": {resource: {}}}}}}},
        })
    };
    let entry = |manager: &str, time: &str| entry_of(manager, time, "f:memory");
    let early = "2026-01-15T00:00:00Z";
    write_stamp(&space, "db", &forged(&space.pod("db"), "true", "2026-02-01T00:00:00Z"));
    let ended =
        |said: String| assert!(said.contains("was approved until 2026-02-01T00:00:00Z"), "{said}");
    ended(resize().refused());
    // times that were planted before, and one that comes with the resize
    plant(json!([entry("kubectl-patch", early), entry("other", early)]));
    ended(resize().refused());
    let mut patch = memory_limit("300Mi");
    patch["metadata"] = json!({"managedFields": [entry("kubectl-patch", early)]});
    ended(space.resize("db", &patch).refused());
    let mut replacement = space.pod("db");
    replacement["metadata"]["managedFields"] = json!([entry("kubectl-replace", early)]);
    replacement["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!("300Mi");
    let replace = ["replace", "--subresource", "resize", "--filename", "-"];
    ended(space.by(Person::Developer).feed(&replace, &replacement.to_string()).refused());
    let apply = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db", "namespace": space.name()}, "spec": memory_limit("300Mi")["spec"]});
    let line = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--subresource",
        "resize",
        "--filename",
        "-",
    ];
    ended(space.by(Person::Developer).feed(&line, &apply.to_string()).refused());
    // without any entry the API server notes nothing, and nobody knows the time
    plant(json!([{}]));
    let said = resize().refused();
    assert!(said.contains("is not approved: the time cannot be told"), "{said}");
    // a time that was planted is only ever too late: of what the resize sets itself, the entry is
    // the resize's
    plant(json!([entry_of("other", "2998-01-01T00:00:00Z", "f:cpu")]));
    write_stamp(&space, "db", &forged(&space.pod("db"), "true", "2997-01-01T00:00:00Z"));
    let said = resize().refused();
    assert!(said.contains("was approved until 2997-01-01T00:00:00Z"), "{said}");
    plant(json!([entry("other", early)]));
    resize().accepted();
}

fn other_stamps() {
    let space = fallback_alone();
    for name in ["db", "other"] {
        space.create(&pod(name)).accepted();
    }
    let denied = |stamp: &str, why: &str| {
        write_stamp(&space, "db", stamp);
        let said = space.resize("db", &memory_limit("300Mi")).refused();
        assert!(
            said.contains(&format!("memory limit 512Mi -> 300Mi is not approved: {why}; ")),
            "{stamp} {said}"
        );
    };
    let good = forged(&space.pod("db"), "app=1Mi", "2999-01-01T00:00:00Z");
    denied(
        &forged(&space.pod("other"), "true", "2999-01-01T00:00:00Z"),
        "the stamp is another pod's",
    );
    for (from, to) in [
        ("{", " {"),
        ("\"version\":1", "\"version\":2"),
        ("\"version\":1", "\"version\":1,\"memory\":\"true\""),
        ("app=1Mi", "app=0"),
        ("app=1Mi", "app=x"),
        ("app=1Mi", "app"),
        ("app=1Mi", "app=1Mi,app=1"),
        ("app=1Mi", "app=18446744073709551617"),
        ("app=1Mi", ""),
        ("\"generation\":", "\"generation\":0.1"),
        ("}", ""),
        ("}", "} "),
    ] {
        assert!(good.contains(from));
        denied(&good.replacen(from, to, 1), "the stamp is malformed");
    }
    denied(&format!("{good}{}", " ".repeat(20_000)), "the stamp is malformed");
    write_stamp(&space, "db", &good);
    space.resize("db", &memory_limit("300Mi")).accepted();
    of_a_pod_on_no_node(&space);
}

fn of_a_pod_on_no_node(space: &Space<'_>) {
    join(space);
    space.create(&pod("waits")).accepted();
    space.create(&bound(space, pod("runs"))).accepted();
    let resize = |name: &str| {
        let stamp = forged(&space.pod(name), "true", "2999-01-01T00:00:00Z");
        write_stamp(space, name, &stamp.replace(",\"key\":", ",\"unscheduled\":true,\"key\":"));
        space.resize(name, &memory_limit("300Mi"))
    };
    resize("waits").accepted();
    let said = resize("runs").refused();
    assert!(said.contains("is not approved any more: the pod got a node"), "{said}");
}

/// What a developer would write: a stamp that approves nearly everything for ever.
fn annotated(space: &Space<'_>) -> Value {
    let stamp = forged(&space.pod("db"), "app=1Mi", "2999-01-01T00:00:00Z");
    json!({"metadata": {"annotations": {STAMP: stamp}}})
}

fn patch(space: &Space<'_>, person: Person, subresource: &[&str], patch: &Value) -> Outcome {
    let patch = patch.to_string();
    let line = ["patch", "pod", "db", "--type", "merge", "--patch", &patch];
    space.by(person).run(&[&line[..], subresource].concat())
}

fn authority() {
    let space = fallback_alone();
    for name in ["db", "other"] {
        space.create(&pod(name)).accepted();
    }
    let annotated = annotated(&space);
    let denied = |person: Person, said: String| {
        let user = person.username();
        let why =
            format!("restraint fallback: user \"{user}\" may not write restraint.dev/approval");
        assert!(said.contains(&why), "{said}");
    };
    denied(Person::Developer, patch(&space, Person::Developer, &[], &annotated).refused());
    let status = ["--subresource", "status"];
    denied(Person::Agent, patch(&space, Person::Agent, &status, &annotated).refused());
    let mut born = pod("born");
    born["metadata"]["annotations"] = annotated["metadata"]["annotations"].clone();
    let developer = space.by(Person::Developer);
    let create = ["create", "--filename", "-"];
    denied(Person::Developer, developer.feed(&create, &born.to_string()).refused());
    let mut binding =
        json!({"apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": "node"}});
    binding["metadata"] = annotated["metadata"].clone();
    binding["metadata"]["name"] = json!("other");
    binding["metadata"]["namespace"] = json!(space.name());
    for door in ["pods/other/binding", "bindings"] {
        let path = format!("/api/v1/namespaces/{}/{door}", space.name());
        let bind = ["create", "--raw", &path, "--filename", "-"];
        let said = space.by(Person::Agent).feed(&bind, &binding.to_string()).refused();
        assert!(said.contains("of pod \"other\" in namespace"), "{said}");
        denied(Person::Agent, said);
    }
    // a resize brings nothing along
    let mut resize = memory_limit("1Gi");
    resize["metadata"] = annotated["metadata"].clone();
    space.resize("other", &resize).accepted();
    assert!(space.pod("other")["metadata"]["annotations"][STAMP].is_null());
    patch(&space, Person::Sre, &[], &annotated).accepted();
}

fn a_stamp_that_is_there() {
    let space = fallback_alone();
    space.create(&pod("db")).accepted();
    let annotated = annotated(&space);
    patch(&space, Person::Sre, &[], &annotated).accepted();
    let by_developer = |change: &Value| patch(&space, Person::Developer, &[], change);
    by_developer(&json!({"metadata": {"labels": {"a": "b"}}})).accepted();
    let stamp = annotated["metadata"]["annotations"][STAMP].as_str().unwrap();
    let lower = stamp.replace("1Mi", "1");
    by_developer(&json!({"metadata": {"annotations": {STAMP: lower}}})).refused();
    by_developer(&json!({"metadata": {"annotations": {STAMP: null}}})).accepted();
}
