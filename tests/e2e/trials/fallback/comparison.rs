//! The fallback policies beside the service.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::fallback::LABEL;
use crate::installation;
use crate::pods::{memory_limit, pod};
use crate::space::Space;
use crate::world::{enforcing, fallback};

use super::super::approvals::{STAMP, grant};
use super::super::shapes::{self, Shape};
use super::super::trial;
use super::cases::{self, Case};
use super::{FALLBACK, creations, fallback_alone, write_stamp};

/// How the denials of the service begin.
const SERVICE: &str = "admission webhook \"resize.restraint.dev\" denied the request: ";

pub(super) fn trials() -> [Trial; 6] {
    [
        trial("fallback: recorded resizes are answered as by the service", || {
            compare(&cases::recorded())
        }),
        trial("fallback: resizes with traps are answered as by the service", || {
            compare(&cases::ungranted())
        }),
        trial("fallback: approved resizes with traps are answered as by the service", || {
            compare(&cases::granted())
        }),
        trial(
            "fallback: recorded pods get the resize policy that the service gives",
            recorded_pods,
        ),
        trial("fallback: other pods get the resize policy that the service gives", other_pods),
        trial("fallback: both together give a resize policy once", both_give_once),
    ]
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
            .replace(&format!(" -n {} ", space.name()), " ")
            // a fallback policy knows of no heap
            .replace("; force", "")
            .replace('\'', "");
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
        // the fallback policies take no grants off
        shape.expected["metadata"]["annotations"] = shape.sent["metadata"]["annotations"].clone();
        let stored = there.create(&shape.sent).accepted().object();
        Shape::assert_stored(&stored, &shape.expected);
    }
}

fn other_pods() {
    let (here, there) = (enforcing().space(), fallback_alone());
    let mut amended = 0;
    for (name, mut pod) in creations::creations() {
        pod["metadata"]["name"] = json!(name);
        let [by_service, by_fallback] =
            [&here, &there].map(|space| space.create(&pod).accepted().object());
        Shape::assert_stored(&by_fallback, &by_service);
        let decided = |pod: &Value| pod["spec"].to_string().matches("\"resourceName\"").count();
        amended += usize::from(decided(&by_fallback) > decided(&pod));
    }
    assert_eq!(amended, 8, "plain, linux, cpu-only, empty, mixed, never, whole and not-ignored");
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
        "the fallback policies come first: {said}"
    );
    space.resize("db", &memory_limit("300Mi")).accepted();
}

fn uid(pod: &Value) -> String {
    pod["metadata"]["uid"].as_str().unwrap().to_owned()
}

fn stamp_of(pod: &Value) -> String {
    pod["metadata"]["annotations"][STAMP].as_str().unwrap().to_owned()
}
