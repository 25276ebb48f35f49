//! The review that a case describes: its objects, who asks, and what is written to.

use std::path::Path as FilePath;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::approval::STAMP_ANNOTATION;
use crate::judge::subject::{Operation, Resource};
use crate::manifest::unstructured::Unstructured;
use crate::policies::error::Flaws;
use crate::policies::fields::Fields;
use crate::yaml::Node;
use crate::yaml::suggest::{listed, quoted, unknown};

use super::evidence::{STAMP_TOKEN, stamp};
use super::manifests::{Given, given};
use super::resize::{annotated, is_resize, resized};
use super::review::{Parts, review, words};
use super::written::Written;

/// The namespace of cases that say none.
pub(super) const NAMESPACE: &str = "default";

/// The fields that say what is stored then.
const NEW: [&str; 4] = ["object", "manifest", "resize", "annotate"];

/// In place of these, where nothing is.
const DELETED: &str = "DELETE";

/// The fields that say what is stored before.
const OLD: [&str; 2] = ["oldObject", "oldManifest"];

/// The review that a case describes, and what it writes to.
pub(super) fn composed(
    node: &Node,
    written: &Written<'_, '_>,
    folder: &FilePath,
    now: Timestamp,
    flaws: &mut Flaws,
) -> Option<(Resource, Json)> {
    let operation = read_operation(written, flaws);
    let old = read_old(written, operation, folder, flaws);
    let present: Vec<&str> =
        NEW.into_iter().filter(|name| written.own.node(name).is_some()).collect();
    let name = match &*present {
        [] if operation == Some(Operation::Delete) => DELETED,
        [name] if operation == Some(Operation::Delete) => {
            let place = written.own.node(name).map_or(node.place, |node| node.place);
            flaws.add(place, format!("a DELETE has no {name:?}: say \"oldObject\""));
            return None;
        }
        [name] => *name,
        [] => {
            let message = format!("a case needs one of {}, or \"review\"", listed(&NEW));
            flaws.add(node.place, message);
            return None;
        }
        [..] => {
            let message = format!("{} say the same thing: one of them is enough", listed(&present));
            flaws.add(node.place, message);
            return None;
        }
    };
    let before = flaws.count();
    let mut old = old.map(|given| given.value);
    if let Some(old) = &mut old {
        identify(old);
    }
    stamp(written, old.as_mut(), now, flaws);
    let object = match name {
        "object" | "manifest" => given(written.own, name, folder, flaws)?.value,
        _ => {
            let Some(old) = &old else {
                let place = written.own.node(name).map_or(node.place, |node| node.place);
                flaws.add(place, format!("{name:?} needs \"oldObject\", which it changes"));
                return None;
            };
            let fields = written.own;
            match name {
                DELETED => old.clone(),
                "resize" => resized(old, fields, flaws)?,
                _ => annotated(old, fields, flaws)?,
            }
        }
    };
    if flaws.count() > before {
        return None;
    }
    // what the case does not write itself it cannot repeat in the object
    let keeps_stamp = present != ["annotate"] && written.node("approved").is_some();
    let object = inherit(object, old.as_ref(), keeps_stamp);
    let resource = read_resource(node, written, &object, old.as_ref(), flaws)?;
    let parts = Parts { resource, operation, object, old };
    let namespace = read_namespace(node, written, &parts, flaws)?;
    let requester = read_requester(written, flaws)?;
    check_pair(node, &parts, flaws)?;
    Some((resource, review(&parts, namespace, requester)))
}

fn read_operation(written: &Written<'_, '_>, flaws: &mut Flaws) -> Option<Operation> {
    let word = written.own.word("operation", flaws)?;
    let known = [Operation::Create, Operation::Update, Operation::Delete];
    let operation = known.into_iter().find(|operation| operation.as_str() == word.text);
    if operation.is_none() {
        let subject = format!("operation {}", quoted(word.text));
        flaws.add(word.place, unknown(&subject, word.text, &known.map(Operation::as_str)));
    }
    operation
}

/// What is stored before: what all cases begin with is none of a creation's.
fn read_old(
    written: &Written<'_, '_>,
    operation: Option<Operation>,
    folder: &FilePath,
    flaws: &mut Flaws,
) -> Option<Given> {
    let own = OLD.into_iter().find(|name| written.own.node(name).is_some());
    if let (Some(Operation::Create), Some(name)) = (operation, own) {
        let place = written.own.node(name)?.place;
        flaws.add(place, format!("a CREATE has no {name:?}"));
        return None;
    }
    let holder = if own.is_some() { written.own } else { written.defaults };
    let name = OLD.into_iter().find(|name| holder.node(name).is_some())?;
    if operation == Some(Operation::Create) { None } else { given(holder, name, folder, flaws) }
}

/// Gives a stored object what the API server gives each.
fn identify(old: &mut Json) {
    let Some(metadata) = old.get_mut("metadata").and_then(Json::as_object_mut) else { return };
    metadata.entry("uid").or_insert_with(|| json!("00000000-0000-4000-8000-000000000001"));
    metadata.entry("generation").or_insert_with(|| json!(1));
}

/// `object` with what it keeps of `old`, whatever a client says: who it is, and where it
/// `keeps_stamp` that.
fn inherit(mut object: Json, old: Option<&Json>, keeps_stamp: bool) -> Json {
    let Some(old) = old.and_then(|old| old.get("metadata")) else { return object };
    let Some(metadata) = object.get_mut("metadata").and_then(Json::as_object_mut) else {
        return object;
    };
    for key in ["uid", "generation"] {
        if let Some(value) = old.get(key) {
            metadata.entry(key).or_insert_with(|| value.clone());
        }
    }
    let stamp = old.pointer(&format!("/annotations/{}", STAMP_TOKEN));
    if let Some(stamp) = stamp.filter(|_| keeps_stamp) {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.entry(STAMP_ANNOTATION).or_insert_with(|| stamp.clone());
        }
    }
    object
}

/// What is written to: as the case says, or by the kind.
fn read_resource(
    node: &Node,
    written: &Written<'_, '_>,
    object: &Json,
    old: Option<&Json>,
    flaws: &mut Flaws,
) -> Option<Resource> {
    let (group, version, kind) = words(object);
    let of_kind = Resource::of_kind(group, kind);
    let is_known = Resource::of(group, version, of_kind.plural(), of_kind.subresource()) == of_kind;
    if let Some(word) = written.own.word("resource", flaws) {
        let (plural, subresource) = word.text.split_once('/').unwrap_or((word.text, ""));
        let named = Resource::of(group, version, plural, subresource);
        if named == Resource::Other {
            let known: Vec<String> = Resource::all().map(path_of).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let subject = format!("resource {} of {kind}", quoted(word.text));
            flaws.add(word.place, unknown(&subject, word.text, &known));
            return None;
        }
        return Some(named);
    }
    if of_kind == Resource::Other || !is_known {
        let api_version = object.get("apiVersion").and_then(Json::as_str).unwrap_or_default();
        let message = format!("no rule looks at kind {} of {}", quoted(kind), quoted(api_version));
        flaws.add(node.place, message);
        return None;
    }
    let resizes = of_kind == Resource::Pod && old.is_some_and(|old| is_resize(old, object));
    Some(if resizes { Resource::PodResize } else { of_kind })
}

/// `pods/resize`.
fn path_of(resource: Resource) -> String {
    match resource.subresource() {
        "" => resource.plural().to_owned(),
        subresource => format!("{}/{subresource}", resource.plural()),
    }
}

fn read_namespace(
    node: &Node,
    written: &Written<'_, '_>,
    parts: &Parts,
    flaws: &mut Flaws,
) -> Option<String> {
    let of_object = parts.object.pointer("/metadata/namespace").and_then(Json::as_str);
    let own = written.own.word("namespace", flaws).map(|word| (word.text, word.place));
    if let (Some((said, place)), Some(of_object)) = (own, of_object)
        && said != of_object
    {
        let message = format!("the object is in namespace {}", quoted(of_object));
        flaws.add(place, message);
        return None;
    }
    let of_old = parts.old.as_ref().and_then(|old| old.pointer("/metadata/namespace")?.as_str());
    if let (Some(one), Some(other)) = (of_object, of_old)
        && one != other
    {
        flaws.add(node.place, "the objects are in two namespaces: an update moves nothing");
        return None;
    }
    let default = written.defaults.word("namespace", flaws).map(|word| word.text);
    let said = own.map(|(said, _)| said).or(of_object).or(of_old).or(default);
    Some(said.unwrap_or(NAMESPACE).to_owned())
}

fn read_requester(written: &Written<'_, '_>, flaws: &mut Flaws) -> Option<Json> {
    let before = flaws.count();
    let fields: Fields<'_> =
        written.holder("requester").fields("requester", &["groups", "username"], flaws);
    let username = fields.word("username", flaws).map_or("developer", |word| word.text);
    let mut groups: Vec<&str> =
        fields.words("groups", flaws).iter().map(|word| word.text).collect();
    let everybody = "system:authenticated";
    if !groups.contains(&everybody) {
        groups.push(everybody);
    }
    (flaws.count() == before).then(|| json!({"username": username, "groups": groups}))
}

/// An update has something to update, and of the same name.
fn check_pair(node: &Node, parts: &Parts, flaws: &mut Flaws) -> Option<()> {
    let name = |object: &Json| Unstructured::of(object.clone(), NAMESPACE).map(|one| one.name);
    match (parts.operation, &parts.old) {
        (Some(Operation::Update), None) => {
            flaws.add(node.place, "an UPDATE needs \"oldObject\": what is stored before");
            None
        }
        (Some(Operation::Delete), _) if parts.resource.configuration().is_none() => {
            let kind = parts.resource.kind();
            flaws.add(node.place, format!("no rule looks at deletions of kind {kind}"));
            None
        }
        (_, Some(old))
            if words(old).2 != words(&parts.object).2 || name(old) != name(&parts.object) =>
        {
            flaws
                .add(node.place, "\"oldObject\" is another object: kind and name must be the same");
            None
        }
        _ => Some(()),
    }
}
