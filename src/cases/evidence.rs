//! What is known beside a request: facts that the service looks up, and an approval that stands.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::approval::{
    Agreement, Authority, Floors, STAMP_ANNOTATION, Stamp, StampTarget, parse_lifetime,
};
use crate::judge::subject::Resource;
use crate::kube::selector::NAME_LABEL;
use crate::policies::error::Flaws;
use crate::policies::fields::{Fields, word};
use crate::recording::{Facts, UserFact};
use crate::rules::config_users::config_user_in;
use crate::yaml::suggest::{quoted, unknown};
use crate::yaml::{Node, Value};

use super::review::words;
use super::written::Written;

/// The annotation of the stamp in a JSON pointer.
pub(super) const STAMP_TOKEN: &str = "restraint.dev~1approval";

/// What cannot be told.
const UNKNOWN: &str = "unknown";

const FIELDS: [&str; 7] =
    ["configMaps", "mayApprove", "nodeRoom", "seal", "secrets", "usage", "users"];

const APPROVED: [&str; 6] = ["at", "by", "for", "force", "memory", "reason"];

/// What is looked up for a request of `namespace`.
pub(super) fn read_facts(
    written: &Written<'_, '_>,
    namespace: &str,
    flaws: &mut Flaws,
) -> Option<Facts> {
    let before = flaws.count();
    let fields = written.holder("evidence").fields("evidence", &FIELDS, flaws);
    let mut facts = Facts {
        namespace_labels: read_labels(written, namespace, flaws),
        authority: read_authority(&fields, flaws),
        sealed: written.node("approved").is_some(),
        usage: decoded(&fields, "usage", |value| value, flaws),
        node: decoded(&fields, "nodeRoom", named_node, flaws),
        ..Facts::default()
    };
    if let Some(word) = fields.word("seal", flaws) {
        match word.text {
            "genuine" => facts.sealed = true,
            "forged" => facts.sealed = false,
            other => {
                let subject = format!("seal {}", quoted(other));
                flaws.add(word.place, unknown(&subject, other, &["genuine", "forged"]));
            }
        }
    }
    facts.config_maps = decoded(&fields, "configMaps", |value| value, flaws).unwrap_or_default();
    facts.secrets = decoded(&fields, "secrets", |value| value, flaws).unwrap_or_default();
    facts.config_users = read_users(&fields, flaws);
    (flaws.count() == before).then_some(facts)
}

/// What the field `name` says, once `prepare` has filled in what may be left out.
fn decoded<T: DeserializeOwned>(
    fields: &Fields<'_>,
    name: &str,
    prepare: impl FnOnce(Json) -> Json,
    flaws: &mut Flaws,
) -> Option<T> {
    let node = fields.node(name)?;
    serde_json::from_value(prepare(node.to_json()))
        .map_err(|error| flaws.add(node.place, format!("{:?}: {error}", fields.path_of(name))))
        .ok()
}

/// A node has a name.
fn named_node(mut room: Json) -> Json {
    if let Some(room) = room.as_object_mut() {
        room.entry("name").or_insert_with(|| json!("node-1"));
    }
    room
}

/// Every namespace has its name as a label. None are known where the case says so.
fn read_labels(
    written: &Written<'_, '_>,
    namespace: &str,
    flaws: &mut Flaws,
) -> Option<BTreeMap<String, String>> {
    let mut labels = BTreeMap::from([(NAME_LABEL.to_owned(), namespace.to_owned())]);
    match written.node("namespaceLabels") {
        None => {}
        Some(node) if node.as_text() == Some(UNKNOWN) => return None,
        Some(Node { value: Value::Map(entries), .. }) => {
            for (key, value) in entries {
                let Some(name) = key.as_text() else { continue };
                let path = format!("namespaceLabels.{name}");
                labels.extend(
                    word(value, &path, flaws).map(|word| (name.to_owned(), word.text.to_owned())),
                );
            }
        }
        Some(node) => flaws.add(
            node.place,
            format!(
                "\"namespaceLabels\" must be labels or {UNKNOWN:?}, not {}",
                node.description()
            ),
        ),
    }
    Some(labels)
}

/// Who uses the ConfigMap or Secret that is written: the manifests of workloads and pods.
fn read_users(fields: &Fields<'_>, flaws: &mut Flaws) -> Option<Vec<UserFact>> {
    let node = fields.node("users")?;
    let Value::List(list) = &node.value else {
        let (path, found) = (fields.path_of("users"), node.description());
        flaws.add(node.place, format!("{path:?} must be a list of manifests, not {found}"));
        return None;
    };
    let mut users = Vec::new();
    for one in list {
        let manifest = one.to_json();
        let (group, _, kind) = words(&manifest);
        let resource = Resource::of_kind(group, kind);
        if resource.template().is_none() {
            flaws.add(one.place, "this is no workload and no pod: it uses nothing");
        }
        // one that uses nothing is none
        users.extend(config_user_in(resource, &manifest.to_string()).as_ref().map(UserFact::from));
    }
    Some(users)
}

fn read_authority(fields: &Fields<'_>, flaws: &mut Flaws) -> Authority {
    match fields.node("mayApprove") {
        None => Authority::NotAsked,
        Some(Node { value: Value::Bool(true), .. }) => Authority::Held,
        Some(Node { value: Value::Bool(false), .. }) => Authority::Lacking,
        Some(node) if node.as_text() == Some(UNKNOWN) => {
            Authority::Unknown("the API server cannot be asked".into())
        }
        Some(node) => {
            let (path, found) = (fields.path_of("mayApprove"), node.description());
            let message = format!("{path:?} must be true, false or {UNKNOWN:?}, not {found}");
            flaws.add(node.place, message);
            Authority::NotAsked
        }
    }
}

/// Puts the approval that the case says stands on the stored pod there.
pub(super) fn stamp(
    written: &Written<'_, '_>,
    old: Option<&mut Json>,
    now: Timestamp,
    flaws: &mut Flaws,
) {
    let holder = written.holder("approved");
    let Some(node) = holder.node("approved") else { return };
    let fields = holder.fields("approved", &APPROVED, flaws);
    let Some(old) = old else {
        if written.own.node("approved").is_some() {
            flaws.add(
                node.place,
                "\"approved\" needs \"oldObject\": the pod that the approval is on",
            );
        }
        return;
    };
    let Some(agreement) = agreement(&fields, old, now, flaws) else { return };
    let text = |pointer: &str| old.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let place = StampTarget {
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name"),
        dry_run: false,
    };
    let stamp = Stamp::of(agreement).sealed(place, "case", |_| "genuine".to_owned()).text();
    let metadata = old.get_mut("metadata").and_then(Json::as_object_mut);
    let annotations = metadata.map(|metadata| metadata.entry("annotations").or_insert(json!({})));
    if let Some(annotations) = annotations.and_then(Json::as_object_mut) {
        annotations.insert(STAMP_ANNOTATION.to_owned(), stamp.into());
    }
}

fn agreement(
    fields: &Fields<'_>,
    old: &Json,
    now: Timestamp,
    flaws: &mut Flaws,
) -> Option<Agreement> {
    let before = flaws.count();
    let mut refuse = |name: &str, message: String| {
        if let Some(node) = fields.node(name) {
            flaws.add(node.place, format!("{:?}: {message}", fields.path_of(name)));
        }
    };
    let written = |name: &str| fields.node(name).and_then(Node::as_text);
    let is_any =
        matches!(fields.node("memory").map(|node| &node.value), None | Some(Value::Bool(true)));
    let memory = if is_any {
        Floors::Any
    } else {
        Floors::parse(written("memory").unwrap_or_default()).unwrap_or_else(|error| {
            refuse("memory", error.to_string());
            Floors::Any
        })
    };
    let lifetime = parse_lifetime(written("for").unwrap_or("1h"));
    if let Err(error) = &lifetime {
        refuse("for", error.to_string());
    }
    let granted = written("at").map(str::parse::<Timestamp>);
    if let Some(Err(_)) = granted {
        refuse("at", "no time: write it like 2026-01-01T12:00:00Z".to_owned());
    }
    let force = match fields.node("force").map(|node| &node.value) {
        None => false,
        Some(Value::Bool(force)) => *force,
        Some(_) => {
            refuse("force", "must be true or false".to_owned());
            false
        }
    };
    let by = fields.word("by", flaws).map_or("approver", |word| word.text).to_owned();
    let reason = fields.word("reason", flaws).map(|word| word.text.to_owned());
    (flaws.count() == before).then_some(())?;
    Some(Agreement {
        approver: by,
        memory,
        granted: granted.and_then(Result::ok).unwrap_or(now),
        lifetime: lifetime.ok()?,
        uid: old.pointer("/metadata/uid")?.as_str()?.to_owned(),
        generation: old.pointer("/metadata/generation")?.as_i64()?,
        unscheduled: old.pointer("/spec/nodeName").is_none(),
        force,
        reason,
    })
}
