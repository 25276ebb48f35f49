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
use crate::manifest::object::Document;

use super::difference::{Difference, differences};
use super::effect::{Effect, Explanation, Outcome};
use super::redact::shown;

/// What is known beside the objects that change.
#[derive(Debug)]
pub struct Surroundings {
    /// The policies that Restraint would judge by.
    pub policies: Policies,
    /// Objects that stay as they are: who uses a ConfigMap is looked up here, too.
    pub others: Vec<Document>,
    /// The time, by which approvals end; without it none counts.
    pub now: Option<Timestamp>,
    /// Whether objects that are on one side alone come and go; otherwise they only stand by.
    pub is_whole: bool,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { policies: Policies::embedded(), others: Vec::new(), now: None, is_whole: true }
    }
}

/// An object before and after.
#[derive(Clone, Copy, Debug)]
struct Pair<'v> {
    old: &'v Document,
    new: &'v Document,
}

/// Who may use a ConfigMap or Secret.
struct Users<'v> {
    all: Vec<&'v Document>,
    /// Those whose pods are replaced in the same change.
    rolled: Vec<&'v Document>,
}

/// An outcome, and the container it is about where the difference does not say.
struct Told {
    container: Option<String>,
    outcome: Outcome,
}

impl From<Outcome> for Told {
    fn from(outcome: Outcome) -> Self {
        Self { container: None, outcome }
    }
}

/// What comes of going from `old` to `new`, the gravest first.
pub fn explain(
    old: &[Document],
    new: &[Document],
    surroundings: &Surroundings,
) -> Vec<Explanation> {
    let mut explanations = Vec::new();
    let users: Vec<&Document> = new
        .iter()
        .chain(old.iter().filter(|one| !new.iter().any(|other| other.is_same_object(one))))
        .chain(
            surroundings
                .others
                .iter()
                .filter(|one| !new.iter().chain(old).any(|other| other.is_same_object(one))),
        )
        .collect();
    let pairs = || {
        new.iter().filter_map(|new| {
            Some(Pair { old: old.iter().find(|old| old.is_same_object(new))?, new })
        })
    };
    let rolled: Vec<&Document> =
        pairs().filter(|pair| rolls_out(*pair)).map(|pair| pair.new).collect();
    let users = Users { all: users, rolled };
    for new in new {
        match old.iter().find(|old| old.is_same_object(new)) {
            Some(old) => explanations.extend(between(Pair { old, new }, &users, surroundings)),
            None if surroundings.is_whole => explanations.push(presence::created(new)),
            None => {}
        }
    }
    let gone = old
        .iter()
        .filter(|old| surroundings.is_whole && !new.iter().any(|new| new.is_same_object(old)));
    explanations.extend(gone.map(|old| presence::deleted(old, &users.all)));
    explanations.sort_by_key(|explanation| explanation.effect);
    explanations
}

/// Whether the change replaces the pods of a workload.
fn rolls_out(pair: Pair<'_>) -> bool {
    let is_workload = pair.new.template().is_some_and(|template| !template.is_empty());
    let is_within =
        |difference: &Difference<'_>| template::within(pair.new, &difference.path).is_some();
    is_workload
        && template::rollout(pair).effect == Effect::PodRecreation
        && differences(&pair.old.value, &pair.new.value).iter().any(is_within)
}

/// What comes of each difference of one object.
fn between(pair: Pair<'_>, users: &Users<'_>, surroundings: &Surroundings) -> Vec<Explanation> {
    let found = differences(&pair.old.value, &pair.new.value);
    let (resources, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(|difference| {
        pair.new.resource() == Resource::Pod && resize::is_resize(difference)
    });
    let mut explanations = Vec::new();
    for (difference, outcome) in resize::outcomes(pair, &resources, surroundings) {
        explanations.push(explanation(pair.new, difference, true, outcome.into()));
    }
    for difference in &rest {
        let told = tell(pair, difference, users);
        let is_known = told.is_some();
        let unknown = || {
            vec![
                Outcome::unknown(format!("what reads a {} is not known here", pair.new.kind))
                    .into(),
            ]
        };
        for told in told.unwrap_or_else(unknown) {
            explanations.push(explanation(pair.new, difference, is_known, told));
        }
    }
    explanations
}

/// What comes of one difference; `None` for kinds that nothing is known of.
fn tell(pair: Pair<'_>, difference: &Difference<'_>, users: &Users<'_>) -> Option<Vec<Told>> {
    if difference.path.words().first() == Some(&"metadata") && pair.new.resource() != Resource::Pod
    {
        return Some(vec![other::metadata(pair).into()]);
    }
    let outcome = match pair.new.resource() {
        Resource::Pod => pod::outcome(pair, difference),
        Resource::Other
            if matches!(
                (pair.new.group.as_str(), pair.new.kind.as_str()),
                ("", "ConfigMap" | "Secret")
            ) =>
        {
            return Some(configuration::outcomes(pair, difference, users));
        }
        Resource::Other | Resource::VerticalPodAutoscaler => other::outcome(pair, difference)?,
        _ => match template::within(pair.new, &difference.path) {
            Some(words) => template::outcome(pair, &words, difference),
            None => workload::outcome(pair, difference),
        },
    };
    Some(vec![outcome.into()])
}

fn explanation(
    document: &Document,
    difference: &Difference<'_>,
    is_known: bool,
    told: Told,
) -> Explanation {
    let Difference { path, from, to } = difference;
    let container = told.container.or_else(|| path.container().map(|(_, name)| name.to_owned()));
    let Outcome { effect, actor, why, remedy } = told.outcome;
    Explanation {
        object: document.to_string(),
        pointer: path.pointer(),
        container,
        from: shown(document, is_known, path, *from),
        to: shown(document, is_known, path, *to),
        effect,
        actor,
        why,
        remedy,
        field: path.to_string(),
    }
}

#[cfg(test)]
mod tests;
