//! Webhooks that are there and lead to the service, but are never asked.

use serde_json::{Value, json};

use crate::kubectl::Outcome;
use crate::world::kube_system;

use super::made::Made;
use super::report::{Report, Said};

/// What may be wrong with the webhooks, and what is said of it.
struct Fault {
    what: &'static str,
    change: fn(&mut Value),
    said: &'static [Said<'static>],
    why: &'static str,
}

const PLACE: &str = "restraint-doctor-reach/restraint";
const RESIZE_HOOK: &str =
    "ValidatingWebhookConfiguration restraint-doctor-reach, hook resize.restraint.dev";
const APPROVAL_HOOK: &str =
    "ValidatingWebhookConfiguration restraint-doctor-reach, hook approval.restraint.dev";

const FAULTS: [Fault; 4] = [
    Fault {
        what: "a namespaceSelector that no namespace matches",
        change: |hook| hook["namespaceSelector"] = json!({"matchLabels": {"restraint": "enabled"}}),
        said: &[("reach", "problem", PLACE, "selector \"restraint=enabled\" matches no label")],
        why: "selector \"restraint=enabled\" matches no label",
    },
    Fault {
        what: "an objectSelector that nothing matches",
        change: |hook| hook["objectSelector"] = json!({"matchLabels": {"app": "none"}}),
        said: &[
            (
                "reach",
                "problem",
                RESIZE_HOOK,
                "objectSelector \"app=none\" matches none of the 1 pods",
            ),
            ("reach", "problem", PLACE, "guarded: 0 of "),
        ],
        why: "no pod there matches objectSelector \"app=none\"",
    },
    Fault {
        what: "operations that no resize is",
        change: |hook| {
            if hook["name"] == "resize.restraint.dev" {
                hook["rules"][0]["operations"] = json!(["CREATE"]);
            }
        },
        said: &[
            ("reach", "problem", RESIZE_HOOK, "no rule matches UPDATE of pods/resize: decreases"),
            ("reach", "problem", PLACE, "guarded: 0 of "),
        ],
        why: "no rule matches UPDATE of pods/resize",
    },
    Fault {
        what: "a door that is left open",
        change: |hook| {
            let rules = hook["rules"].as_array_mut().unwrap();
            rules.retain(|rule| rule["resources"] != json!(["pods/status"]));
        },
        said: &[(
            "reach",
            "problem",
            APPROVAL_HOOK,
            "no rule matches UPDATE of pods/status: anyone",
        )],
        why: "no rule matches UPDATE of pods/status",
    },
];

pub(super) fn broken_by_hand() {
    let made = Made::new("doctor-reach");
    let (outcome, report) = undisturbed(&made);
    assert!(outcome.succeeded(), "{:#?}", report.problems());
    assert!(report.found("reach").is_empty(), "{:#?}", report.found("reach"));
    assert_eq!(coverage(&report, &made.guarded())["state"], "guarded");
    assert_eq!(coverage(&report, &made.namespace)["state"], "by-design");
    for Fault { what, change, said, why } in FAULTS {
        let sound = edit(&made, change);
        let (outcome, report) = made.examine();
        outcome.refused();
        report.assert_says(said);
        let found = report.found("reach");
        assert!(found.iter().all(|entry| entry["remedy"].is_string()), "{what}: {found:#?}");
        let covered = coverage(&report, &made.guarded());
        let gaps = covered["gaps"].as_array().unwrap();
        assert!(
            covered["state"] != "guarded" && gaps.iter().any(|gap| gap["why"] == why),
            "{what}: {covered:#}"
        );
        for configuration in sound {
            replace(&made, &configuration);
        }
    }
    let (outcome, report) = undisturbed(&made);
    outcome.accepted();
    assert!(report.found("reach").is_empty(), "{:#?}", report.found("reach"));
}

/// What is said while no other trial bars pods from kube-system, which is a problem of every
/// installation.
fn undisturbed(made: &Made) -> (Outcome, Report) {
    let _alone = kube_system();
    made.examine()
}

/// What is said of a namespace.
#[track_caller]
fn coverage(report: &Report, namespace: &str) -> Value {
    let mut all = report.by("reach").filter_map(|entry| entry["namespaces"].as_array()).flatten();
    all.find(|covered| covered["namespace"] == namespace).unwrap().clone()
}

/// Changes every webhook, as `kubectl get | jq | kubectl replace` does. The configurations as they
/// were.
#[track_caller]
fn edit(made: &Made, change: fn(&mut Value)) -> Vec<Value> {
    ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"]
        .map(|kind| {
            let line = ["get", kind, &made.namespace, "--output", "json"];
            let mut sound = made.kubectl.run(&line).accepted().object();
            let metadata = sound["metadata"].as_object_mut().unwrap();
            metadata.retain(|field, _| field == "name" || field == "labels");
            let mut changed = sound.clone();
            changed["webhooks"].as_array_mut().unwrap().iter_mut().for_each(change);
            replace(made, &changed);
            sound
        })
        .into()
}

#[track_caller]
fn replace(made: &Made, configuration: &Value) {
    made.kubectl.feed(&["replace", "--filename", "-"], &configuration.to_string()).accepted();
}
