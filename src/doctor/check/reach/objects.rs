//! Webhooks that look only at objects with certain labels. The chart never asks for that.

use std::collections::BTreeMap;

use crate::cluster::selector::selects;
use crate::doctor::facts::{Facts, Installation, PodLabels};
use crate::doctor::hook::{self, Hook};
use crate::doctor::names::listed;
use crate::doctor::need::Need;
use crate::doctor::observation::{Observations, Severity};
use crate::doctor::reach::{self, TAKE_OFF, written};

pub(super) fn check(
    facts: &Facts,
    installation: &Installation,
    observations: &mut Observations<'_>,
) {
    let hooks = hook::of(facts, installation).filter(|hook| hook.objects.is_some());
    let hooks: Vec<_> = hooks.filter_map(|hook| Some((hook, Need::of(&hook)?))).collect();
    let pods = match &facts.pods {
        Ok(pods) => pods,
        Err(_) if hooks.is_empty() => return,
        Err(reason) => {
            return observations.unknown(
                installation.object(),
                "which pods an objectSelector leaves out was",
                reason,
                "run it with the right to list pods",
            );
        }
    };
    let found: Vec<_> =
        hooks.iter().map(|(hook, need)| (*hook, examine(facts, pods, hook, need))).collect();
    for severity in [Severity::Problem, Severity::Warning, Severity::Note] {
        let of_severity = found.iter().filter(|(_, (found, _))| *found == severity);
        let messages = of_severity.map(|(hook, (_, message))| (*hook, message.clone()));
        for (object, message) in hook::grouped(messages) {
            observations.add(severity, object, message, Some(TAKE_OFF.to_owned()));
        }
    }
    // what is never asked at all has been told
    let asked =
        hooks.iter().zip(&found).filter(|((_, need), (_, (found, _)))| *found < need.severity);
    for ((hook, need), _) in asked {
        examine_bindings(hook, need, observations);
    }
}

/// What the object selector of a webhook leaves out of the pods where the webhook looks.
fn examine(facts: &Facts, pods: &PodLabels, hook: &Hook<'_>, need: &Need) -> (Severity, String) {
    let Some(selector) = hook.objects else { return (Severity::Note, String::new()) };
    let there: Vec<_> = pods
        .iter()
        .filter(|(namespace, _)| reach::outside(facts, hook, namespace).is_none())
        .flat_map(|(_, pods)| pods)
        .collect();
    let matched = there.iter().filter(|labels| selects(selector, labels)).count();
    let (count, selector) = (there.len(), written(selector));
    let left_out = count.saturating_sub(matched);
    let without = "pods that it does not match are not covered";
    match (count, matched) {
        (0, _) => (
            Severity::Warning,
            format!(
                "objectSelector \"{selector}\": {without}; there is none yet to compare it with"
            ),
        ),
        (_, 0) => (
            need.severity,
            format!(
                "objectSelector \"{selector}\" matches none of the {count} pods where it looks: it is never asked"
            ),
        ),
        (_, _) if left_out == 0 => (
            Severity::Note,
            format!("objectSelector \"{selector}\" matches all {count} pods so far: {without}"),
        ),
        _ => (
            Severity::Warning,
            format!(
                "objectSelector \"{selector}\" leaves out {left_out} of {count} pods: {without}"
            ),
        ),
    }
}

/// A Binding has no labels, and may bring annotations all the same.
fn examine_bindings(hook: &Hook<'_>, need: &Need, observations: &mut Observations<'_>) {
    let bindings: Vec<_> = need.doors.iter().filter(|door| door.takes_bindings()).collect();
    let is_asked = hook.objects.is_none_or(|selector| selects(selector, &BTreeMap::new()));
    if !bindings.is_empty() && !is_asked {
        let doors = listed(bindings.iter().map(|door| door.to_string()));
        let message = format!(
            "objectSelector matches no {doors}: a Binding carries no labels, and can bring annotations: {}",
            need.without
        );
        observations.add(need.severity, hook.object(), message, Some(TAKE_OFF.to_owned()));
    }
}
