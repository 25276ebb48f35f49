//! Changes of a stored pod that are written in short.

use serde_json::{Map, Value as Json, json};

use crate::policies::error::Flaws;
use crate::policies::fields::{Fields, unknown_field};
use crate::yaml::{Node, Value};

use super::manifests::{containers_of, no_container};

/// What the pod itself is called among its containers.
const POD: &str = "@pod";

/// What a resize may change.
const RESOURCES: [&str; 2] = ["limits", "requests"];

/// The lists of containers.
const LISTS: [&str; 2] = ["containers", "initContainers"];

/// `old` with other resources: `resize: {app: {limits: {memory: 256Mi}}}`. What has no value is
/// taken out.
pub(super) fn resized(old: &Json, fields: &Fields<'_>, flaws: &mut Flaws) -> Option<Json> {
    let before = flaws.count();
    let mut object = old.clone();
    let node = fields.node("resize")?;
    let Value::Map(entries) = &node.value else {
        let message = "\"resize\" must be a mapping of containers, or \"@pod\", to resources";
        flaws.add(node.place, message);
        return None;
    };
    for (key, value) in entries {
        let Some(name) = key.as_text() else { continue };
        match part(&mut object, name) {
            Some(part) => change(part, name, value, flaws),
            None => flaws.add(key.place, no_container(name, &containers_of(old))),
        }
    }
    (flaws.count() == before).then_some(object)
}

/// What holds the resources of the container `name`, or of the pod.
fn part<'o>(object: &'o mut Json, name: &str) -> Option<&'o mut Map<String, Json>> {
    let spec = object.get_mut("spec")?.as_object_mut()?;
    if name == POD {
        return Some(spec);
    }
    let list = LISTS.into_iter().find(|list| {
        let containers = spec.get(*list).and_then(Json::as_array);
        containers.into_iter().flatten().any(|one| one.get("name") == Some(&json!(name)))
    })?;
    let containers = spec.get_mut(list)?.as_array_mut()?;
    containers.iter_mut().find(|one| one.get("name") == Some(&json!(name)))?.as_object_mut()
}

fn change(part: &mut Map<String, Json>, name: &str, value: &Node, flaws: &mut Flaws) {
    let path = format!("resize.{name}");
    let resources = part.entry("resources").or_insert_with(|| json!({}));
    for (key, amounts) in value.entries() {
        let Some(kind) = key.as_text() else { continue };
        if !RESOURCES.contains(&kind) {
            unknown_field(key, kind, &path, &RESOURCES, flaws);
            continue;
        }
        let Some(resources) = resources.as_object_mut() else { continue };
        let held = resources.entry(kind).or_insert_with(|| json!({}));
        let Some(held) = held.as_object_mut() else { continue };
        for (resource, amount) in amounts.entries() {
            let Some(resource) = resource.as_text() else { continue };
            match &amount.value {
                Value::Null => drop(held.remove(resource)),
                Value::Text(_) | Value::Number(_) => {
                    held.insert(resource.to_owned(), amount.to_json());
                }
                _ => flaws.add(
                    amount.place,
                    format!(
                        "\"{path}.{kind}.{resource}\" must be an amount, not {}",
                        amount.description()
                    ),
                ),
            }
        }
    }
    if value.entries().is_empty() {
        let message = format!("{path:?} must say \"limits\" or \"requests\"");
        flaws.add(value.place, message);
    }
}

/// `old` with other annotations. What has no value is taken off.
pub(super) fn annotated(old: &Json, fields: &Fields<'_>, flaws: &mut Flaws) -> Option<Json> {
    let before = flaws.count();
    let mut object = old.clone();
    let node = fields.node("annotate")?;
    if node.entries().is_empty() {
        flaws.add(node.place, "\"annotate\" must be a mapping of annotations");
        return None;
    }
    let metadata = object.get_mut("metadata")?.as_object_mut()?;
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({})).as_object_mut()?;
    for (key, value) in node.entries() {
        let Some(name) = key.as_text() else { continue };
        match &value.value {
            Value::Null => drop(annotations.remove(name)),
            Value::Text(text) => {
                annotations.insert(name.to_owned(), text.as_str().into());
            }
            _ => flaws.add(
                value.place,
                format!(
                    "annotation {name:?} must be a string, not {}: put it in quotes",
                    value.description()
                ),
            ),
        }
    }
    (flaws.count() == before).then_some(object)
}

/// Whether nothing but resources differ: what goes through `pods/resize`.
pub(super) fn is_resize(old: &Json, new: &Json) -> bool {
    old != new && without_resources(old.clone()) == without_resources(new.clone())
}

fn without_resources(mut pod: Json) -> Json {
    for field in ["generation", "resourceVersion", "managedFields"] {
        if let Some(metadata) = pod.get_mut("metadata").and_then(Json::as_object_mut) {
            metadata.remove(field);
        }
    }
    if let Some(pod) = pod.as_object_mut() {
        pod.remove("status");
    }
    let Some(spec) = pod.get_mut("spec").and_then(Json::as_object_mut) else { return pod };
    spec.remove("resources");
    for list in LISTS {
        let containers = spec.get_mut(list).and_then(Json::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Json::as_object_mut) {
            container.remove("resources");
        }
    }
    pod
}
