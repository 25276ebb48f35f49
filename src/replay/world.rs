//! What a request may have come to: one world where the log tells everything, more where it leaves
//! something open, and a reason where it leaves too much open.

use serde_json::Value;

use super::event::Event;
use super::resources::Way;

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

pub(super) const NO_OBJECTS: &str = "the log has no objects of this request";
pub(super) const NO_STATE: &str = "no earlier state of the object in the log";
pub(super) const HIDDEN: &str = "what a LimitRange may have added is not in the log";
pub(super) const NOT_CLEAR: &str = "the type of the patch is not in the log, and it matters";

pub(super) fn world(object: Value, old: Option<Value>) -> World {
    World { object, old, doubt: "" }
}

fn json_of(raw: crate::json::Raw<'_>) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

pub(super) fn body(event: &Event<'_>) -> Option<Value> {
    event.request_object.and_then(json_of)
}

/// The object in the answer, where the log has it.
pub(super) fn response(event: &Event<'_>) -> Option<Value> {
    event.response_of(event.resource().kind()).and_then(json_of)
}

pub(super) fn way(event: &Event<'_>) -> Way {
    match &*event.verb {
        "update" => Way::Put,
        _ if event.is_apply() => Way::Apply,
        _ => Way::Patch,
    }
}

pub(super) fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn generation(object: &Value) -> Option<i64> {
    object.pointer("/metadata/generation").and_then(Value::as_i64)
}

pub(super) fn version(object: &Value) -> u64 {
    text(object, "/metadata/resourceVersion").parse().unwrap_or_default()
}

pub(super) fn doubted(worlds: impl Iterator<Item = World>, doubt: &'static str) -> Vec<World> {
    worlds
        .enumerate()
        .map(|(index, world)| World { doubt: if index == 0 { "" } else { doubt }, ..world })
        .collect()
}
