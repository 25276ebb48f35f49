//! What a write of an object may have come to.

use serde_json::{Value, json};

use crate::judge::subject::{Operation, Resource};

use super::event::Event;
use super::memory::{Memory, State, place};
use super::patch::patched;
use super::resize::resize;
use super::resources::{Way, default_requests, with_limit_range};
use super::webhooks::{is_changed_by_restraint, with_foreign_patches};
use super::world::{
    HIDDEN, NO_OBJECTS, NO_STATE, NOT_CLEAR, Why, World, body, doubted, generation, response, text,
    version, way, world,
};

/// The worlds of a write of an object that is judged.
pub(super) fn worlds(event: &Event<'_>, memory: &Memory) -> Result<Vec<World>, Why> {
    match (event.resource(), event.operation()) {
        (Resource::PodResize, _) => resize(event, memory),
        (Resource::PodStatus, _) => status(event, memory),
        (_, Operation::Create) => creation(event),
        _ => update(event, memory),
    }
}

fn creation(event: &Event<'_>) -> Result<Vec<World>, Why> {
    if let Some(mut object) = response(event) {
        if is_changed_by_restraint(event) {
            let asked = body(event).ok_or(NO_OBJECTS)?;
            take_back_policies(&mut object, &asked);
        }
        return Ok(vec![world(object, None)]);
    }
    let mut object = body(event).ok_or(NO_OBJECTS)?;
    if event.resource() != Resource::Pod {
        return Ok(vec![world(object, None)]);
    }
    default_requests(&mut object);
    let object = with_foreign_patches(event, object)?;
    let filled = with_limit_range(&object).into_iter();
    let mut worlds = vec![world(object, None)];
    worlds.extend(filled.map(|object| World { object, old: None, doubt: HIDDEN }));
    Ok(worlds)
}

/// Takes back what Restraint itself wrote into a new pod.
fn take_back_policies(object: &mut Value, asked: &Value) {
    for list in ["containers", "initContainers"] {
        let path = format!("/spec/{list}");
        let asked = asked.pointer(&path).and_then(Value::as_array);
        let made = object.pointer_mut(&path).and_then(Value::as_array_mut);
        for container in made.into_iter().flatten().filter_map(Value::as_object_mut) {
            let same = |one: &&Value| one.get("name") == container.get("name");
            let asked = asked.into_iter().flatten().find(same);
            match asked.and_then(|one| one.get("resizePolicy")).cloned() {
                Some(policy) => drop(container.insert("resizePolicy".to_owned(), policy)),
                None => drop(container.remove("resizePolicy")),
            }
        }
    }
}

/// A write of annotations through the status: nothing else of it is judged.
fn status(event: &Event<'_>, memory: &Memory) -> Result<Vec<World>, Why> {
    let state = memory.state(&place("pods", event.namespace(), event.name()));
    let old = state.filter(|state| !state.is_doubtful).and_then(State::whole);
    let new = match (response(event), body(event)) {
        (Some(new), _) => new,
        (None, Some(body)) => body,
        _ => return Err(NO_OBJECTS.into()),
    };
    Ok(known_or_not(new, old))
}

fn update(event: &Event<'_>, memory: &Memory) -> Result<Vec<World>, Why> {
    let state = memory.state(&place(event.plural(), event.namespace(), event.name()));
    let asked = body(event);
    if let Some(new) = response(event).filter(|_| !is_changed_by_restraint(event)) {
        let is_old = |state: &&State| {
            let same = state.uid.is_empty() || *state.uid == *text(&new, "/metadata/uid");
            let follows = match (state.generation, generation(&new)) {
                (Some(before), Some(after)) => (before..=before.saturating_add(1)).contains(&after),
                _ => true,
            };
            same && follows
                && !state.is_asked
                && !state.is_doubtful
                && state.version <= version(&new).max(1)
        };
        let old = state.filter(is_old).and_then(State::whole);
        if old.is_none() && asked.as_ref().is_some_and(is_harmless) && &*event.verb == "patch" {
            return Ok(vec![world(new.clone(), Some(new))]);
        }
        return Ok(known_or_not(new, old));
    }
    let asked = asked.ok_or(NO_OBJECTS)?;
    let old = state.filter(|state| !state.is_doubtful).and_then(State::whole);
    if way(event) == Way::Put {
        return Ok(known_or_not(with_foreign_patches(event, asked)?, old));
    }
    if is_harmless(&asked) {
        let any = old.unwrap_or_else(empty);
        return Ok(vec![world(any.clone(), Some(any))]);
    }
    let old = old.ok_or(NO_STATE)?;
    let answers = patched(&old, &asked, event.is_apply());
    if answers.is_empty() {
        return Err("the patch does not fit the object that the log shows".into());
    }
    let answers: Result<Vec<_>, _> =
        answers.into_iter().map(|new| with_foreign_patches(event, new)).collect();
    Ok(doubted(answers?.into_iter().map(|new| world(new, Some(old.clone()))), NOT_CLEAR))
}

/// The worlds of an update: the object before is this one, or may be any.
fn known_or_not(new: Value, old: Option<Value>) -> Vec<World> {
    match old {
        Some(old) => vec![world(new, Some(old))],
        None => vec![
            world(new.clone(), Some(new.clone())),
            World { object: new, old: Some(empty()), doubt: NO_STATE },
        ],
    }
}

fn empty() -> Value {
    json!({"metadata": {}, "spec": {}})
}

/// Whether a patch changes nothing that the hooks ask about: no spec, and no annotation that
/// Reloader or an approval reads.
fn is_harmless(patch: &Value) -> bool {
    if let Some(operations) = patch.as_array() {
        return operations.iter().all(is_harmless_operation);
    }
    let Some(fields) = patch.as_object() else { return false };
    let is_read = |annotations: &Value| annotations != &Value::Null && !is_plain(annotations);
    let metadata = fields.get("metadata");
    let reads = metadata.and_then(|metadata| metadata.get("annotations")).is_some_and(is_read);
    let kept = ["metadata", "status", "kind", "apiVersion"];
    fields.keys().all(|field| kept.contains(&field.as_str())) && !reads
}

/// The same for an operation of a JSON patch.
fn is_harmless_operation(operation: &Value) -> bool {
    const HARMLESS: [&str; 4] =
        ["/status", "/metadata/labels", "/metadata/finalizers", "/metadata/ownerReferences"];
    let path = text(operation, "/path");
    let is_within = |place: &&str| {
        path.strip_prefix(*place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    text(operation, "/op") == "test" || HARMLESS.iter().any(is_within)
}

/// Whether annotations are none of those that are read. Which annotation grants a policy says, so
/// only what is well known counts as plain.
fn is_plain(annotations: &Value) -> bool {
    const PLAIN: [&str; 4] = [
        "kubectl.kubernetes.io/",
        "deployment.kubernetes.io/",
        "kubernetes.io/",
        "cni.projectcalico.org/",
    ];
    annotations.as_object().is_some_and(|annotations| {
        annotations.keys().all(|key| PLAIN.iter().any(|prefix| key.starts_with(prefix)))
    })
}
