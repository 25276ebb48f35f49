//! What a resize may have come to.

use serde_json::{Value, json};

use super::event::Event;
use super::memory::{Memory, State, place};
use super::resources::{is_as_asked, resized, same_resources, with_hidden_defaults, with_less};
use super::webhooks::{is_changed, is_changed_by_restraint, with_foreign_patches};
use super::world::{
    HIDDEN, NO_OBJECTS, NO_STATE, NOT_CLEAR, Why, World, body, doubted, generation, response, text,
    version, way, world,
};

const LESS: &str = "what the pod has since its last resize is not in the log";
const OPEN: &str = "another write to the pod came in, and its outcome is not in the log";
const NODE: &str = "whether the pod was on a node is not in the log";

/// The worlds of a resize.
pub(super) fn resize(event: &Event<'_>, memory: &Memory) -> Result<Vec<World>, Why> {
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
    is_of_the_pod(state, &new)?;
    let mut old = state.value().ok_or(NO_STATE)?;
    take_over(&mut old, &new);
    let asked = body(event).map(|body| resized(&old, &body, way(event), false)).unwrap_or_default();
    confirm(event, state, &old, &new, is_open)?;
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

/// Whether the state is of the pod of the answer, and of before.
fn is_of_the_pod(state: &State, new: &Value) -> Result<(), Why> {
    if !state.uid.is_empty() && *state.uid != *text(new, "/metadata/uid") {
        return Err("the earlier state in the log is of another pod of this name".into());
    }
    if state.version > version(new) && version(new) > 0 {
        return Err("the states of the pod in the log are out of order".into());
    }
    if state.is_asked {
        return Err("the log has what was asked for the pod, not what came of it".into());
    }
    Ok(())
}

/// Whether generation and managers say that nothing came between the state and the answer.
fn confirm(
    event: &Event<'_>,
    state: &State,
    old: &Value,
    new: &Value,
    is_open: bool,
) -> Result<(), Why> {
    let is_same = same_resources(old, new);
    match (state.generation, generation(new)) {
        (Some(before), Some(after)) if after == before && is_same => Ok(()),
        (Some(before), Some(after)) if after == before => {
            Err("the states of the pod in the log contradict each other".into())
        }
        (Some(before), Some(after)) if after == before.saturating_add(1) => {
            if is_same && !is_changed_by_restraint(event) {
                Err("the pod changed, and the log does not tell how".into())
            } else if is_open {
                Err(OPEN.into())
            } else if is_written_now(event, new) {
                Ok(())
            } else {
                Err("the pod changed before, and the log does not tell how".into())
            }
        }
        (Some(before), Some(after)) => Err(format!(
            "the pod changed unseen: from generation {before} to {after} by one resize"
        )),
        (None, Some(_)) if !state.uid.is_empty() => {
            Err("the log does not have every change of the pod whole".into())
        }
        _ => Ok(()),
    }
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
