//! Allowances: the recipes of `docs/policies.md`, through the service, and through the fallback
//! policy of the API server where the service is not there.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::fallback;
use crate::installation::Installation;
use crate::kubectl::{Outcome, Person};
use crate::metrics_api::MetricsApi;
use crate::pods::{memory_limit, pod, stored_limit};
use crate::policies;
use crate::space::Space;
use crate::world::{cluster, enforcing, fallback_with_recipes};

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![trial(
        "allowances: each recipe lets through what it says, with the service and without",
        recipes,
    )]
}

/// The documentation, with its recipes in it.
const DOCUMENTATION: &str = include_str!("../../../docs/policies.md");

/// A policy with all of them.
fn policy() -> String {
    let blocks =
        DOCUMENTATION.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let recipes = blocks.filter(|block| block.contains("\n  allowances:"));
    let allowances: Vec<Value> = recipes
        .flat_map(|block| {
            let mut recipe: Value = serde_saphyr::from_str(block).unwrap();
            let Value::Array(allowances) = recipe["settings"]["allowances"].take() else {
                panic!("{block}")
            };
            allowances
        })
        .collect();
    assert_eq!(allowances.len(), 3);
    let rule = "memory-limit-decrease";
    json!({"name": rule, "rule": rule, "mode": "enforce", "settings": {"allowances": allowances}})
        .to_string()
}

/// A decrease of a pod with 512Mi.
struct Case {
    user: &'static str,
    group: &'static str,
    pod: &'static str,
    amount: &'static str,
    /// Whether the service lets it through.
    service: bool,
    /// Whether the fallback policy does.
    fallback: bool,
}

const fn case(
    user: &'static str,
    group: &'static str,
    pod: &'static str,
    amount: &'static str,
    allowed: (bool, bool),
) -> Case {
    Case { user, group, pod, amount, service: allowed.0, fallback: allowed.1 }
}

const UPDATER: &str = "system:serviceaccount:kube-system:vpa-updater";
const BOB: &str = "bob@example.com";
const BOTH: (bool, bool) = (true, true);
const NEITHER: (bool, bool) = (false, false);
/// Live usage decides, which CEL cannot see: the resize is left to the service.
const LEFT: (bool, bool) = (false, true);

/// `busy` uses 320Mi and `idle` 128Mi, of `unmeasured` nobody knows it; these do not restart.
/// `restarting` does.
const CASES: [Case; 19] = [
    case(UPDATER, "none", "idle", "384Mi", BOTH),
    case(UPDATER, "none", "idle", "383Mi", NEITHER),
    case(UPDATER, "none", "idle", "256Mi", NEITHER),
    case(UPDATER, "none", "busy", "416Mi", BOTH),
    case(UPDATER, "none", "busy", "415Mi", LEFT),
    case(UPDATER, "none", "unmeasured", "500Mi", LEFT),
    case("system:serviceaccount:other:vpa-updater", "none", "idle", "384Mi", NEITHER),
    case(BOB, "none", "idle", "384Mi", NEITHER),
    case(BOB, "platform", "idle", "256Mi", BOTH),
    case(BOB, "platform", "busy", "256Mi", BOTH),
    case(BOB, "platform", "unmeasured", "268435456", BOTH),
    case(BOB, "platform", "idle", "268435455", NEITHER),
    case(BOB, "platforms", "idle", "256Mi", NEITHER),
    case("platform", "none", "idle", "256Mi", NEITHER),
    case(BOB, "none", "restarting", "128Mi", BOTH),
    case(BOB, "none", "restarting", "127Mi", NEITHER),
    case(UPDATER, "none", "restarting", "128Mi", BOTH),
    case(BOB, "platform", "restarting", "128Mi", BOTH),
    case(BOB, "platform", "restarting", "100Mi", NEITHER),
];

fn recipes() {
    fallback_with_recipes();
    let api = MetricsApi::serve(cluster());
    let folder = policies::folder(cluster(), "policies-with-recipes");
    policies::write(&folder, "memory-limit-decrease", &policy());
    let flags = ["--policies", folder.to_str().unwrap(), "--evidence-deadline", "30000"];
    let installation = Installation::new(cluster(), "recipes", &flags);
    let here = installation.space();
    let there = enforcing().space_labelled(&json!({fallback::LABEL: "recipes"}));
    for space in [&here, &there] {
        for name in ["idle", "busy", "unmeasured"] {
            space.create(&with(name, "NotRequired")).accepted();
        }
        space.create(&with("restarting", "RestartContainer")).accepted();
    }
    api.measured(&here, "idle", "128Mi");
    api.measured(&here, "busy", "320Mi");

    for case in CASES {
        let answers = [(&here, case.service), (&there, case.fallback)].map(|(space, expected)| {
            let outcome = tried(space, &case);
            // the service restores what the updater takes
            let passed = outcome.succeeded() && stored_limit(&outcome.object()) == case.amount;
            (passed == expected).then_some(()).ok_or(outcome)
        });
        let Case { user, group, pod, amount, .. } = case;
        assert!(answers.iter().all(Result::is_ok), "{user} {group} {pod} {amount}: {answers:?}");
    }
    assert_eq!(installation.counted("restraint_allowed_total", ""), 0, "dry runs do not count");
    on_record(&installation, &here);
    a_heap(&installation, &here);
}

fn tried(space: &Space<'_>, case: &Case) -> Outcome {
    let flags = ["--as-group", case.group, "--dry-run=server"];
    space.resize_as(case.user, case.pod, &memory_limit(case.amount), &flags)
}

/// What each of them let through.
fn on_record(installation: &Installation<'_>, space: &Space<'_>) {
    let used = [
        ("autoscaler-above-usage", UPDATER, "none", "idle", "384Mi"),
        ("platform-down-to-256mi", BOB, "platform", "busy", "256Mi"),
        ("after-a-restart", Person::Developer.username(), "none", "restarting", "128Mi"),
    ];
    for (allowance, user, group, pod, amount) in used {
        space.resize_as(user, pod, &memory_limit(amount), &["--as-group", group]).accepted();
        assert_eq!(stored_limit(&space.pod(pod)), amount);
        let events = space.audited("pods", "resize", pod, tries(pod) + 1);
        let note = format!("container \"app\" 512Mi to {amount}, by allowance \"{allowance}\"");
        let last = events.last().unwrap();
        assert_eq!(last.annotation("resize.restraint.dev/allowance-used"), note, "{last:#?}");
        let told = eventually("the pod is told", || {
            let selector = format!("regarding.name={pod},reason=AllowanceUsed");
            let line = ["get", "events.events.k8s.io", "--field-selector", &selector];
            let mut list = space.object(&line);
            let events = list["items"].take();
            (!events.as_array().unwrap().is_empty()).then_some(events)
        });
        let note = format!("\"{user}\": {note}");
        assert_eq!((&told[0]["note"], &told[1]), (&json!(note), &Value::Null));
        let label = format!("name=\"{allowance}\"");
        assert_eq!(installation.counted("restraint_allowed_total", &label), 1);
    }
}

/// How often a pod was tried before.
fn tries(pod: &str) -> usize {
    CASES.iter().filter(|case| case.pod == pod).count()
}

/// An allowance does not say that the process fits into what it leaves.
fn a_heap(installation: &Installation<'_>, space: &Space<'_>) {
    let mut java = with("java", "RestartContainer");
    java["spec"]["containers"][0]["command"] = json!(["java", "-Xmx300m", "-jar", "/app.jar"]);
    space.create(&java).accepted();
    let said = space.resize("java", &memory_limit("300Mi")).refused();
    assert!(said.contains("heap-above-limit: container \"app\": heap "), "{said}");
    assert!(!said.contains("memory-limit-decrease"), "{said}");
    assert_eq!(stored_limit(&space.pod("java")), "512Mi");
    space.resize("java", &memory_limit("400Mi")).accepted();
    let label = "name=\"after-a-restart\"";
    assert_eq!(installation.counted("restraint_allowed_total", label), 2);
}

/// A pod with 512Mi whose request leaves room for less.
fn with(name: &str, policy: &str) -> Value {
    let mut pod = pod(name);
    pod["spec"]["containers"][0]["resources"]["requests"]["memory"] = json!("32Mi");
    pod["spec"]["containers"][0]["resizePolicy"] =
        json!([{"resourceName": "memory", "restartPolicy": policy}]);
    pod
}
