//! A workload as it is judged. Of other kinds than Kubernetes' own each template is judged by
//! itself, as if it were that of the kind by which theirs goes.

use serde_json::{Map, Value, json};

use crate::judge::patch::{Edit, PatchOperation};
use crate::judge::subject::Resource;
use crate::kube::configuration::ConfigKind;
use crate::kube::template::TemplatePlace;
use crate::manifest::decode::dotted;
use crate::manifest::objects::Manifest;
use crate::manifest::pointer::tokens;
use crate::manifest::unstructured::Unstructured;

use super::class::{Class, group_of_today};
use super::evidence::DEFAULT_NAMESPACE;
use super::kinds::CustomKind;

/// What is kept of the spec around a template, where it has the shape that rules look at.
const AROUND: [&str; 3] = ["replicas", "strategy", "updateStrategy"];

/// What the annotations of Reloader have in their names.
const RELOADER: &str = "stakater.com/";

/// The name that Knative gives a container that has none.
const KNATIVE_CONTAINER: &str = "user-container";

/// A workload as it is judged.
#[derive(Debug)]
pub(super) struct Workload<'m> {
    /// What it is judged as.
    pub(super) resource: Resource,
    /// The object to judge.
    pub(super) object: Unstructured,
    /// The kind it is of and the JSON pointer of its template, where it is none of Kubernetes' own.
    custom: Option<(&'m CustomKind, String)>,
}

impl<'m> Workload<'m> {
    /// Those that `manifest` describes.
    pub(super) fn all(manifest: &'m Manifest<'_>, class: Class<'m>) -> Vec<Self> {
        match class {
            Class::Configuration(kind) => {
                // what stands in a Secret is not looked at
                let is_map = kind == ConfigKind::ConfigMap;
                let workload = || {
                    let (value, kind) = (manifest.to_json(), manifest.kind.to_owned());
                    let object = Unstructured::new(value, "", kind, DEFAULT_NAMESPACE);
                    Self { resource: Resource::ConfigMap, object, custom: None }
                };
                is_map.then(workload).into_iter().collect()
            }
            Class::Judged(resource) | Class::Outdated(resource) => {
                let mut value = manifest.to_json();
                forget_unfilled_replicas(&mut value);
                let (group, kind) = (group_of_today(manifest.group()), manifest.kind.to_owned());
                let object = Unstructured::new(value, group, kind, DEFAULT_NAMESPACE);
                vec![Self { resource, object, custom: None }]
            }
            Class::Custom(custom) => {
                let mut value = manifest.to_json();
                forget_unfilled_replicas(&mut value);
                let places = custom.places(manifest.node).into_iter();
                places.filter_map(|place| Self::of_template(custom, &value, place)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The template at `place` of `object`.
    fn of_template(custom: &'m CustomKind, object: &Value, place: String) -> Option<Self> {
        let (group, kind) = custom.like.kind()?;
        let mut spec = Map::new();
        for field in AROUND {
            let has_shape = |value: &&Value| {
                if field == "replicas" { value.is_number() } else { value.is_object() }
            };
            let value = object.pointer(&format!("/spec/{field}")).filter(has_shape);
            spec.extend(value.map(|value| (field.to_owned(), value.clone())));
        }
        let mut template = object.pointer(&place)?.clone();
        if custom.closed {
            name_containers(&mut template);
        }
        spec.insert("template".to_owned(), template);
        let metadata = object.get("metadata").cloned().unwrap_or_default();
        let mut value = json!({"kind": kind, "metadata": metadata, "spec": spec});
        if !custom.reloaded {
            for holder in ["", "/spec/template"] {
                forget_reloader(&mut value, holder);
            }
        }
        let object = Unstructured::new(value, group, kind.to_owned(), DEFAULT_NAMESPACE);
        let resource = Resource::of_kind(group, kind);
        Some(Self { resource, object, custom: Some((custom, place)) })
    }

    /// The JSON pointer in the object as it is written of what is at `pointer` in the one that is
    /// judged.
    pub(super) fn written(&self, pointer: &str) -> String {
        let base = TemplatePlace::Template.pointer();
        match (&self.custom, pointer.strip_prefix(base)) {
            (Some((_, place)), Some(rest)) => [place, rest].concat(),
            _ => pointer.to_owned(),
        }
    }

    /// What is said of a malformed field, by its path in the object as it is written.
    pub(super) fn fault(&self, message: &str) -> String {
        let base = TemplatePlace::Template.fields().collect::<Vec<_>>().join(".");
        match (&self.custom, message.strip_prefix(&base)) {
            (Some((_, place)), Some(rest)) => dotted(&tokens(place).collect::<Vec<_>>()) + rest,
            _ => message.to_owned(),
        }
    }

    /// `message` with the kind as it is written: rules know the one by which it goes.
    pub(super) fn message(&self, message: String) -> String {
        let Some((custom, _)) = &self.custom else { return message };
        let (judged, written) =
            (format!("the {}", self.resource.kind()), format!("the {}", custom.kind));
        message.replace(&judged, &written)
    }

    /// Whether the kind takes what a finding with this `edit` asks for.
    pub(super) fn takes(&self, edit: Option<&Edit>) -> bool {
        let is_closed = self.custom.as_ref().is_some_and(|(custom, _)| custom.closed);
        !(is_closed && edit.is_some_and(adds))
    }

    /// `edit` where it is sure that the kind takes it, with pointers into the object as written.
    pub(super) fn edit(&self, edit: Option<Edit>) -> Option<Edit> {
        let edit = edit.filter(|edit| self.custom.is_none() || !adds(edit))?;
        let place = |operation| match operation {
            PatchOperation::Add { path, value } => {
                PatchOperation::Add { path: self.written(&path), value }
            }
            PatchOperation::Remove { path } => PatchOperation::Remove { path: self.written(&path) },
        };
        Some(Edit(edit.0.into_iter().map(place).collect()))
    }
}

fn adds(edit: &Edit) -> bool {
    edit.0.iter().any(|operation| matches!(operation, PatchOperation::Add { .. }))
}

fn name_containers(template: &mut Value) {
    let containers = template.pointer_mut("/spec/containers").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
        container.entry("name").or_insert_with(|| KNATIVE_CONTAINER.into());
    }
}

fn forget_reloader(object: &mut Value, holder: &str) {
    let annotations = object.pointer_mut(&format!("{holder}/metadata/annotations"));
    if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !key.contains(RELOADER));
    }
}

/// Leaves out a number of replicas that a template has yet to fill in, as in `replicas:
/// ${{REPLICAS}}` of OpenShift: it is as unknown as an absent one, which an autoscaler may own, and
/// the pods are described in full without it.
fn forget_unfilled_replicas(object: &mut Value) {
    let Some(replicas) = object.pointer_mut("/spec/replicas") else { return };
    let unfilled =
        replicas.as_str().is_some_and(|text| text.starts_with("${") && text.ends_with('}'));
    if unfilled {
        *replicas = Value::Null;
    }
}
