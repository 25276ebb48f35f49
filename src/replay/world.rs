//! What a request may have come to: one world where the log tells everything, more where it leaves
//! something open, and a reason where it leaves too much open.

use serde_json::{Value, json};

use crate::judge::subject::{Operation, Resource};

use super::event::Event;
use super::memory::{Memory, State, place};
use super::patch::patched;
use super::resources::{
    Way, default_requests, is_as_asked, resized, same_resources, with_hidden_defaults, with_less,
    with_limit_range,
};
use super::webhooks::{is_changed, is_changed_by_restraint, with_foreign_patches};

/// One state of things before and after a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct World {
    /// The object as it would be stored.
    pub(super) object: Value,
    /// The object as it is stored.
    pub(super) old: Option<Value>,
    /// What is not in the log, if this is not the only world.
    pub(super) doubt: &'static str,
}

/// Why nothing can be told.
pub(super) type Why = String;

const NO_OBJECTS: &str = "the log has no objects of this request";
const NO_STATE: &str = "no earlier state of the object in the log";
const HIDDEN: &str = "what a LimitRange may have added is not in the log";
const LESS: &str = "what the pod has since its last resize is not in the log";
const OPEN: &str = "another write to the pod came in, and its outcome is not in the log";
const NODE: &str = "whether the pod was on a node is not in the log";
const NOT_CLEAR: &str = "the type of the patch is not in the log, and it matters";

/// The worlds of a write of an object that is judged.
pub(super) fn worlds(event: &Event<'_>, memory: &Memory) -> Result<Vec<World>, Why> {
    match (event.resource(), event.operation()) {
        (Resource::PodResize, _) => resize(event, memory),
        (Resource::PodBinding | Resource::Binding, _) => {
            Ok(vec![world(body(event).ok_or(NO_OBJECTS)?, None)])
        }
        (Resource::PodStatus, _) => status(event, memory),
        (_, Operation::Create) => creation(event),
        _ => update(event, memory),
    }
}

fn world(object: Value, old: Option<Value>) -> World {
    World { object, old, doubt: "" }
}

fn json_of(raw: crate::json::Raw<'_>) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

fn body(event: &Event<'_>) -> Option<Value> {
    event.request_object.and_then(json_of)
}

/// The object in the answer, where the log has it.
pub(super) fn response(event: &Event<'_>) -> Option<Value> {
    event.response_of(event.resource().kind()).and_then(json_of)
}

fn way(event: &Event<'_>) -> Way {
    match &*event.verb {
        "update" => Way::Put,
        _ if event.is_apply() => Way::Apply,
        _ => Way::Patch,
    }
}

fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn generation(object: &Value) -> Option<i64> {
    object.pointer("/metadata/generation").and_then(Value::as_i64)
}

fn version(object: &Value) -> u64 {
    text(object, "/metadata/resourceVersion").parse().unwrap_or_default()
}

fn resize(event: &Event<'_>, memory: &Memory) -> Result<Vec<World>, Why> {
    let place = place("pods", event.namespace(), event.name());
    let state = memory.state(&place);
    if let Some(new) = response(event) {
        return answered_resize(event, new, state, memory.is_open(&place));
    }
    let body = body(event).ok_or(NO_OBJECTS)?;
    let state =
        state.filter(|state| !state.is_doubtful).ok_or("no earlier state of the pod in the log")?;
    if memory.is_open(&place) {
        return Err(OPEN.into());
    }
    let old = state.whole().ok_or(NO_STATE)?;
    let answers = resized(&old, &body, way(event), state.is_asked);
    let mut worlds = Vec::new();
    for new in answers {
        let new = with_foreign_patches(event, new)?;
        let doubt = if worlds.is_empty() { "" } else { NOT_CLEAR };
        worlds.push(World { object: new.clone(), old: Some(old.clone()), doubt });
        if state.is_asked {
            let hidden = with_hidden_defaults(&old, &new).into_iter();
            worlds.extend(hidden.map(|old| World {
                object: new.clone(),
                old: Some(old),
                doubt: HIDDEN,
            }));
        }
        if state.is_unsettled {
            worlds.push(World { old: Some(with_less(&old, &new)), object: new, doubt: LESS });
        }
    }
    if worlds.is_empty() {
        return Err("the patch does not fit the pod that the log shows".into());
    }
    if text(&old, "/spec/nodeName").is_empty() {
        // to be bound to a node is another request, which need not be in the log
        let bound: Vec<_> = worlds.iter().cloned().map(on_a_node).collect();
        worlds.extend(bound);
    }
    Ok(worlds)
}

/// The same with a pod that is on a node.
fn on_a_node(world: World) -> World {
    let bound = |mut pod: Value| {
        if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
            spec.entry("nodeName").or_insert_with(|| json!("node"));
        }
        pod
    };
    let doubt = if world.doubt.is_empty() { NODE } else { world.doubt };
    World { object: bound(world.object), old: world.old.map(bound), doubt }
}

/// A resize whose answer is in the log. It has all of the pod that a resize cannot change: status,
/// annotations and the rest of the spec are those of before. Only the resources of before come from
/// an earlier state, which its uid and generation confirm.
fn answered_resize(
    event: &Event<'_>,
    new: Value,
    state: Option<&State>,
    is_open: bool,
) -> Result<Vec<World>, Why> {
    let Some(state) = state else {
        // whatever changes the spec makes a new generation
        return if generation(&new) == Some(1) {
            Ok(vec![world(new.clone(), Some(new))])
        } else {
            Err("no earlier state of the pod in the log".into())
        };
    };
    if !state.uid.is_empty() && *state.uid != *text(&new, "/metadata/uid") {
        return Err("the earlier state in the log is of another pod of this name".into());
    }
    if state.version > version(&new) && version(&new) > 0 {
        return Err("the states of the pod in the log are out of order".into());
    }
    if state.is_asked {
        return Err("the log has what was asked for the pod, not what came of it".into());
    }
    let mut old = state.value().ok_or(NO_STATE)?;
    take_over(&mut old, &new);
    let asked = body(event).map(|body| resized(&old, &body, way(event), false)).unwrap_or_default();
    match (state.generation, generation(&new)) {
        (Some(before), Some(after)) if after == before => {
            if !same_resources(&old, &new) {
                return Err("the states of the pod in the log contradict each other".into());
            }
        }
        (Some(before), Some(after)) if after == before.saturating_add(1) => {
            if same_resources(&old, &new) && !is_changed_by_restraint(event) {
                return Err("the pod changed, and the log does not tell how".into());
            }
            if is_open {
                return Err(OPEN.into());
            }
            if !is_written_now(event, &new) {
                return Err("the pod changed before, and the log does not tell how".into());
            }
        }
        (Some(before), Some(after)) => {
            return Err(format!(
                "the pod changed unseen: from generation {before} to {after} by one resize"
            ));
        }
        (None, Some(_)) if !state.uid.is_empty() => {
            return Err("the log does not have every change of the pod whole".into());
        }
        _ => {}
    }
    let fits = asked.is_empty() || asked.iter().any(|asked| is_as_asked(&old, &new, asked));
    if !fits && !is_changed(event) {
        return Err("more of the pod changed than was asked for".into());
    }
    if is_changed_by_restraint(event) {
        // what was put back then is asked for again
        return match asked.as_slice() {
            [] => Err("the patch does not fit the pod that the log shows".into()),
            _ => Ok(doubted(asked.into_iter().map(|new| world(new, Some(old.clone()))), NOT_CLEAR)),
        };
    }
    Ok(vec![world(new, Some(old))])
}

fn doubted(worlds: impl Iterator<Item = World>, doubt: &'static str) -> Vec<World> {
    worlds
        .enumerate()
        .map(|(index, world)| World { doubt: if index == 0 { "" } else { doubt }, ..world })
        .collect()
}

/// Takes what a resize cannot change from the pod after it.
fn take_over(old: &mut Value, new: &Value) {
    for (parent, field) in [
        ("/metadata", "annotations"),
        ("/metadata", "labels"),
        ("/spec", "nodeName"),
        ("", "status"),
    ] {
        let value = new.pointer(&format!("{parent}/{field}")).cloned();
        let Some(fields) = old.pointer_mut(parent).and_then(Value::as_object_mut) else { continue };
        match value {
            Some(value) => drop(fields.insert(field.to_owned(), value)),
            None => drop(fields.remove(field)),
        }
    }
}

/// Whether the fields that a manager set by a resize were set now. A resize that changes nothing
/// leaves them as an earlier one did, of which the log may not tell.
fn is_written_now(event: &Event<'_>, new: &Value) -> bool {
    let entries = new.pointer("/metadata/managedFields").and_then(Value::as_array);
    let (Some(entries), Some(from), Some(to)) = (entries, event.received(), event.written()) else {
        return true;
    };
    // times in objects are in whole seconds
    let (from, to) = (from.as_second().saturating_sub(1), to.as_second().saturating_add(1));
    let mut resizes =
        entries.iter().filter(|entry| text(entry, "/subresource") == "resize").peekable();
    let manager = event.field_manager();
    let is_now = |entry: &Value| {
        let time: Option<jiff::Timestamp> = text(entry, "/time").parse().ok();
        manager.is_none_or(|manager| text(entry, "/manager") == manager)
            && time.is_none_or(|time| (from..=to).contains(&time.as_second()))
    };
    resizes.peek().is_none() || resizes.any(is_now)
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
    let Some(fields) = patch.as_object() else { return false };
    let is_read = |annotations: &Value| annotations != &Value::Null && !is_plain(annotations);
    let metadata = fields.get("metadata");
    let reads = metadata.and_then(|metadata| metadata.get("annotations")).is_some_and(is_read);
    let kept = ["metadata", "status", "kind", "apiVersion"];
    fields.keys().all(|field| kept.contains(&field.as_str())) && !reads
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
