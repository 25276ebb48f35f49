//! `restraint doctor`: what it says of an installation that is sound, and of webhooks that are there
//! but are never asked, as after a wrong value or an edit by hand.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use restraint::doctor::check::examine;
use restraint::doctor::facts::Facts;
use restraint::doctor::observation::{Observation, Severity};
use restraint::doctor::text;

use crate::doctor::broken;

/// As the chart renders them.
const WEBHOOKS: &str = include_str!("../e2e/webhooks.yaml");

/// The hook on changes of configuration, as the chart renders it.
const CONFIGURATION: &str = include_str!("../e2e/configuration.yaml");

#[test]
fn a_sound_installation_guards_all_but_what_is_excluded() {
    let found = golden("sound", &chart());
    assert!(found.iter().all(|observation| observation.severity <= Severity::Note), "{found:#?}");
}

/// The hook on changes of configuration is there only where it is wanted: with it an installation is as
/// sound as without.
#[test]
fn an_installation_that_is_asked_about_configuration_is_as_sound() {
    let observed = |hooks: &[Value], checks: &[&str]| {
        let mut found = examine(&facts(hooks));
        found.retain(|observation| checks.contains(&observation.check));
        found.into_iter().map(|one| (one.check, one.severity, one.message)).collect::<Vec<_>>()
    };
    let checks = ["reach", "hooks", "match-conditions", "hook-timeout"];
    let without = chart();
    let mut with = without.clone();
    let configuration = filled(CONFIGURATION).remove(0);
    let validating = with.iter_mut().find(|one| one["kind"] == configuration["kind"]).unwrap();
    let hooks = validating["webhooks"].as_array_mut().unwrap();
    hooks.extend(configuration["webhooks"].as_array().unwrap().iter().cloned());
    let expected = observed(&without, &checks);
    assert_eq!(observed(&with, &checks), expected);
    // and it is known what it is for
    each(&mut with, |hook| {
        if hook["name"] == "configuration.restraint.dev" {
            hook["rules"][0]["operations"] = json!(["CREATE"]);
        }
    });
    let found = observed(&with, &["reach"]);
    let told = found
        .iter()
        .any(|(.., message)| message.contains("nobody is warned about changes of ConfigMaps"));
    assert!(told, "{found:#?}");
}

#[test]
fn a_namespace_selector_that_no_namespace_matches() {
    let mut hooks = chart();
    each(&mut hooks, |hook| {
        hook["namespaceSelector"]["matchLabels"] = json!({"restraint": "enabled"});
    });
    assert_remedied(&golden("namespaces", &hooks));
}

#[test]
fn an_object_selector_that_nothing_matches() {
    let mut hooks = chart();
    each(&mut hooks, |hook| hook["objectSelector"] = json!({"matchLabels": {"app": "none"}}));
    assert_remedied(&golden("objects", &hooks));
}

#[test]
fn operations_that_no_resize_is() {
    let mut hooks = chart();
    each(&mut hooks, |hook| {
        if hook["name"] == "resize.restraint.dev" {
            hook["rules"][0]["operations"] = json!(["CREATE"]);
        }
    });
    assert_remedied(&golden("operations", &hooks));
}

#[test]
fn the_approval_hook_without_a_door() {
    let mut hooks = chart();
    each(&mut hooks, |hook| {
        if hook["name"] == "approval.restraint.dev" {
            hook["rules"].as_array_mut().unwrap().truncate(1);
        }
    });
    assert_remedied(&golden("doors", &hooks));
}

/// Some problem, and a remedy for each.
#[track_caller]
fn assert_remedied(found: &[Observation]) {
    let problems = found.iter().filter(|observation| observation.severity == Severity::Problem);
    let remedies: Vec<_> = problems.map(|observation| observation.remedy.as_deref()).collect();
    assert!(!remedies.is_empty() && remedies.iter().all(Option::is_some), "{found:#?}");
}

/// The configurations of the chart with its default values.
fn chart() -> Vec<Value> {
    filled(WEBHOOKS)
}

fn filled(rendered: &str) -> Vec<Value> {
    let filled = rendered
        .replace("restraint-${INSTALLATION}", "restraint")
        .replace("${INSTALLATION}", "restraint")
        .replace("${PORT}", "443")
        .replace("${CA_BUNDLE}", "");
    let mut hooks: Vec<Value> = serde_saphyr::from_multiple(&filled).unwrap();
    each(&mut hooks, |hook| {
        // but one more that is excluded
        let selector = hook["namespaceSelector"].as_object_mut().unwrap();
        selector.remove("matchLabels");
        let excluded = &mut selector["matchExpressions"][0]["values"];
        excluded.as_array_mut().unwrap().push(json!("legacy"));
    });
    hooks
}

fn each(configurations: &mut [Value], change: impl Fn(&mut Value)) {
    for configuration in configurations {
        configuration["webhooks"].as_array_mut().unwrap().iter_mut().for_each(&change);
    }
}

/// A cluster with these webhooks.
fn facts(configurations: &[Value]) -> Facts {
    let namespace = |name: &str| json!({"metadata": {"name": name, "labels": {"team": name}}});
    let namespaces = ["batch", "default", "kube-system", "legacy", "restraint", "shop"];
    let pods = json!({"shop": [{"app": "web"}, {"app": "db"}], "kube-system": [{"app": "none"}]});
    Facts {
        mutating: Ok(of_kind(configurations, "MutatingWebhookConfiguration")),
        validating: Ok(of_kind(configurations, "ValidatingWebhookConfiguration")),
        namespaces: Ok(namespaces.iter().map(|name| read(namespace(name))).collect()),
        pods: Ok(read(pods)),
        probe: None,
        ..broken()
    }
}

/// Holds what the check says of these webhooks, as text and as JSON.
fn golden(name: &str, configurations: &[Value]) -> Vec<Observation> {
    let mut found = examine(&facts(configurations));
    found.retain(|observation| observation.check == "reach");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        let text = text::render(&found, false);
        insta::assert_snapshot!(format!("doctor/reach-{name}"), text);
        insta::assert_json_snapshot!(format!("doctor/reach-{name}-json"), found);
    });
    found
}

fn of_kind<T: DeserializeOwned>(configurations: &[Value], kind: &str) -> Vec<T> {
    let of_kind = configurations.iter().filter(|configuration| configuration["kind"] == kind);
    of_kind.cloned().map(read).collect()
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}
