//! The fallback policies answers as the service does, and goes on while the service is away.

mod cases;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::fallback::LABEL;
use crate::installation::{self, Installation};
use crate::kubectl::Person;
use crate::pods::{memory_limit, pod, resources, stored_limit};
use crate::space::Space;
use crate::world::{cluster, enforcing, fallback};

use self::cases::Case;
use super::approvals::{STAMP, grant};
use super::shapes::{self, Shape};
use super::trial;

/// How the fallback policies's denials begin.
const FALLBACK: &str = "ValidatingAdmissionPolicy 'memory-limit-decrease.fallback.restraint.dev' with binding \
                     'memory-limit-decrease.fallback.restraint.dev' denied request: restraint fallback: ";
/// How the service's denials begin.
const SERVICE: &str = "admission webhook \"resize.restraint.dev\" denied the request: ";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("fallback: recorded resizes are answered as by the service", || {
            compare(&cases::recorded())
        }),
        trial("fallback: resizes with traps are answered as by the service", || {
            compare(&cases::traps())
        }),
        trial(
            "fallback: recorded pods get the resize policy that the service gives",
            recorded_pods,
        ),
        trial("fallback: other pods get the resize policy that the service gives", other_pods),
        trial("fallback: both together give a resize policy once", both_give_once),
        trial("fallback: an approval ends with its time, whatever was planted", expiry),
        trial("fallback: an approval of another pod, or of no form, does not count", other_stamps),
        trial("fallback: a stamp is written by who may approve, through any door", authority),
        trial("fallback: a capped namespace is left alone", a_cap),
        trial("fallback: what is denied and what is approved is in the audit log", audit_log),
        trial(
            "fallback: it stands while the service is away and ignored, and after its hooks are deleted",
            an_outage,
        ),
    ]
}

/// A namespace with the fallback policies and without the service.
fn fallback_alone() -> Space<'static> {
    fallback();
    enforcing().space_labelled(&json!({LABEL: "yes"}))
}

/// What the same people do to the same pod, here with the service and there with the fallback policies.
fn compare(cases: &[Case]) {
    let (here, there) = (enforcing().space(), fallback_alone());
    let differences: Vec<_> =
        cases.iter().filter_map(|case| difference(case, &here, &there)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

fn difference(case: &Case, here: &Space<'_>, there: &Space<'_>) -> Option<String> {
    let mut pod = case.pod.clone();
    pod["metadata"]["name"] = json!(case.name);
    for space in [here, there] {
        space.create(&pod).accepted();
    }
    if !case.grant.is_empty() {
        grant(here, case.name, case.grant).accepted();
        let stamp = stamp_of(&here.pod(case.name))
            .replace(&uid(&here.pod(case.name)), &uid(&there.pod(case.name)));
        write_stamp(there, case.name, &stamp);
    }
    let flags: &[&str] = if case.dry_run { &["--dry-run=server"] } else { &[] };
    let answers = [(here, SERVICE), (there, FALLBACK)].map(|(space, speaker)| {
        if let Some(before) = &case.before {
            space.resize(case.name, before).accepted();
        }
        let outcome = space.resize_with(case.name, &case.resize, flags);
        let said = if outcome.succeeded() { String::new() } else { outcome.refused() };
        let right = match case.denied {
            [] => said.is_empty(),
            parts => {
                said.contains(speaker)
                    && parts.iter().all(|part| said.contains(part))
                    && said.matches(": memory limit ").count() == parts.len()
            }
        };
        // the command that grants it
        let command = said
            .split('`')
            .nth(1)
            .unwrap_or_default()
            .replace(&format!(" -n {} ", space.name()), " ");
        (right, command, said)
    });
    let [(service_right, grants, service), (fallback_right, also_grants, fallback)] = answers;
    let same = service_right && fallback_right && grants == also_grants;
    (!same).then(|| {
        format!(
            "{}: expected {:?}\nservice: {service}\nfallback: {fallback}",
            case.name, case.denied
        )
    })
}

fn recorded_pods() {
    let there = fallback_alone();
    for mut shape in shapes::all() {
        // the fallback policies takes no grants off
        shape.expected["metadata"]["annotations"] = shape.sent["metadata"]["annotations"].clone();
        let stored = there.create(&shape.sent).accepted().object();
        Shape::assert_stored(&stored, &shape.expected);
    }
}

fn other_pods() {
    let (here, there) = (enforcing().space(), fallback_alone());
    let mut amended = 0;
    for (name, mut pod) in cases::creations() {
        pod["metadata"]["name"] = json!(name);
        let [by_service, by_fallback] =
            [&here, &there].map(|space| space.create(&pod).accepted().object());
        Shape::assert_stored(&by_fallback, &by_service);
        let decided = |pod: &Value| pod["spec"].to_string().matches("\"resourceName\"").count();
        amended += usize::from(decided(&by_fallback) > decided(&pod));
    }
    assert_eq!(amended, 7, "plain, cpu-only, empty, mixed, never, whole and not-ignored");
}

fn both_give_once() {
    fallback();
    let labels = json!({LABEL: "yes", installation::LABEL: enforcing().name()});
    let space = enforcing().space_labelled(&labels);
    let stored = space.create(&pod("db")).accepted().object();
    assert_eq!(
        stored["spec"]["containers"][0]["resizePolicy"],
        json!([{"resourceName": "cpu", "restartPolicy": "NotRequired"}, {"resourceName": "memory", "restartPolicy": "RestartContainer"}])
    );
    assert!(
        space.reviews().iter().any(|review| review["path"] == "mutate"),
        "the service was asked as well"
    );
    grant(&space, "db", "restraint.dev/approve=app=300Mi").accepted();
    let said = space.resize("db", &memory_limit("299Mi")).refused();
    assert!(
        said.contains(FALLBACK) && said.contains("is approved down to 300Mi only"),
        "the fallback policies comes first: {said}"
    );
    space.resize("db", &memory_limit("300Mi")).accepted();
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
}

fn authority() {
    let space = fallback_alone();
    for name in ["db", "other"] {
        space.create(&pod(name)).accepted();
    }
    let stamp = forged(&space.pod("db"), "app=1Mi", "2999-01-01T00:00:00Z");
    let annotated = json!({"metadata": {"annotations": {STAMP: stamp}}});
    let patch = |person: Person, subresource: &[&str], patch: &Value| {
        let patch = patch.to_string();
        space.by(person).run(
            &[&["patch", "pod", "db", "--type", "merge", "--patch", &patch], subresource].concat(),
        )
    };
    let denied = |person: &str, said: String| {
        assert!(
            said.contains(&format!(
                "restraint fallback: user \"{person}\" may not write restraint.dev/approval"
            )),
            "{said}"
        );
    };
    denied("dev@example.com", patch(Person::Developer, &[], &annotated).refused());
    denied(
        "agent@example.com",
        patch(Person::Agent, &["--subresource", "status"], &annotated).refused(),
    );
    let mut born = pod("born");
    born["metadata"]["annotations"] = annotated["metadata"]["annotations"].clone();
    denied(
        "dev@example.com",
        space
            .by(Person::Developer)
            .feed(&["create", "--filename", "-"], &born.to_string())
            .refused(),
    );
    let binding = json!({
        "apiVersion": "v1", "kind": "Binding", "metadata": {"name": "other", "namespace": space.name(), "annotations": {STAMP: stamp}},
        "target": {"kind": "Node", "name": "node"},
    });
    let path = format!("/api/v1/namespaces/{}/pods/other/binding", space.name());
    denied(
        "agent@example.com",
        space
            .by(Person::Agent)
            .feed(&["create", "--raw", &path, "--filename", "-"], &binding.to_string())
            .refused(),
    );
    // a resize brings nothing along
    let mut resize = memory_limit("1Gi");
    resize["metadata"] = annotated["metadata"].clone();
    space.resize("other", &resize).accepted();
    assert!(space.pod("other")["metadata"]["annotations"][STAMP].is_null());

    patch(Person::Sre, &[], &annotated).accepted();
    // what is there may stay, and go
    patch(Person::Developer, &[], &json!({"metadata": {"labels": {"a": "b"}}})).accepted();
    patch(
        Person::Developer,
        &[],
        &json!({"metadata": {"annotations": {STAMP: stamp.replace("1Mi", "1")}}}),
    )
    .refused();
    patch(Person::Developer, &[], &json!({"metadata": {"annotations": {STAMP: null}}})).accepted();
}

fn a_cap() {
    fallback();
    let space = enforcing().space_labelled(&json!({LABEL: "yes", "restraint.dev/cap": "audit"}));
    space.create(&pod("db")).accepted();
    assert!(space.pod("db")["spec"]["containers"][0]["resizePolicy"].is_null());
    space.resize("db", &memory_limit("300Mi")).accepted();
}

fn audit_log() {
    let space = fallback_alone();
    space.create(&pod("db")).accepted();
    space.resize("db", &memory_limit("300Mi")).refused();
    space.resize("db", &memory_limit("1Gi")).accepted();
    write_stamp(&space, "db", &forged(&space.pod("db"), "true", "2999-01-01T00:00:00Z"));
    space.resize("db", &memory_limit("300Mi")).accepted();
    let key = "memory-limit-decrease.fallback.restraint.dev/decrease";
    let events = space.audited("pods", "resize", "db", 3);
    let noted: Vec<_> = events.iter().map(|event| event.annotation(key)).collect();
    assert_eq!(
        noted,
        [
            "container \"app\" 512Mi to 300Mi is not approved",
            "",
            "container \"app\" 1Gi to 300Mi is approved"
        ]
    );
}

fn an_outage() {
    fallback();
    let installation = Installation::new(cluster(), "fallback", &["--drain-delay", "0"]);
    let space = installation
        .space_labelled(&json!({LABEL: "yes", installation::LABEL: installation.name()}));
    for name in ["db", "approved"] {
        space.create(&pod(name)).accepted();
    }
    grant(&space, "approved", "restraint.dev/approve=app=300Mi").accepted();
    let mut replica = installation.take().unwrap();
    replica.terminate();
    assert!(replica.wait().success());

    let configuration = format!("restraint-{}", installation.name());
    let ignore = json!([{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}])
        .to_string();
    let kubectl = space.kubectl();
    kubectl
        .run(&[
            "patch",
            "validatingwebhookconfiguration",
            &configuration,
            "--type",
            "json",
            "--patch",
            &ignore,
        ])
        .accepted();
    let more = || space.resize_with("db", &memory_limit("600Mi"), &["--dry-run=server"]);
    eventually("the service's answer is ignored", || more().succeeded().then_some(()));
    let denied = |pod: &str, amount: &str, person: Person| {
        let patch = memory_limit(amount).to_string();
        let said = space
            .by(person)
            .run(&["patch", "pod", pod, "--subresource", "resize", "--patch", &patch])
            .refused();
        assert!(said.contains(FALLBACK), "{said}");
    };
    denied("db", "300Mi", Person::Developer);
    // nobody is there to put back what the autoscaler takes
    denied("db", "300Mi", Person::Autoscaler);
    denied("approved", "299Mi", Person::Developer);
    space.resize("approved", &memory_limit("300Mi")).accepted();
    denied("approved", "299Mi", Person::Developer);
    space.resize("db", &resources(json!({"limits": {"cpu": "400m"}}))).accepted();
    let forgery = forged(&space.pod("db"), "true", "2999-01-01T00:00:00Z");
    for annotation in ["approved-by-sre=true".to_owned(), format!("{STAMP}={forgery}")] {
        let said = space.by(Person::Sre).run(&["annotate", "pod", "db", &annotation]).refused();
        assert!(said.contains("failed calling webhook \"approval.restraint.dev\""), "{said}");
    }
    space.create(&pod("meanwhile")).accepted();
    assert!(space.pod("meanwhile")["spec"]["containers"][0]["resizePolicy"].is_array());

    for kind in ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"] {
        kubectl.run(&["delete", kind, &configuration]).accepted();
    }
    denied("db", "300Mi", Person::Developer);
    let annotate = ["annotate", "pod", "db", &format!("{STAMP}={forgery}")];
    eventually("no hook guards the annotation", || {
        space
            .by(Person::Sre)
            .run(&[&annotate[..], &["--dry-run=server"]].concat())
            .succeeded()
            .then_some(())
    });
    let said = space.by(Person::Developer).run(&annotate).refused();
    assert!(
        said.contains("user \"dev@example.com\" may not write restraint.dev/approval"),
        "{said}"
    );
    // what is left then: whoever may approve writes what they like
    space.by(Person::Sre).run(&annotate).accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
}

fn uid(pod: &Value) -> String {
    pod["metadata"]["uid"].as_str().unwrap().to_owned()
}

fn stamp_of(pod: &Value) -> String {
    pod["metadata"]["annotations"][STAMP].as_str().unwrap().to_owned()
}

/// Writes a stamp where no hook guards it. The fallback policies lets who may approve.
fn write_stamp(space: &Space<'_>, pod: &str, stamp: &str) {
    space
        .by(Person::Sre)
        .run(&["annotate", "--overwrite", "pod", pod, &format!("{STAMP}={stamp}")])
        .accepted();
}

/// A stamp in the service's form for this pod in its present state, with a seal that is none.
fn forged(pod: &Value, memory: &str, expires: &str) -> String {
    let (uid, generation) = (&pod["metadata"]["uid"], &pod["metadata"]["generation"]);
    format!(
        r#"{{"version":1,"approver":"alice@example.com","memory":"{memory}","granted":"2026-01-01T00:00:00Z","expires":"{expires}","uid":{uid},"generation":{generation},"key":"k","seal":"c2VhbA"}}"#
    )
}
