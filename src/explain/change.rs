//! What comes of a change, difference by difference: a pure function of the objects before and
//! after.

mod config_findings;
mod configuration;
mod fault;
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

use super::apply;
use super::difference::{Difference, differences};
use super::effect::{Consequence, Effect, Explanation};
use super::redact::shown;
use super::schema::Shape;
use super::stored::{Stored, complete};
pub use config_findings::ConfigFinding;

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
        Self {
            policies: Policies::embedded().with_whole_messages(),
            others: Vec::new(),
            now: None,
            is_whole: true,
        }
    }
}

/// An object before and after, as it is stored.
#[derive(Clone, Copy, Debug)]
struct Pair<'v> {
    old: &'v Unstructured,
    new: &'v Unstructured,
    shape: &'v Shape,
}

/// Both sides of an object that is there before and after.
struct Change {
    old: Stored,
    new: Stored,
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
    let sides = Sides::of(old, new, context);
    let users = sides.users();
    let mut explanations = Vec::new();
    for change in &sides.changes {
        explanations.extend(between(change, &users, context));
    }
    for made in &sides.made {
        explanations.push(presence::created(made));
        explanations.extend(fault::all(&Stored::of(made), None, &[]));
    }
    explanations.extend(sides.gone.iter().map(|gone| presence::deleted(gone, &users.all)));
    explanations.sort_by_key(|explanation| explanation.effect);
    explanations
}

/// What the rules about changes of configuration say of going from `old` to `new`, by the code that
/// says it where a ConfigMap is written.
pub fn config_findings(
    old: &[Unstructured],
    new: &[Unstructured],
    context: &ChangeContext,
) -> Vec<ConfigFinding> {
    let sides = Sides::of(old, new, context);
    let users = config_findings::users(&sides);
    let changed = sides.changes.iter().map(|change| {
        let Pair { old, new, .. } = change.pair();
        (Some(old), Some(new))
    });
    let made = sides.made.iter().map(|made| (None, Some(*made)));
    let gone = sides.gone.iter().map(|gone| (Some(*gone), None));
    changed
        .chain(made)
        .chain(gone)
        .flat_map(|(old, new)| config_findings::of(old, new, &users))
        .collect()
}

/// What there is before and after.
struct Sides<'v> {
    /// What is there on both sides.
    changes: Vec<Change>,
    /// What comes.
    made: Vec<&'v Unstructured>,
    /// What goes.
    gone: Vec<&'v Unstructured>,
    /// Everything, as it is afterwards where it is there then.
    all: Vec<&'v Unstructured>,
}

impl<'v> Sides<'v> {
    fn of(old: &'v [Unstructured], new: &'v [Unstructured], context: &'v ChangeContext) -> Self {
        let (old, new) = (last_of_each(old), last_of_each(new));
        let (old, new) = (old.as_slice(), new.as_slice());
        let all = new
            .iter()
            .chain(old.iter().filter(|one| !has(new, one)))
            .copied()
            .chain(context.others.iter().filter(|one| !has(new, one) && !has(old, one)))
            .collect();
        let pair = |new: &&Unstructured| {
            let old = old.iter().find(|old| old.is_same_object(new))?;
            Some(Change::of(old, new))
        };
        let alone = |here: &[&'v Unstructured], there: &[&'v Unstructured]| {
            let alone = here.iter().filter(|one| context.is_whole && !has(there, one));
            alone.copied().collect()
        };
        Self {
            changes: new.iter().filter_map(pair).collect(),
            made: alone(new, old),
            gone: alone(old, new),
            all,
        }
    }

    fn users(&self) -> Users<'_> {
        let pairs = self.changes.iter().map(Change::pair);
        let rolled = pairs.filter(|pair| rolls_out(*pair)).map(|pair| pair.new).collect();
        Users { all: self.all.clone(), rolled }
    }
}

impl Change {
    /// Of two files, the new one is applied after the old one: what neither says stays as the API
    /// server filled it in. What others put into an object, once it was sent, is in both or in none.
    fn of(old: &Unstructured, new: &Unstructured) -> Self {
        let side = |one: &Unstructured, other: &Unstructured| {
            Stored::of(complete(one, other).as_ref().unwrap_or(one))
        };
        let before = side(old, new);
        if old.value() == new.value() {
            return Self { new: before.clone(), old: before };
        }
        let after = if old.is_read() || new.is_read() {
            side(new, old)
        } else {
            Stored::of(&apply::after(&before.object, new, Some(old)))
        };
        Self { old: before, new: after }
    }

    fn pair(&self) -> Pair<'_> {
        Pair { old: &self.old.object, new: &self.new.object, shape: &self.new.shape }
    }

    /// What differs, but for places of which the API server makes nothing.
    fn differences(&self) -> Vec<Difference<'_>> {
        let mut found = self.pair().differences();
        found.retain(|one| !self.new.faults.iter().any(|fault| fault.path.leads_to(&one.path)));
        found
    }
}

impl<'v> Pair<'v> {
    fn differences(self) -> Vec<Difference<'v>> {
        differences(self.shape, self.old.value(), self.new.value())
    }
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
        && pair.differences().iter().any(is_within)
}

/// What comes of each difference of one object.
fn between(change: &Change, users: &Users<'_>, context: &ChangeContext) -> Vec<Explanation> {
    let pair = change.pair();
    let found = change.differences();
    // with the rest of the file, what was wrong before is refused again
    let known = if found.is_empty() { change.old.faults.as_slice() } else { &[] };
    let mut explanations = fault::all(&change.new, Some(&change.old), known);
    let (resources, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(|difference| {
        pair.new.resource() == Resource::Pod && resize::is_resize(difference)
    });
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
        Resource::ConfigMap | Resource::Secret => {
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
