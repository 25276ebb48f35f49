//! What a patch makes of an object. Which type it is of the log does not say: a list is a JSON
//! patch, and a mapping is a strategic merge patch or a JSON merge patch. So there may be two
//! answers, or none where it does not apply.

use serde_json::{Map, Value};

use crate::kube::merge_keys::merge_key;

/// What `patch` may make of `live`, each once.
pub(super) fn patched(live: &Value, patch: &Value, is_apply: bool) -> Vec<Value> {
    match patch {
        Value::Array(_) => json_patched(live, patch).into_iter().collect(),
        Value::Object(_) => {
            let mut strategic = live.clone();
            let is_sound = lay("", &mut strategic, patch).is_some();
            let mut answers: Vec<Value> = is_sound.then_some(strategic).into_iter().collect();
            if !is_apply && !has_directives(patch) {
                let mut merged = live.clone();
                json_patch::merge(&mut merged, patch);
                if !answers.contains(&merged) {
                    answers.push(merged);
                }
            }
            answers
        }
        _ => Vec::new(),
    }
}

/// The same for a patch of operations, RFC 6902.
pub(super) fn json_patched(live: &Value, operations: &Value) -> Option<Value> {
    let patch: json_patch::Patch = serde_json::from_value(operations.clone()).ok()?;
    let mut value = live.clone();
    json_patch::patch(&mut value, &patch).ok()?;
    Some(value)
}

/// Whether anything in it is said only by strategic merge patches.
fn has_directives(patch: &Value) -> bool {
    match patch {
        Value::Object(fields) => {
            fields.iter().any(|(field, value)| field.starts_with('$') || has_directives(value))
        }
        Value::Array(items) => items.iter().any(has_directives),
        _ => false,
    }
}

/// Lays a strategic merge patch over `live`, which is under `field`; `None` where it says something
/// that is not understood.
fn lay(field: &str, live: &mut Value, patch: &Value) -> Option<()> {
    match (live, patch) {
        (Value::Object(live), Value::Object(patch)) => lay_fields(live, patch),
        (Value::Array(live), Value::Array(patch)) => match merge_key(field) {
            Some(key) => lay_items(field, key, live, patch),
            None => {
                live.clone_from(patch);
                Some(())
            }
        },
        (live, patch) => {
            *live = whole(patch)?;
            Some(())
        }
    }
}

fn lay_fields(live: &mut Map<String, Value>, patch: &Map<String, Value>) -> Option<()> {
    match patch.get("$patch").map(|directive| directive.as_str()) {
        None => {}
        Some(Some("merge")) => {}
        Some(Some("replace")) => {
            live.clear();
        }
        Some(_) => return None,
    }
    if let Some(kept) = patch.get("$retainKeys") {
        let kept = kept.as_array()?;
        live.retain(|field, _| kept.iter().any(|key| key.as_str() == Some(field)));
    }
    for (field, value) in patch {
        if let Some(list) = field.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array()?;
            if let Some(items) = live.get_mut(list).and_then(Value::as_array_mut) {
                items.retain(|item| !gone.contains(item));
            }
        } else if field.starts_with("$setElementOrder/")
            || field == "$patch"
            || field == "$retainKeys"
        {
            // the order of items counts for nothing that is read
        } else if field.starts_with('$') {
            return None;
        } else if value.is_null() {
            live.remove(field);
        } else if let Some(old) = live.get_mut(field) {
            lay(field, old, value)?;
        } else {
            live.insert(field.clone(), whole(value)?);
        }
    }
    Some(())
}

fn lay_items(field: &str, key: &[&str], live: &mut Vec<Value>, patch: &[Value]) -> Option<()> {
    let word = |item: &Value| key.iter().find_map(|field| item.get(field)).cloned();
    for item in patch {
        let name = word(item)?;
        let place = live.iter().position(|old| word(old).as_ref() == Some(&name));
        let is_gone = item.get("$patch").and_then(Value::as_str) == Some("delete");
        match place {
            Some(place) if is_gone => drop(live.remove(place)),
            Some(place) => lay(field, live.get_mut(place)?, item)?,
            None if is_gone => {}
            None => live.push(whole(item)?),
        }
    }
    Some(())
}

/// A new value, which has no directives left and no nulls.
fn whole(patch: &Value) -> Option<Value> {
    match patch {
        Value::Object(fields) => {
            let mut value = Map::new();
            lay_fields(&mut value, fields)?;
            Some(Value::Object(value))
        }
        Value::Array(items) => items.iter().map(whole).collect::<Option<_>>().map(Value::Array),
        value => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn two() -> Value {
        json!({"spec": {"containers": [
            {"name": "app", "image": "a", "resources": {"limits": {"memory": "512Mi", "cpu": "1"}}},
            {"name": "log", "image": "l"},
        ]}})
    }

    #[test]
    fn a_mapping_may_be_meant_in_two_ways() {
        let patch = json!({"spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "1Gi"}}}]}});
        let [strategic, merged] = &patched(&two(), &patch, false)[..] else { panic!() };
        let limits = &strategic["spec"]["containers"][0]["resources"]["limits"];
        assert_eq!(limits, &json!({"memory": "1Gi", "cpu": "1"}));
        assert_eq!(strategic["spec"]["containers"][1]["name"], "log");
        assert_eq!(merged["spec"]["containers"], patch["spec"]["containers"]);
        assert_eq!(patched(&two(), &patch, true).len(), 1, "an apply is meant in one");
    }

    #[test]
    fn metadata_is_meant_in_one_way() {
        let live = json!({"metadata": {"annotations": {"a": "1", "b": "2"}}});
        let patch = json!({"metadata": {"annotations": {"a": null, "c": "3"}}});
        let expected = json!({"metadata": {"annotations": {"b": "2", "c": "3"}}});
        assert_eq!(patched(&live, &patch, false), [expected]);
    }

    #[test]
    fn directives_tell_a_strategic_patch() {
        let patch = json!({"spec": {
            "$setElementOrder/containers": [{"name": "app"}, {"name": "log"}],
            "containers": [{"name": "log", "$patch": "delete"}, {"name": "app", "image": "b"}],
        }});
        let answers = patched(&two(), &patch, false);
        assert_eq!(answers.len(), 1);
        let containers = answers[0]["spec"]["containers"].as_array().unwrap();
        assert_eq!((containers.len(), &containers[0]["image"]), (1, &json!("b")));
        let odd = json!({"spec": {"$patch": "turn"}});
        assert!(patched(&two(), &odd, false).is_empty());
    }

    #[test]
    fn directives_are_followed() {
        let live = json!({
            "metadata": {"finalizers": ["a", "b"]},
            "spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {}}, "containers": [
                {"name": "app", "image": "a", "args": ["-v"]}, {"name": "log", "image": "l"}]},
        });
        for (patch, pointer, expected) in [
            (
                json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}),
                "/metadata/finalizers",
                json!(["b"]),
            ),
            (
                json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
                "/spec/strategy",
                json!({"type": "Recreate"}),
            ),
            (
                json!({"spec": {"containers": [{"name": "log", "$patch": "delete"}, {"name": "app"}]}}),
                "/spec/containers",
                json!([{"name": "app", "image": "a", "args": ["-v"]}]),
            ),
            (
                json!({"spec": {"containers": [{"name": "app", "$patch": "replace", "image": "b"}]}}),
                "/spec/containers/0",
                json!({"name": "app", "image": "b"}),
            ),
            (
                json!({"spec": {"containers": [{"name": "new", "$patch": "delete"}]}}),
                "/spec/containers",
                live["spec"]["containers"].clone(),
            ),
        ] {
            let answers = patched(&live, &patch, false);
            let found: Vec<_> = answers.iter().map(|answer| answer.pointer(pointer)).collect();
            assert_eq!(found, [Some(&expected)], "{patch}");
        }
    }

    #[test]
    fn lists_without_a_key_are_replaced_and_what_is_new_has_no_nulls() {
        let args = json!({"spec": {"containers": [{"name": "app", "args": ["-q"]}]}});
        assert_eq!(patched(&two(), &args, true)[0]["spec"]["containers"][0]["args"], json!(["-q"]));
        let new = json!({"name": "new", "image": null, "env": [{"name": "A", "value": null}]});
        let answers = patched(&two(), &json!({"spec": {"containers": [new]}}), true);
        let expected = json!({"name": "new", "env": [{"name": "A"}]});
        assert_eq!(answers[0]["spec"]["containers"][2], expected);
    }

    #[test]
    fn a_list_is_a_json_patch() {
        let path = "/spec/containers/0/resources/limits/memory";
        let patch = json!([{"op": "replace", "path": path, "value": "1Gi"}]);
        let answers = patched(&two(), &patch, false);
        assert_eq!(answers[0].pointer(path), Some(&json!("1Gi")));
        let missing = json!([{"op": "replace", "path": "/spec/containers/7/name", "value": "x"}]);
        assert!(patched(&two(), &missing, false).is_empty());
        assert!(patched(&two(), &json!("text"), false).is_empty());
    }
}
