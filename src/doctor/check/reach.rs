//! How far Restraint reaches: whether every webhook is asked about what it is for, and in which
//! namespaces.

mod dry_run;
mod objects;
mod summary;

use crate::doctor::coverage::State;
use crate::doctor::facts::{Facts, Installation};
use crate::doctor::hook::{self, Hook};
use crate::doctor::names::listed;
use crate::doctor::need::{NEEDS, Need};
use crate::doctor::observation::Observations;
use crate::doctor::reach::{self, Gap, Place, RESTORE};

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        for hook in hook::of(facts, installation) {
            examine_rules(&hook, observations);
        }
        objects::check(facts, installation, observations);
        examine_namespaces(facts, installation, observations);
    }
    dry_run::check(facts, observations);
}

/// What no rule of a webhook matches.
fn examine_rules(hook: &Hook<'_>, observations: &mut Observations<'_>) {
    let Some(need) = Need::of(hook) else { return };
    let missing = reach::missing(hook, need);
    if !missing.is_empty() {
        let gap = Gap::Doors(missing);
        let message = format!("{gap}: {}", need.without);
        observations.add(need.severity, hook.object(), message, Some(gap.remedy()));
    }
}

fn examine_namespaces(
    facts: &Facts,
    installation: &Installation,
    observations: &mut Observations<'_>,
) {
    let seen = facts.namespaces.as_ref().map(drop);
    let seen = seen.and(facts.mutating.as_ref().map(drop));
    if let Err(reason) = seen.and(facts.validating.as_ref().map(drop)) {
        return observations.unknown(
            installation.object(),
            "which namespaces it guards was",
            reason,
            "run it with the right to list namespaces and webhook configurations",
        );
    }
    let hooks: Vec<_> = hook::of(facts, installation).collect();
    if hooks.is_empty() {
        return; // the check of hooks names each of them
    }
    let places = reach::places(facts, installation);
    for need in &NEEDS {
        let mut of_need = hooks.iter().filter(|hook| need.is_met_by(hook));
        if let Some(hook) = of_need.next() {
            examine_selector(hook, need, &places, observations);
        }
    }
    let mut acting = hooks.iter().filter(|hook| hook.name == "resize.restraint.dev");
    if let Some(hook) = acting.next() {
        examine_enforced(facts, hook, &places, observations);
    }
    summary::report(installation, places, observations);
}

/// Where a webhook is not called, although others that guard are.
fn examine_selector(
    hook: &Hook<'_>,
    need: &Need,
    places: &[Place<'_>],
    observations: &mut Observations<'_>,
) {
    let is_meant = |place: &&Place<'_>| {
        let mut guards = NEEDS.iter().filter(|need| need.is_guard());
        place.state != State::ByDesign
            && guards.any(|guard| {
                let absent = |(other, gap): &(&Need, Gap)| {
                    std::ptr::eq(*other, guard) && *gap == Gap::Absent
                };
                place.left_out_of(guard).is_none() && !place.unmet.iter().any(absent)
            })
    };
    let left_out: Vec<_> = places
        .iter()
        .filter(is_meant)
        .filter_map(|place| Some((place.namespace, place.left_out_of(need)?)))
        .collect();
    if let Some((_, gap)) = left_out.first() {
        let names = listed(left_out.iter().map(|(namespace, _)| namespace));
        let message = format!(
            "does not cover what other webhooks of Restraint cover, {names} ({gap}): {}",
            need.without
        );
        observations.add(need.severity, hook.object(), message, Some(RESTORE.to_owned()));
    }
}

/// Whether policies are in force anywhere, where another webhook sees to the other namespaces.
fn examine_enforced(
    facts: &Facts,
    hook: &Hook<'_>,
    places: &[Place<'_>],
    observations: &mut Observations<'_>,
) {
    let mut guarded = places.iter().filter(|place| place.state == State::Guarded).peekable();
    if guarded.peek().is_some()
        && guarded.all(|place| reach::outside(facts, hook, place.namespace).is_some())
    {
        let message =
            "covers no namespace: everywhere policies only warn, and it is as if cap were warn";
        observations.warning(hook.object(), message, "correct enforceNamespaces");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::doctor::testing::{healthy, hook_mut, lines, mutating_mut, read, worst};

    use super::*;

    const GUARDED: &str =
        "ok: Service restraint/restraint: guarded: 2 of 2 namespaces; 2 excluded by design";

    fn named(operator: &str, names: &[&str]) -> Value {
        json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": operator, "values": names}]})
    }

    /// Gives every webhook of ours this selector.
    fn select(facts: &mut Facts, field: &str, selector: &Value) {
        for configuration in facts.mutating.as_mut().unwrap() {
            for hook in configuration.webhooks.iter_mut().flatten() {
                let chosen = match field {
                    "objectSelector" => &mut hook.object_selector,
                    _ => &mut hook.namespace_selector,
                };
                *chosen = Some(read(selector.clone()));
            }
        }
        for configuration in facts.validating.as_mut().unwrap() {
            for hook in configuration.webhooks.iter_mut().flatten() {
                let chosen = match field {
                    "objectSelector" => &mut hook.object_selector,
                    _ => &mut hook.namespace_selector,
                };
                *chosen = Some(read(selector.clone()));
            }
        }
    }

    fn operations(facts: &mut Facts, hook: &str, rule: usize, operations: &[&str]) {
        let rules = hook_mut(facts, hook).rules.as_mut().unwrap();
        rules[rule].operations = Some(operations.iter().map(|&name| name.to_owned()).collect());
    }

    #[test]
    fn what_the_chart_renders_reaches_everything() {
        assert_eq!(lines(check, &healthy()), [GUARDED]);
    }

    #[test]
    fn a_namespace_selector_that_matches_nothing_is_a_problem() {
        let mut facts = healthy();
        select(&mut facts, "namespaceSelector", &json!({"matchLabels": {"restraint": "enabled"}}));
        let expected = "problem: Service restraint/restraint: guarded: 0 of 2 namespaces; not: default, shop \
             (selector \"restraint=enabled\" matches no label); 2 excluded by design";
        assert_eq!(lines(check, &facts), [expected]);
        for namespace in facts.namespaces.as_mut().unwrap() {
            if namespace.metadata.name.as_deref() == Some("shop") {
                namespace.metadata.labels = read(json!({"restraint": "enabled"}));
            }
        }
        let expected = "note: Service restraint/restraint: guarded: 1 of 2 namespaces; not: default \
             (selector \"restraint=enabled\" matches no label); 2 excluded by design";
        assert_eq!(lines(check, &facts), [expected]);
    }

    #[test]
    fn rules_that_leave_out_a_door_are_a_problem_that_names_it() {
        let mut facts = healthy();
        operations(&mut facts, "resize.restraint.dev", 0, &["CREATE"]);
        let seen = lines(check, &facts);
        assert_eq!(
            seen[0],
            "problem: ValidatingWebhookConfiguration restraint, hook resize.restraint.dev: no rule matches UPDATE of \
             pods/resize: decreases are not checked"
        );
        assert_eq!(
            seen[1],
            "problem: Service restraint/restraint: guarded: 0 of 2 namespaces; not: default, shop \
             (resize.restraint.dev: no rule matches UPDATE of pods/resize); 2 excluded by design"
        );
        for (rule, resources, left) in [
            (0, json!(["pods/status"]), "CREATE of pods, UPDATE of pods:"),
            (1, json!([]), "UPDATE of pods/status:"),
            (2, json!(["bindings"]), "CREATE of pods/binding:"),
            (2, json!(["pods/binding"]), "CREATE of bindings:"),
        ] {
            let mut facts = healthy();
            let approval = hook_mut(&mut facts, "approval.restraint.dev");
            approval.rules.as_mut().unwrap()[rule].resources = read(resources);
            let seen = &lines(check, &facts)[0];
            assert!(
                seen.starts_with("problem: ")
                    && seen.contains(&format!("no rule matches {left} anyone")),
                "{seen}"
            );
        }
        let mut facts = healthy();
        operations(&mut facts, "advice.restraint.dev", 2, &["*"]);
        assert_eq!(lines(check, &facts), [GUARDED]);
        operations(&mut facts, "advice.restraint.dev", 2, &["UPDATE"]);
        let seen = worst(check, &facts);
        let expected = "no rule matches CREATE of jobs, CREATE of cronjobs: nobody gets warnings";
        assert!(seen.starts_with("warning: ") && seen.contains(expected), "{seen}");
    }

    #[test]
    fn a_hook_that_covers_less_than_others_is_told() {
        let mut facts = healthy();
        hook_mut(&mut facts, "approval.restraint.dev").namespace_selector =
            Some(read(named("NotIn", &["shop", "kube-system", "restraint"])));
        assert_eq!(
            lines(check, &facts),
            [
                "problem: ValidatingWebhookConfiguration restraint, hook approval.restraint.dev: does not cover what other \
                 webhooks of Restraint cover, shop (excluded by name): anyone who may annotate pods can forge approvals",
                "note: Service restraint/restraint: guarded: 1 of 2 namespaces; not: shop (approval.restraint.dev: \
                 excluded by name); 2 excluded by design",
            ]
        );
        let mut facts = healthy();
        mutating_mut(&mut facts, "restore.restraint.dev").namespace_selector =
            Some(read(named("In", &["nowhere"])));
        let seen = lines(check, &facts);
        assert!(
            seen[0].starts_with("warning: Mutating") && seen[0].contains("cover, default, shop (")
        );
        assert_eq!(seen[1], GUARDED);
    }

    #[test]
    fn another_webhook_may_see_to_the_other_namespaces() {
        let mut facts = healthy();
        let mut elsewhere = hook_mut(&mut facts, "resize.restraint.dev").clone();
        elsewhere.name = "resize-elsewhere.restraint.dev".to_owned();
        hook_mut(&mut facts, "resize.restraint.dev").namespace_selector =
            Some(read(named("In", &["shop"])));
        let hooks = facts.validating.as_mut().unwrap()[0].webhooks.as_mut().unwrap();
        hooks.push(elsewhere);
        assert_eq!(lines(check, &facts), [GUARDED]);
        hook_mut(&mut facts, "resize.restraint.dev").namespace_selector =
            Some(read(named("In", &["shpo"])));
        assert!(
            worst(check, &facts).ends_with("policies only warn, and it is as if cap were warn")
        );
    }

    #[test]
    fn object_selectors_are_told_with_what_they_leave_out() {
        let mut facts = healthy();
        select(&mut facts, "objectSelector", &json!({"matchLabels": {"app": "web"}}));
        let seen = lines(check, &facts);
        assert!(
            seen[0].starts_with("warning: ")
                && seen[0].contains("there is none yet to compare it with")
        );
        let pods = facts.pods.as_mut().unwrap();
        pods.insert("shop".to_owned(), read(json!([{"app": "db"}, {"app": "db"}, {}])));
        // where no hook looks
        pods.insert("kube-system".to_owned(), read(json!([{"app": "web"}])));
        let seen = lines(check, &facts);
        let none = "matches none of the 3 pods where it looks: it is never asked";
        assert_eq!(
            seen.iter().filter(|line| line.starts_with("problem: ") && line.contains(none)).count(),
            2
        );
        assert_eq!(
            seen.iter().filter(|line| line.starts_with("warning: ") && line.contains(none)).count(),
            2
        );
        let nothing = "guarded: 0 of 2 namespaces; not: default, shop (no pod there matches objectSelector \"app=web\")";
        assert!(seen.last().unwrap().contains(nothing), "{seen:#?}");
        let pods = facts.pods.as_mut().unwrap();
        pods.insert("default".to_owned(), read(json!([{"app": "web"}])));
        let seen = lines(check, &facts);
        assert!(
            seen[0].starts_with("warning: ") && seen[0].contains("leaves out 3 of 4 pods"),
            "{seen:#?}"
        );
        let bindings = "objectSelector matches no CREATE of pods/binding, CREATE of bindings: a Binding carries no labels";
        assert!(
            seen.iter().any(|line| line.starts_with("problem: ") && line.contains(bindings)),
            "{seen:#?}"
        );
        facts.pods = Err("forbidden".to_owned());
        assert!(lines(check, &facts)[0].ends_with("leaves out was not examined: forbidden"));
    }

    #[test]
    fn what_leaves_out_nothing_is_noted() {
        let mut facts = healthy();
        let labelled = json!({"matchExpressions": [{"key": "skip", "operator": "DoesNotExist"}]});
        select(&mut facts, "objectSelector", &labelled);
        facts.pods.as_mut().unwrap().insert("shop".to_owned(), read(json!([{"app": "db"}])));
        let seen = lines(check, &facts);
        assert!(
            seen[0].starts_with("note: ") && seen[0].contains("matches all 1 pods so far"),
            "{seen:#?}"
        );
        assert_eq!(seen.last().unwrap(), GUARDED);
    }

    #[test]
    fn what_is_not_known_was_not_examined() {
        let mut facts = healthy();
        operations(&mut facts, "resize.restraint.dev", 0, &["CREATE"]);
        facts.namespaces = Err("forbidden".to_owned());
        let seen = lines(check, &facts);
        assert!(seen[0].starts_with("problem: "), "rules are known: {seen:#?}");
        assert_eq!(
            seen[1],
            "unknown: Service restraint/restraint: which namespaces it guards was not examined: forbidden"
        );
        facts.validating = Err("no".to_owned());
        assert!(lines(check, &facts)[0].ends_with("forbidden"));
    }

    #[test]
    fn a_dry_run_tells_whether_restraint_is_asked() {
        use std::time::Duration;

        use crate::doctor::facts::Measurement;
        use crate::doctor::testing::args;

        let mut facts = healthy();
        let measured = |denied_by: Option<&str>| {
            Some(Ok(Measurement {
                namespace: "shop".to_owned(),
                denied_by: denied_by.map(str::to_owned),
                asked: vec![Duration::ZERO],
                unasked: vec![Duration::ZERO],
                unasked_are: "cpu resizes",
            }))
        };
        facts.probe = measured(Some("resize.restraint.dev"));
        let expected = "ok: Namespace shop: a decrease of memory in a dry run was denied by \"resize.restraint.dev\"";
        assert_eq!(lines(check, &facts)[1], expected);
        facts.probe = measured(Some("others"));
        assert!(worst(check, &facts).contains("denied, but not by Restraint"));
        facts.probe = measured(None);
        assert!(worst(check, &facts).starts_with("warning: Namespace shop: a decrease of memory in a dry run was accepted, although policy \"memory-limit-decrease\" denies"));
        args(
            &mut facts,
            &["serve", "--cap=warn", "--policies-config-map=restraint/restraint-policies"],
        );
        assert!(worst(check, &facts).contains("and no policy is known to deny it"));
    }
}
