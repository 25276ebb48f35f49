//! How far Restraint reaches: which namespaces its webhooks cover, and why not the others.
//!
//! Selectors and rules are evaluated as the API server does. Match conditions are not: they are CEL.

mod gap;

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::selector::selects;
use crate::kube::selector::Selector;

use super::coverage::{Coverage, State, Uncovered};
use super::door::Door;
use super::facts::{Facts, Installation};
use super::hook::{self, Hook};
use super::need::{NEEDS, Need};
pub(super) use gap::{Gap, RESTORE, TAKE_OFF, written};

/// The namespace of the pods that everything else needs.
const SYSTEM: &str = "kube-system";

/// A namespace, as far as an installation covers it.
#[derive(Debug)]
pub(super) struct Place<'f> {
    pub(super) namespace: &'f str,
    pub(super) state: State,
    /// The needs that are not met there, in the order of [`NEEDS`], and why.
    pub(super) unmet: Vec<(&'static Need, Gap)>,
    hooks: Vec<String>,
    gaps: Vec<Uncovered>,
}

impl Place<'_> {
    /// The first reason why it is not guarded.
    pub(super) fn reason(&self) -> Option<&(&'static Need, Gap)> {
        self.unmet.iter().find(|(need, _)| need.is_guard())
    }

    /// Why the namespace selectors of a need's webhooks leave it out.
    pub(super) fn left_out_of(&self, need: &Need) -> Option<&Gap> {
        let (_, gap) = self.unmet.iter().find(|(other, _)| std::ptr::eq(*other, need))?;
        matches!(gap, Gap::Namespace(_) | Gap::Unreadable(_)).then_some(gap)
    }

    /// It, as reports have it.
    pub(super) fn into_coverage(self) -> Coverage {
        let Self { namespace, state, hooks, gaps, .. } = self;
        Coverage { namespace: namespace.to_owned(), state, hooks, gaps }
    }
}

/// Whether an installation looks after `namespace`: a webhook of one is called there. Where no
/// webhook is known nothing tells which namespaces are left out.
pub(super) fn looks_after(facts: &Facts, namespace: &str) -> bool {
    let ours = facts.installations.iter().flat_map(|installation| hook::of(facts, installation));
    let mut ours = ours.peekable();
    ours.peek().is_none() || ours.any(|hook| reaches(facts, &hook, namespace))
}

/// Whether a webhook is called in `namespace`, if only for a part of what it is for.
pub(super) fn reaches(facts: &Facts, hook: &Hook<'_>, namespace: &str) -> bool {
    match gap(facts, hook, namespace) {
        None => true,
        Some(Gap::Bindings(_)) => true,
        Some(Gap::Doors(missing)) => {
            Need::of(hook).is_none_or(|need| missing.len() < need.doors.len())
        }
        Some(_) => false,
    }
}

/// Every namespace that is known, as far as an installation covers it.
pub(super) fn places<'f>(facts: &'f Facts, installation: &Installation) -> Vec<Place<'f>> {
    let hooks: Vec<_> = hook::of(facts, installation).collect();
    let others: Vec<_> = hook::every(facts)
        .filter(|hook| hook.is_ours() && hook.service().as_ref() != Some(&installation.service))
        .filter(|hook| Need::of(hook).is_some_and(Need::is_guard))
        .collect();
    let homes = hook::every(facts).filter(Hook::is_ours).filter_map(|hook| hook.service());
    let mut by_design: BTreeSet<String> = homes.map(|service| service.namespace).collect();
    by_design.extend([SYSTEM.to_owned(), installation.service.namespace.clone()]);
    let names = facts.namespaces.iter().flatten();
    names
        .filter_map(|namespace| namespace.metadata.name.as_deref())
        .map(|namespace| {
            let mut place = place(facts, &hooks, namespace);
            if place.state == State::Unguarded {
                if by_design.contains(namespace) {
                    place.state = State::ByDesign;
                } else if others.iter().any(|hook| reaches(facts, hook, namespace)) {
                    place.state = State::Elsewhere;
                }
            }
            place
        })
        .collect()
}

fn place<'f>(facts: &Facts, hooks: &[Hook<'_>], namespace: &'f str) -> Place<'f> {
    let mut place = Place {
        namespace,
        state: State::Guarded,
        unmet: Vec::new(),
        hooks: Vec::new(),
        gaps: Vec::new(),
    };
    let mut met = 0_usize;
    for need in &NEEDS {
        let mut reason = None;
        let mut is_met = false;
        for hook in hooks.iter().filter(|hook| need.is_met_by(hook)) {
            match gap(facts, hook, namespace) {
                None => {
                    is_met = true;
                    place.hooks.push(hook.object());
                }
                Some(gap) => {
                    place.gaps.push(Uncovered { hook: hook.object(), why: gap.to_string() });
                    // one that looks there tells more than one that does not
                    if reason.is_none() || !matches!(gap, Gap::Namespace(_)) {
                        reason = Some(gap);
                    }
                }
            }
        }
        if is_met {
            met = met.saturating_add(usize::from(need.is_guard()));
        } else if reason.is_some() || !need.is_optional {
            if reason.is_none() {
                let hook = format!("{}, hook {}", need.kind.as_str(), need.name());
                place.gaps.push(Uncovered { hook, why: Gap::Absent.to_string() });
            }
            place.unmet.push((need, reason.unwrap_or(Gap::Absent)));
        }
    }
    place.state = match (place.reason(), met) {
        (None, _) => State::Guarded,
        (Some(_), 0) => State::Unguarded,
        (Some(_), _) => State::Partly,
    };
    place
}

/// Why a webhook does not cover `namespace`; `None` where it does.
fn gap(facts: &Facts, hook: &Hook<'_>, namespace: &str) -> Option<Gap> {
    let outside = outside(facts, hook, namespace);
    outside.or_else(|| {
        let missing = Need::of(hook).map(|need| missing(hook, need)).unwrap_or_default();
        if missing.is_empty() {
            unselected(facts, hook, namespace)
        } else {
            Some(Gap::Doors(missing))
        }
    })
}

/// Why the namespace selector of a webhook leaves `namespace` out.
pub(super) fn outside(facts: &Facts, hook: &Hook<'_>, namespace: &str) -> Option<Gap> {
    let selector = match Selector::try_from(hook.namespaces?) {
        Ok(selector) => selector,
        Err(error) => return Some(Gap::Unreadable(error.to_string())),
    };
    let labels = facts.namespace_labels(namespace);
    selector.unmet(|key| labels.get(key).map(String::as_str)).cloned().map(Gap::Namespace)
}

/// The doors of a need that no rule of a webhook matches.
pub(super) fn missing(hook: &Hook<'_>, need: &Need) -> Vec<Door> {
    need.doors.iter().copied().filter(|door| !hook.matches(*door)).collect()
}

/// Why a webhook that selects objects is asked about no pod in `namespace`, or about no Binding. A
/// pod without labels stands for those to come where there is none yet.
fn unselected(facts: &Facts, hook: &Hook<'_>, namespace: &str) -> Option<Gap> {
    let selector = hook.objects?;
    // what is not known is not missing: the check says that it was not examined
    let pods = facts.pods.as_ref().ok()?.get(namespace).filter(|pods| !pods.is_empty());
    let takes_unlabelled = selects(selector, &BTreeMap::new());
    let is_asked =
        pods.map_or(takes_unlabelled, |pods| pods.iter().any(|labels| selects(selector, labels)));
    if !is_asked {
        return Some(Gap::Objects(written(selector)));
    }
    let takes_bindings = |need: &Need| need.doors.iter().any(|door| door.takes_bindings());
    (!takes_unlabelled && Need::of(hook).is_some_and(takes_bindings))
        .then(|| Gap::Bindings(written(selector)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::cluster::NamespacedName;
    use crate::doctor::testing::{healthy, hook_mut, read};

    use super::*;

    const RESIZE: &str = "resize.restraint.dev";

    /// Why the hook on resizes does not cover `shop`, which has these labels.
    fn why(facts: &Facts) -> Option<String> {
        let hook = hook::every(facts).find(|hook| hook.name == RESIZE).unwrap();
        gap(facts, &hook, "shop").map(|gap| gap.to_string())
    }

    fn with_labels(facts: &mut Facts, labels: Value) {
        for namespace in facts.namespaces.as_mut().unwrap() {
            if namespace.metadata.name.as_deref() == Some("shop") {
                namespace.metadata.labels = read(labels.clone());
            }
        }
    }

    fn expression(key: &str, operator: &str, values: &[&str]) -> Value {
        let values = (!values.is_empty()).then_some(values);
        json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]})
    }

    #[test]
    fn namespace_selectors_are_evaluated_and_told() {
        let name = "kubernetes.io/metadata.name";
        let none = "selector \"tier=gold\" matches no label";
        for (selector, labels, expected) in [
            (json!({}), json!({}), None),
            (json!({"matchLabels": {"tier": "gold"}}), json!({"tier": "gold"}), None),
            (json!({"matchLabels": {"tier": "gold"}}), json!({"tier": "tin"}), Some(none)),
            (json!({"matchLabels": {"tier": "gold"}}), json!(null), Some(none)),
            (expression("tier", "In", &["tin", "gold"]), json!({"tier": "tin"}), None),
            (
                expression("tier", "In", &["tin", "gold"]),
                json!({}),
                Some("selector \"tier in (tin, gold)\" matches no label"),
            ),
            (expression("tier", "NotIn", &["tin"]), json!({}), None),
            (
                expression("tier", "NotIn", &["tin"]),
                json!({"tier": "tin"}),
                Some("excluded by selector \"tier!=tin\""),
            ),
            (expression("tier", "Exists", &[]), json!({"tier": ""}), None),
            (
                expression("tier", "Exists", &[]),
                json!({}),
                Some("selector \"tier\" matches no label"),
            ),
            (expression("tier", "DoesNotExist", &[]), json!({}), None),
            (
                expression("tier", "DoesNotExist", &[]),
                json!({"tier": ""}),
                Some("excluded by selector \"!tier\""),
            ),
            (expression(name, "NotIn", &["shop", "a"]), json!({}), Some("excluded by name")),
            (expression(name, "In", &["a"]), json!({}), Some("not listed by name")),
            (expression(name, "In", &["shop"]), json!({}), None),
            (
                expression("tier", "Near", &[]),
                json!({}),
                Some("its selector cannot be read: unknown operator \"Near\""),
            ),
        ] {
            let mut facts = healthy();
            with_labels(&mut facts, labels.clone());
            hook_mut(&mut facts, RESIZE).namespace_selector = Some(read(selector.clone()));
            assert_eq!(why(&facts).as_deref(), expected, "{selector} {labels}");
        }
    }

    #[test]
    fn object_selectors_are_compared_with_the_pods_that_are_there() {
        let web = json!({"matchLabels": {"app": "web"}});
        let none = "no pod there matches objectSelector \"app=web\"";
        for (selector, pods, expected) in [
            (json!({}), json!([]), None),
            (json!({"matchLabels": {}, "matchExpressions": []}), json!([{"app": "db"}]), None),
            (web.clone(), json!([{"app": "db"}, {"app": "web", "a": "1"}]), None),
            (web.clone(), json!([{"app": "db"}, {}]), Some(none)),
            (web, json!([]), Some(none)),
            (expression("skip", "DoesNotExist", &[]), json!([]), None),
            (expression("skip", "DoesNotExist", &[]), json!([{}, {"skip": ""}]), None),
            (
                expression("skip", "DoesNotExist", &[]),
                json!([{"skip": ""}]),
                Some("no pod there matches objectSelector \"!skip\""),
            ),
        ] {
            let mut facts = healthy();
            facts.pods.as_mut().unwrap().insert("shop".to_owned(), read(pods.clone()));
            hook_mut(&mut facts, RESIZE).object_selector = Some(read(selector.clone()));
            assert_eq!(why(&facts).as_deref(), expected, "{selector} {pods}");
        }
    }

    #[test]
    fn a_hook_that_is_never_asked_looks_after_nothing() {
        let mut facts = healthy();
        assert!(looks_after(&facts, "shop") && !looks_after(&facts, "kube-system"));
        for configuration in facts.validating.as_mut().unwrap() {
            for hook in configuration.webhooks.iter_mut().flatten() {
                hook.rules.as_mut().unwrap().iter_mut().for_each(|rule| rule.operations = None);
            }
        }
        assert!(looks_after(&facts, "shop"), "the mutating ones are asked");
        facts.mutating = Ok(Vec::new());
        assert!(!looks_after(&facts, "shop"));
        facts.validating = Ok(Vec::new());
        assert!(looks_after(&facts, "shop"), "nothing tells");
    }

    #[test]
    fn a_hook_that_covers_a_part_reaches() {
        let mut facts = healthy();
        let approval = hook_mut(&mut facts, "approval.restraint.dev");
        approval.rules.as_mut().unwrap().truncate(1);
        let hook = hook::every(&facts).filter(|hook| hook.name == "approval.restraint.dev").nth(1);
        let hook = hook.unwrap();
        assert!(reaches(&facts, &hook, "shop"));
        assert_eq!(
            gap(&facts, &hook, "shop").unwrap().to_string(),
            "no rule matches UPDATE of pods/status, CREATE of pods/binding, CREATE of bindings"
        );
    }

    #[test]
    fn an_object_selector_lets_bindings_pass() {
        let mut facts = healthy();
        facts.pods.as_mut().unwrap().insert("shop".to_owned(), read(json!([{"app": "web"}])));
        for (selector, expected) in [
            (json!({}), None),
            (expression("skip", "DoesNotExist", &[]), None),
            (
                json!({"matchLabels": {"app": "web"}}),
                Some("objectSelector \"app=web\" matches no Binding, which has no labels"),
            ),
        ] {
            let approval = hook_mut(&mut facts, "approval.restraint.dev");
            approval.object_selector = Some(read(selector));
            let hook = hook::every(&facts).find(|hook| {
                hook.name == "approval.restraint.dev" && hook.kind == hook::HookKind::Validating
            });
            let gap = gap(&facts, &hook.unwrap(), "shop").map(|gap| gap.to_string());
            assert_eq!(gap.as_deref(), expected);
            assert!(reaches(&facts, &hook.unwrap(), "shop"));
        }
    }

    #[test]
    fn every_namespace_has_a_state() {
        let mut facts = healthy();
        let mut other = facts.validating.as_ref().unwrap()[0].clone();
        for hook in other.webhooks.iter_mut().flatten() {
            hook.client_config.service.as_mut().unwrap().namespace = "default".to_owned();
        }
        // the other installation alone looks at shop, and runs in default
        let but_shop = expression("kubernetes.io/metadata.name", "NotIn", &["shop"]);
        let but_home = expression("kubernetes.io/metadata.name", "NotIn", &["default"]);
        for (configuration, selector) in
            [(&mut facts.validating.as_mut().unwrap()[0], but_shop.clone()), (&mut other, but_home)]
        {
            for hook in configuration.webhooks.iter_mut().flatten() {
                hook.namespace_selector = Some(read(selector.clone()));
            }
        }
        facts.validating.as_mut().unwrap().push(other);
        for hook in facts.mutating.as_mut().unwrap()[0].webhooks.iter_mut().flatten() {
            hook.namespace_selector = Some(read(but_shop.clone()));
        }
        let installation = facts.installations[0].clone();
        let states = |facts: &Facts, installation: &Installation| {
            let places = places(facts, installation);
            places.iter().map(|place| place.state).collect::<Vec<_>>()
        };
        let guarded = State::Guarded;
        assert_eq!(states(&facts, &installation), [guarded, guarded, guarded, State::Elsewhere]);
        facts.mutating = Ok(Vec::new());
        assert_eq!(states(&facts, &installation)[0], State::Partly);
        let second =
            Installation { service: NamespacedName::new("default", "restraint"), ..installation };
        assert_eq!(
            states(&facts, &second),
            [State::ByDesign, State::Partly, State::Partly, State::Partly]
        );
        facts.validating = Ok(Vec::new());
        let nothing = states(&facts, &second);
        assert_eq!(nothing, [State::ByDesign, State::ByDesign, State::Unguarded, State::Unguarded]);
    }
}
