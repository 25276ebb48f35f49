//! A change of an object, and how changes are written.

use serde_json::{Map, Value};

/// What is changed, the object before, and the change.
pub(super) struct Case(
    pub(super) &'static str,
    pub(super) fn() -> Value,
    pub(super) fn(&mut Value),
);

/// Puts `new` at the place of a JSON pointer, with the objects that lead there.
pub(super) fn set(object: &mut Value, pointer: &str, new: Value) {
    let place = pointer.split('/').skip(1).fold(object, |place, step| match place {
        Value::Array(list) => &mut list[step.parse::<usize>().unwrap()],
        place => &mut place[step],
    });
    *place = new;
}

/// Takes away what is at the place of a JSON pointer.
pub(super) fn remove(object: &mut Value, pointer: &str) {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
    assert!(parent.remove(field).is_some(), "{pointer}");
}

/// What makes `new` of `old`; lists are replaced as a whole.
pub(super) fn merge_patch(old: &Value, new: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (old, new) else { return new.clone() };
    let mut patch: Map<String, Value> = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .map(|key| (key.clone(), Value::Null))
        .collect();
    for (key, value) in after.iter().filter(|(key, value)| before.get(*key) != Some(value)) {
        patch.insert(
            key.clone(),
            before.get(key).map_or_else(|| value.clone(), |old| merge_patch(old, value)),
        );
    }
    Value::Object(patch)
}
