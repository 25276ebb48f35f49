//! The objects of a case: written in it, or in a file beside.

use std::fs::File;
use std::path::Path;

use serde_json::Value as Json;

use crate::manifest::documents::{Content, documents};
use crate::manifest::encoding;
use crate::manifest::objects::Objects;
use crate::manifest::pointer;
use crate::manifest::unstructured::Unstructured;
use crate::policies::error::Flaws;
use crate::policies::fields::Fields;
use crate::review::decode;
use crate::yaml::suggest::{listed, nearest, quoted};
use crate::yaml::{Node, Position, Value};

/// An object that a case names.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// What it says.
    pub(super) value: Json,
}

/// The object in the field `name`: the object itself, or for a manifest where it stands.
pub(super) fn given(
    fields: &Fields<'_>,
    name: &str,
    folder: &Path,
    flaws: &mut Flaws,
) -> Option<Given> {
    let node = fields.node(name)?;
    if name.ends_with("anifest") {
        let word = fields.word(name, flaws)?;
        return from_file(folder, word.text).map_err(|message| flaws.add(word.place, message)).ok();
    }
    if !matches!(node.value, Value::Map(_)) {
        let hint = if node.as_text().is_some() { "; a file goes in \"manifest\"" } else { "" };
        let message = format!("{name:?} must be an object, not {}{hint}", node.description());
        flaws.add(node.place, message);
        return None;
    }
    check(node, node.to_json())
        .map_err(|(line, message)| {
            let place = line.map_or(node.place, |line| Position { line, column: 1 });
            flaws.add(place, format!("{name:?}: {message}"));
        })
        .ok()
}

/// The object in `value`, which is written at `node`, or what is wrong with it.
fn check(node: &Node, value: Json) -> Result<Given, (Option<u64>, String)> {
    let object = Unstructured::of(value.clone(), "default")
        .ok_or((None, "no object of Kubernetes: it has no apiVersion and kind".to_owned()))?;
    object.decode().map_err(|fault| (Some(pointer::line(node, &fault.pointer)), fault.message))?;
    if value.get("metadata").is_none_or(|metadata| !metadata.is_object()) || object.name.is_empty()
    {
        return Err((None, "the object has no metadata.name".to_owned()));
    }
    Ok(Given { value })
}

/// The object that `place` names: `file.yaml`, or with a choice `file.yaml#pod/db-0`.
fn from_file(folder: &Path, place: &str) -> Result<Given, String> {
    let (file, choice) = match place.split_once('#') {
        Some((file, choice)) => (file, Some(choice)),
        None => (place, None),
    };
    let unreadable = |reason: String| format!("{} cannot be read: {reason}", quoted(file));
    let text = File::open(folder.join(file))
        .and_then(encoding::read)
        .map_err(|error| unreadable(error.to_string()))?
        .text;
    let mut found: Vec<(String, Result<Given, String>)> = Vec::new();
    for document in documents(&text, |_| false) {
        let node = match &document.content {
            Content::Value(node) => node,
            Content::Broken { line, message } => {
                return Err(unreadable(format!("line {line}: {message}")));
            }
            Content::Nothing | Content::Unread(_) => continue,
        };
        for manifest in Objects::of(node).manifests {
            let target = Unstructured::of_manifest(&manifest, "default").target();
            let line = |line: u64| line.saturating_add(document.lines_before);
            let given = check(manifest.node, manifest.to_json()).map_err(|(at, message)| {
                let at = line(at.unwrap_or(manifest.node.place.line));
                format!("{file}:{at}: {message}")
            });
            found.push((target, given));
        }
    }
    pick(file, choice, found)
}

fn pick(
    file: &str,
    choice: Option<&str>,
    mut found: Vec<(String, Result<Given, String>)>,
) -> Result<Given, String> {
    if let Some(choice) = choice {
        let wanted = choice.to_lowercase();
        found.retain_mut(|(target, _)| target.to_lowercase() == wanted || target.is_empty());
    }
    let names: Vec<String> = found.iter().map(|(target, _)| target.clone()).collect();
    match (found.pop(), names.len(), choice) {
        (Some((_, given)), 1, _) => given,
        (_, 0, None) => Err(format!("{} holds no object", quoted(file))),
        (_, 0, Some(choice)) => Err(format!("{} holds no {}", quoted(file), quoted(choice))),
        (_, count, _) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Err(format!(
                "{} holds {count} objects: choose one, as in {}; there are {}",
                quoted(file),
                quoted(&format!("{file}#{}", names.first().copied().unwrap_or_default())),
                listed(&names),
            ))
        }
    }
}

/// The AdmissionReview in the file at `path`.
pub(super) fn recorded_review(path: &Path) -> Result<Json, String> {
    let text = File::open(path)
        .and_then(encoding::read)
        .map_err(|error| format!("it cannot be read: {error}"))?
        .text;
    decode(text.as_bytes()).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// The names of the containers of `pod`, those of each list.
pub(super) fn containers_of(pod: &Json) -> Vec<&str> {
    ["/spec/containers", "/spec/initContainers"]
        .into_iter()
        .filter_map(|list| pod.pointer(list)?.as_array())
        .flatten()
        .filter_map(|container| container.get("name")?.as_str())
        .collect()
}

/// What to say of a container that is not there.
pub(super) fn no_container(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("no container is called {}, did you mean {near:?}?", quoted(name)),
        None => format!("no container is called {}, there are {}", quoted(name), listed(known)),
    }
}
