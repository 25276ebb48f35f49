//! The pod that the latency of the hooks is measured with.

use std::process::Command;

use serde_json::json;

use crate::kubectl::Person;
use crate::process::Process;
use crate::space::Space;
use crate::world::{cluster, enforcing};

use super::report::Report;

pub(super) fn measured() {
    let space = enforcing().space();
    let here = cluster().kubectl().within(&enforcing().namespace());
    let doctor = |namespace: &str| {
        let probe = ["doctor", "--probe", "--probe-namespace", namespace, "--probe-count", "3"];
        let line = [&probe[..], &["--fail-on", "never", "-o", "json"]].concat();
        Report::of(&here.restraint(&line).accepted())
    };
    let report = doctor(space.name());
    let object = format!("Namespace {}", space.name());
    report.assert_says(&[
        ("latency", "ok", &object, "3 memory resizes in dry runs took"),
        ("latency", "ok", &object, "3 cpu resizes"),
        ("reach", "ok", &object, "was denied by \"resize.restraint.dev\""),
        ("hook-service", "note", "restraint-enforcing/restraint", "points outside the cluster"),
    ]);
    assert_nothing_left(&space);
    let reviews = space.reviews();
    let resizes: Vec<_> =
        reviews.iter().filter(|review| review["subresource"] == "resize").collect();
    assert!(resizes.iter().all(|review| review["dry_run"] == true), "{resizes:#?}");
    let allowed = resizes.iter().filter(|review| review["allowed"] == true).count();
    assert_eq!(
        (resizes.len(), allowed),
        (5, 4),
        "less memory, a connection, three that count: {resizes:#?}"
    );

    doctor("default").assert_says(&[(
        "latency",
        "unknown",
        "cluster",
        "Restraint does not cover resizes in namespace \"default\"",
    )]);
    let line = ["doctor", "--probe", "--probe-namespace", space.name(), "-o", "json"];
    let refused = space.by(Person::Sre).within("restraint-enforcing").restraint(&line);
    Report::of(&refused).assert_says(&[("latency", "unknown", "cluster", "is not known: ")]);
    assert_nothing_left(&space);
}

pub(super) fn interrupted() {
    let space = enforcing().space();
    let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
    command.args(["doctor", "--probe", "--probe-namespace", space.name(), "--probe-count", "1000"]);
    command.args(["--fail-on", "never", "--namespace", &enforcing().namespace(), "--kubeconfig"]);
    command.arg(cluster().file(Person::Admin.kubeconfig()));
    let mut doctor =
        Process::start("restraint doctor", &mut command, cluster().file("interrupted.log"));
    let is_there = || space.object(&["get", "pods"])["items"] != json!([]);
    doctor.eventually("its pod is there", |_| is_there().then_some(()));
    doctor.signal("TERM");
    assert!(doctor.wait().success());
    assert!(
        doctor.log().contains("latency was not examined: it was interrupted"),
        "{}",
        doctor.log()
    );
    assert_nothing_left(&space);
}

#[track_caller]
pub(super) fn assert_nothing_left(space: &Space<'_>) {
    assert_eq!(space.object(&["get", "pods"])["items"], json!([]), "no pod is left");
}
