//! Resources of a live pod: a resize in place, through `pods/resize` (KEP-1287, KEP-5419).

mod in_force;
mod kubelet;
mod node;
mod refusal;
mod verdict;

use serde_json::{Map, Value, json};

use crate::explain::difference::{Difference, Step};
use crate::explain::effect::{Consequence, Effect};
use crate::kube::quantity::Quantity;
use crate::manifest::decode::Malformed;
use crate::manifest::unstructured::Unstructured;

use self::in_force::Standing;
use self::verdict::About;
use super::{ChangeContext, Pair};

/// Whether the difference is one of resources, of a container that is there on both sides or of the
/// pod itself.
pub(super) fn is_resize(difference: &Difference<'_>) -> bool {
    let words = difference.path.words();
    matches!(
        words.as_slice(),
        ["spec", "resources", ..] | ["spec", "containers" | "initContainers", "*", "resources", ..]
    )
}

/// What comes of each of `differences`, which are one resize: it happens as a whole or not at all.
pub(super) fn consequences<'d, 'v>(
    pair: Pair<'_>,
    differences: &'d [Difference<'v>],
    context: &ChangeContext,
) -> Vec<(&'d Difference<'v>, Consequence)> {
    if differences.is_empty() {
        return Vec::new();
    }
    let resized = resized(pair);
    let refusals = refusal::all(pair.old, &resized, differences, &context.others);
    if let Some(first) = refusals.iter().flatten().next() {
        return differences
            .iter()
            .zip(&refusals)
            .map(|(difference, own)| (difference, refused(own.as_deref(), first)))
            .collect();
    }
    let command = command(&resized, differences);
    let standing = Standing::of(pair.old);
    // the kubelet goes by what is in force, not by what was asked for in vain
    let before = standing.as_ref().map_or_else(|| pair.old.clone(), |one| one.in_force(pair.old));
    let (old_object, object, before_object) =
        match (pair.old.decode(), resized.decode(), before.decode()) {
            (Ok(old_object), Ok(object), Ok(before_object)) => (old_object, object, before_object),
            (Err(fault), ..) | (_, Err(fault), _) | (.., Err(fault)) => {
                let consequence = unreadable(&fault);
                return differences.iter().map(|one| (one, consequence.clone())).collect();
            }
        };
    let specs = (before_object.spec, object.spec.clone());
    let verdict = verdict::of(pair.old, old_object, object, context);
    let together = verdict.allowed();
    let explain = |difference: &'d Difference<'v>| {
        let mut consequence =
            kubelet::consequence(&before, &resized, (&specs.0, &specs.1), difference);
        if let Some(standing) = &standing {
            hold(standing, difference, differences, &mut consequence);
        }
        consequence.remedy.clone_from(&command);
        consequence.why.push_str("; a plain `kubectl apply` or `edit` of it is refused (422)");
        let mine = verdict::about(&verdict, difference);
        (difference, judged(consequence, mine, together))
    };
    differences.iter().map(explain).collect()
}

/// What Restraint's own answer makes of the consequence; `together` where it lets all of it through.
fn judged(mut consequence: Consequence, mine: About, together: bool) -> Consequence {
    if let Some((message, remedy)) = mine.denial {
        consequence = Consequence::new(
            Effect::Denied,
            "Restraint",
            format!("{message}; once it is let through: {}", consequence.why),
            remedy,
        );
    } else if !together {
        consequence.why = format!(
            "with the rest of the resize it is denied by Restraint; on its own: {}",
            consequence.why
        );
    }
    for note in mine.warnings.into_iter().chain(mine.approvals) {
        consequence.why = format!("{}; {note}", consequence.why);
    }
    consequence
}

/// What an earlier resize that is not carried out makes of the consequence.
fn hold(
    standing: &Standing,
    difference: &Difference<'_>,
    all: &[Difference<'_>],
    consequence: &mut Consequence,
) {
    if let Some(why) = standing.put_back(difference) {
        *consequence = Consequence::nothing("kubelet", why);
    } else if let Some(why) = standing.waits(difference, all) {
        consequence.why = format!("{why}; then: {}", consequence.why);
    }
}

/// Whether both texts are the same amount.
fn same(one: &str, other: &str) -> bool {
    let read = |text: &str| Quantity::parse(text.to_owned()).ok();
    read(one).is_some_and(|one| read(other).is_some_and(|other| one == other))
}

/// Nothing can be told of a pod that Restraint cannot read.
fn unreadable(fault: &Malformed) -> Consequence {
    Consequence::new(
        Effect::Unknown,
        "Restraint",
        format!(
            "the pod cannot be judged, so what would be answered is not known: {}",
            fault.message
        ),
        "correct this field first",
    )
}

fn refused(own: Option<&str>, first: &str) -> Consequence {
    let why = own.map_or_else(
        || format!("a resize happens as a whole or not at all, and this one is refused: {first}"),
        str::to_owned,
    );
    Consequence::refused(
        why,
        "leave it out of the resize, or change the template or manifest and have the pod replaced",
    )
}

/// The pod as a resize leaves it: the old one with the new resources.
fn resized(pair: Pair<'_>) -> Unstructured {
    let mut value = pair.old.value().clone();
    let new = pair.new.value();
    if let Some(spec) = value.get_mut("spec").and_then(Value::as_object_mut) {
        put(spec, new.pointer("/spec/resources"));
        for list in ["containers", "initContainers"] {
            let olds = spec
                .get_mut(list)
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
                .filter_map(Value::as_object_mut);
            for old in olds {
                let news = new.pointer("/spec").and_then(|spec| spec.get(list)?.as_array());
                let same =
                    |new: &&Value| new.get("name").is_some() && new.get("name") == old.get("name");
                if let Some(new) = news.into_iter().flatten().find(same) {
                    put(old, new.get("resources"));
                }
            }
        }
    }
    pair.old.with(value)
}

fn put(holder: &mut Map<String, Value>, resources: Option<&Value>) {
    match resources {
        Some(resources) => drop(holder.insert("resources".to_owned(), resources.clone())),
        None => drop(holder.remove("resources")),
    }
}

/// The command that does the whole of it.
fn command(pod: &Unstructured, differences: &[Difference<'_>]) -> String {
    let mut patch = json!({});
    for difference in differences {
        let mut place = &mut patch;
        for step in difference.path.steps() {
            place = match step {
                Step::Field(name) => child(place, name),
                Step::Item(name, _) => item(place, name),
            };
        }
        *place = difference.to.cloned().unwrap_or(Value::Null);
    }
    let command = format!(
        "kubectl patch pod {} -n {} --subresource resize --patch '{patch}'",
        pod.name, pod.namespace
    );
    // names that no object can have are not for a shell
    let is_plain = |name: &str| {
        name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.'))
    };
    let fits = is_plain(&pod.name) && is_plain(&pod.namespace) && !patch.to_string().contains('\'');
    if fits { command } else { "resize it through `kubectl patch --subresource resize`".to_owned() }
}

fn child<'v>(place: &'v mut Value, name: &str) -> &'v mut Value {
    if !place.is_object() {
        *place = json!({});
    }
    match place {
        Value::Object(fields) => fields.entry(name).or_insert(Value::Null),
        other => other,
    }
}

fn item<'v>(place: &'v mut Value, name: &str) -> &'v mut Value {
    if !place.is_array() {
        *place = json!([]);
    }
    let Value::Array(items) = place else { return place };
    let index = items
        .iter()
        .position(|item| item.get("name").and_then(Value::as_str) == Some(name))
        .unwrap_or_else(|| {
            items.push(json!({"name": name}));
            items.len().saturating_sub(1)
        });
    // the place was found or made just now
    #[expect(clippy::indexing_slicing, reason = "index is that of an item")]
    &mut items[index]
}

#[cfg(test)]
mod tests;
