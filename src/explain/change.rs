//! What comes of a change, difference by difference: a pure function of the objects before and
//! after.

mod configuration;
mod other;
mod pod;
mod presence;
mod qos;
mod resize;
mod template;
mod valid;
mod workload;

use jiff::Timestamp;

use crate::judge::policies::Policies;
use crate::judge::subject::Resource;
use crate::kube::template::TemplatePlace;
use crate::manifest::unstructured::Unstructured;

use super::difference::{Difference, differences};
use super::effect::{Consequence, Effect, Explanation};
use super::redact::shown;

/// What is known beside the objects that change.
#[derive(Debug)]
pub struct ChangeContext {
    /// The policies that Restraint would judge by.
    pub policies: Policies,
    /// Objects that stay as they are: who uses a ConfigMap is looked up here, too.
    pub others: Vec<Unstructured>,
    /// The time, by which approvals end; without it none counts.
    pub now: Option<Timestamp>,
    /// Whether objects that are on one side alone come and go; otherwise they only stand by.
    pub is_whole: bool,
}

impl Default for ChangeContext {
    fn default() -> Self {
        Self { policies: Policies::embedded(), others: Vec::new(), now: None, is_whole: true }
    }
}

/// An object before and after.
#[derive(Clone, Copy, Debug)]
struct Pair<'v> {
    old: &'v Unstructured,
    new: &'v Unstructured,
}

/// Who may use a ConfigMap or Secret.
struct Users<'v> {
    all: Vec<&'v Unstructured>,
    /// Those whose pods are replaced in the same change.
    rolled: Vec<&'v Unstructured>,
}

/// What comes of going from `old` to `new`, the gravest first. Of an object that is given twice the
/// last one counts, which is what stays when all are applied.
pub fn explain(
    old: &[Unstructured],
    new: &[Unstructured],
    context: &ChangeContext,
) -> Vec<Explanation> {
    let mut explanations = Vec::new();
    let (old, new) = (last_of_each(old), last_of_each(new));
    let (old, new) = (old.as_slice(), new.as_slice());
    let users: Vec<&Unstructured> = new
        .iter()
        .chain(old.iter().filter(|one| !has(new, one)))
        .copied()
        .chain(context.others.iter().filter(|one| !has(new, one) && !has(old, one)))
        .collect();
    let pairs = || {
        new.iter().filter_map(|new| {
            Some(Pair { old: old.iter().find(|old| old.is_same_object(new))?, new })
        })
    };
    let rolled: Vec<&Unstructured> =
        pairs().filter(|pair| rolls_out(*pair)).map(|pair| pair.new).collect();
    let users = Users { all: users, rolled };
    for new in new {
        match old.iter().find(|old| old.is_same_object(new)) {
            Some(old) => explanations.extend(between(Pair { old, new }, &users, context)),
            None if context.is_whole => explanations.push(presence::created(new)),
            None => {}
        }
    }
    let gone = old.iter().filter(|old| context.is_whole && !has(new, old));
    explanations.extend(gone.map(|old| presence::deleted(old, &users.all)));
    explanations.sort_by_key(|explanation| explanation.effect);
    explanations
}

fn last_of_each(objects: &[Unstructured]) -> Vec<&Unstructured> {
    let later = |index: usize| objects.iter().skip(index.saturating_add(1));
    let is_last =
        |index: usize, one: &Unstructured| !later(index).any(|other| other.is_same_object(one));
    objects
        .iter()
        .enumerate()
        .filter(|(index, one)| is_last(*index, one))
        .map(|(_, one)| one)
        .collect()
}

fn has(objects: &[&Unstructured], one: &Unstructured) -> bool {
    objects.iter().any(|other| other.is_same_object(one))
}

/// Whether the change replaces the pods of a workload.
fn rolls_out(pair: Pair<'_>) -> bool {
    let is_workload = pair.new.template().is_some_and(|place| place != TemplatePlace::Itself);
    let is_within =
        |difference: &Difference<'_>| template::within(pair.new, &difference.path).is_some();
    is_workload
        && template::rollout(pair).effect == Effect::PodRecreation
        && differences(pair.old.value(), pair.new.value()).iter().any(is_within)
}

/// What comes of each difference of one object.
fn between(pair: Pair<'_>, users: &Users<'_>, context: &ChangeContext) -> Vec<Explanation> {
    let found = differences(pair.old.value(), pair.new.value());
    let (resources, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(|difference| {
        pair.new.resource() == Resource::Pod && resize::is_resize(difference)
    });
    let mut explanations = Vec::new();
    for (difference, consequence) in resize::consequences(pair, &resources, context) {
        explanations.push(explanation(pair.new, difference, true, consequence));
    }
    for difference in &rest {
        let known = consequences(pair, difference, users);
        let is_known = known.is_some();
        let unknown = || {
            vec![Consequence::unknown(format!("what reads a {} is not known here", pair.new.kind))]
        };
        for consequence in known.unwrap_or_else(unknown) {
            explanations.push(explanation(pair.new, difference, is_known, consequence));
        }
    }
    explanations
}

/// What comes of one difference; `None` for kinds that nothing is known of.
fn consequences(
    pair: Pair<'_>,
    difference: &Difference<'_>,
    users: &Users<'_>,
) -> Option<Vec<Consequence>> {
    if difference.path.words().first() == Some(&"metadata") && pair.new.resource() != Resource::Pod
    {
        return Some(vec![other::metadata(pair)]);
    }
    let consequence = match pair.new.resource() {
        Resource::Pod => pod::consequence(pair, difference),
        Resource::Other
            if matches!(
                (pair.new.group.as_str(), pair.new.kind.as_str()),
                ("", "ConfigMap" | "Secret")
            ) =>
        {
            return Some(configuration::consequences(pair, difference, users));
        }
        Resource::Other | Resource::VerticalPodAutoscaler => other::consequence(pair, difference)?,
        _ => match template::within(pair.new, &difference.path) {
            Some(words) => template::consequence(pair, &words, difference),
            None => workload::consequence(pair, difference),
        },
    };
    Some(vec![consequence])
}

fn explanation(
    object: &Unstructured,
    difference: &Difference<'_>,
    is_known: bool,
    consequence: Consequence,
) -> Explanation {
    let Difference { path, from, to } = difference;
    let Consequence { container, effect, actor, why, remedy } = consequence;
    let container = container.or_else(|| path.container().map(|(_, name)| name.to_owned()));
    Explanation {
        object: object.to_string(),
        pointer: path.pointer(),
        container,
        from: shown(object, is_known, path, *from),
        to: shown(object, is_known, path, *to),
        effect,
        actor,
        why,
        remedy,
        field: path.to_string(),
    }
}

#[cfg(test)]
mod tests;
