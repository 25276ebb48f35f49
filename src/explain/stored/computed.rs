//! Defaults that depend on what stands beside them, and what is generated.

use serde_json::{Map, Value, json};

use super::place::Place;
use crate::explain::pod_spec::{amount, containers};
use crate::judge::subject::Resource;
use crate::manifest::unstructured::Unstructured;

type Fields = Map<String, Value>;

fn text<'f>(fields: &'f Fields, field: &str) -> Option<&'f str> {
    fields.get(field)?.as_str()
}

pub(super) fn service_links(_: &Fields, place: Place) -> Option<Value> {
    place.is_pod.then_some(json!(true))
}

/// The Priority admission plugin: without a class, and without one for all, it is 0.
pub(super) fn priority(fields: &Fields, place: Place) -> Option<Value> {
    (place.is_pod && !fields.contains_key("priorityClassName")).then(|| json!(0))
}

pub(super) fn preemption(fields: &Fields, place: Place) -> Option<Value> {
    (place.is_pod && !fields.contains_key("priorityClassName"))
        .then(|| json!("PreemptLowerPriority"))
}

/// Either of its names; of pods the ServiceAccount admission plugin fills it in.
pub(super) fn service_account(fields: &Fields, place: Place) -> Option<Value> {
    let older = fields.get("serviceAccount").cloned();
    older.or_else(|| place.is_pod.then(|| json!("default")))
}

pub(super) fn pull_policy_of_image(fields: &Fields, _: Place) -> Option<Value> {
    Some(json!(pull_policy(text(fields, "image").unwrap_or_default())))
}

pub(super) fn pull_policy_of_volume(fields: &Fields, _: Place) -> Option<Value> {
    text(fields, "reference").map(|reference| json!(pull_policy(reference)))
}

/// `Always` where the tag is `latest`, or where there is neither a tag nor a digest. A reference
/// that cannot be parsed is none of these.
fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, at)| (name, Some(at)));
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (name, None),
    };
    let is_latest = match (tag, digest) {
        (Some(tag), _) => tag == "latest",
        (None, digest) => digest.is_none(),
    };
    if is_latest && is_repository(name) { "Always" } else { "IfNotPresent" }
}

/// Whether a registry may have a repository of this name, with or without the registry in front
/// (the grammar of distribution's references).
fn is_repository(name: &str) -> bool {
    let is_registry = |first: &str| {
        first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first
    };
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if is_registry(first) => (Some(first), rest),
        _ => (None, name),
    };
    let is_host = |host: &str| {
        let (host, port) = host.rsplit_once(':').unwrap_or((host, "0"));
        let is_part = |part: &str| {
            !part.is_empty() && part.chars().all(|one| one.is_ascii_alphanumeric() || one == '-')
        };
        host.split('.').all(is_part)
            && !port.is_empty()
            && port.chars().all(|one| one.is_ascii_digit())
    };
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_component = |part: &str| {
        part.starts_with(is_plain)
            && part.ends_with(is_plain)
            && part.chars().all(|one| is_plain(one) || "._-".contains(one))
    };
    registry.is_none_or(is_host) && path.split('/').all(is_component)
}

/// Of a pod on its node's network.
pub(super) fn host_port(fields: &Fields, place: Place) -> Option<Value> {
    let is_host = place.is_pod && place.is_on_host_network;
    fields.get("containerPort").filter(|_| is_host).cloned()
}

/// A volume without a source is an empty directory.
pub(super) fn empty_dir(fields: &Fields, _: Place) -> Option<Value> {
    fields.keys().all(|field| field == "name").then(|| json!({}))
}

pub(super) fn rolling_update(fields: &Fields, _: Place) -> Option<Value> {
    text(fields, "type").is_none_or(|kind| kind == "RollingUpdate").then(|| json!({}))
}

pub(super) fn backoff_limit(fields: &Fields, _: Place) -> Option<Value> {
    let of_each = fields.contains_key("backoffLimitPerIndex");
    Some(json!(if of_each { i32::MAX } else { 6 }))
}

pub(super) fn completions(fields: &Fields, _: Place) -> Option<Value> {
    (!fields.contains_key("parallelism")).then(|| json!(1))
}

pub(super) fn pod_replacement(fields: &Fields, _: Place) -> Option<Value> {
    let fails = fields.contains_key("podFailurePolicy");
    Some(json!(if fails { "Failed" } else { "TerminatingOrFailed" }))
}

fn is_reached_from_outside(service: &Fields) -> bool {
    matches!(text(service, "type"), Some("NodePort" | "LoadBalancer"))
}

pub(super) fn external_traffic(fields: &Fields, _: Place) -> Option<Value> {
    is_reached_from_outside(fields).then(|| json!("Cluster"))
}

pub(super) fn internal_traffic(fields: &Fields, _: Place) -> Option<Value> {
    (text(fields, "type") != Some("ExternalName")).then(|| json!("Cluster"))
}

pub(super) fn node_ports(fields: &Fields, _: Place) -> Option<Value> {
    (text(fields, "type") == Some("LoadBalancer")).then_some(json!(true))
}

pub(super) fn target_port(fields: &Fields, _: Place) -> Option<Value> {
    fields.get("port").cloned()
}

/// Labels that the API server gives to Jobs and their templates.
const GENERATED: [&str; 4] = [
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
];

/// What concerns the object as a whole.
pub(super) fn fill_in(value: &mut Value, object: &Unstructured) {
    match object.resource() {
        Resource::Pod => pod(value),
        Resource::Job if !object.is_true("/spec/manualSelector") => {
            without_generated(value);
            labels_of_template(value);
        }
        Resource::ReplicationController => {
            labels_of_template(value);
            if let Some(labels) = value.pointer("/spec/template/metadata/labels").cloned() {
                put_if_absent(value.get_mut("spec"), "selector", &labels);
            }
        }
        Resource::StatefulSet => claim_templates(value),
        _ => {}
    }
    let template = object.template().and_then(|place| value.pointer_mut(place.pointer()));
    let Some(template) = template else { return };
    without_init_annotations(template);
    if let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) {
        // both names are the same field
        spec.remove("serviceAccount");
    }
}

fn put_if_absent(holder: Option<&mut Value>, field: &str, value: &Value) {
    if let Some(fields) = holder.and_then(Value::as_object_mut) {
        fields.entry(field).or_insert_with(|| value.clone());
    }
}

/// An object without labels has those of its template.
fn labels_of_template(value: &mut Value) {
    if let Some(labels) = value.pointer("/spec/template/metadata/labels").cloned() {
        put_if_absent(value.get_mut("metadata"), "labels", &labels);
    }
}

/// Labels and selector that are made by the Job's UID.
fn without_generated(job: &mut Value) {
    for labels in
        ["/metadata/labels", "/spec/template/metadata/labels", "/spec/selector/matchLabels"]
    {
        let Some((holder, field)) = labels.rsplit_once('/') else { continue };
        let Some(holder) = job.pointer_mut(holder).and_then(Value::as_object_mut) else { continue };
        if let Some(labels) = holder.get_mut(field).and_then(Value::as_object_mut) {
            labels.retain(|key, _| !GENERATED.contains(&key.as_str()));
            if labels.is_empty() {
                holder.remove(field);
            }
        }
    }
    if let Some(spec) = job.get_mut("spec").and_then(Value::as_object_mut)
        && spec.get("selector") == Some(&json!({}))
    {
        spec.remove("selector");
    }
}

/// A claim in a template is an object of its own, with a status that means nothing.
fn claim_templates(set: &mut Value) {
    let claims = set.pointer_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut);
    for claim in claims.into_iter().flatten().filter_map(Value::as_object_mut) {
        claim.insert("apiVersion".to_owned(), json!("v1"));
        claim.insert("kind".to_owned(), json!("PersistentVolumeClaim"));
        claim.remove("status");
    }
}

/// The annotations from which the field is made, by how they begin.
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// The profile of a container in words of before there was a field.
fn app_armor(pod: &mut Value) {
    let annotations = pod.pointer("/metadata/annotations").and_then(Value::as_object).cloned();
    for (container, profile) in annotations
        .iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.strip_prefix(APP_ARMOR)?, value.as_str()?)))
    {
        let field = match profile.strip_prefix("localhost/") {
            Some(name) => json!({"type": "Localhost", "localhostProfile": name}),
            None if profile == "runtime/default" => json!({"type": "RuntimeDefault"}),
            None => json!({"type": "Unconfined"}),
        };
        for list in ["/spec/initContainers", "/spec/containers"] {
            let items = pod.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            let named =
                |item: &&mut Value| item.get("name").and_then(Value::as_str) == Some(container);
            for item in items.filter(named) {
                put_if_absent(Some(&mut *item), "securityContext", &json!({}));
                put_if_absent(item.get_mut("securityContext"), "appArmorProfile", &field);
            }
        }
    }
}

/// Annotations of before there were init containers, which are dropped.
const OF_INIT_CONTAINERS: [&str; 4] = [
    "pod.alpha.kubernetes.io/init-container-statuses",
    "pod.alpha.kubernetes.io/init-containers",
    "pod.beta.kubernetes.io/init-container-statuses",
    "pod.beta.kubernetes.io/init-containers",
];

fn without_init_annotations(template: &mut Value) {
    let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !OF_INIT_CONTAINERS.contains(&key.as_str()));
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
}

fn pod(pod: &mut Value) {
    app_armor(pod);
    let Some(spec) = pod.get_mut("spec") else { return };
    for list in ["initContainers", "containers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for container in containers {
            requests_of_limits(container);
        }
    }
    pod_level_requests(spec);
    tolerations(spec);
    if let Some(period) = spec.get_mut("terminationGracePeriodSeconds")
        && period.as_i64().is_some_and(|seconds| seconds < 0)
    {
        *period = json!(1);
    }
}

/// A limit without a request is one, too.
fn requests_of_limits(holder: &mut Value) {
    let Some(limits) = holder.pointer("/resources/limits").and_then(Value::as_object).cloned()
    else {
        return;
    };
    for (resource, limit) in limits {
        put_if_absent(holder.get_mut("resources"), "requests", &json!({}));
        put_if_absent(holder.pointer_mut("/resources/requests"), &resource, &limit);
    }
}

/// What a pod requests as a whole, where it has a limit: the sum of what its containers request, or
/// the limit.
fn pod_level_requests(spec: &mut Value) {
    let Some(limits) = spec.pointer("/resources/limits").and_then(Value::as_object).cloned() else {
        return;
    };
    for (resource, limit) in limits {
        let of_containers = containers(spec)
            .filter_map(|(_, container)| amount(container, "requests", &resource)?.milli_value())
            .reduce(i128::saturating_add);
        let request = of_containers.map_or(limit, |sum| json!(format!("{sum}m")));
        put_if_absent(spec.get_mut("resources"), "requests", &json!({}));
        put_if_absent(spec.pointer_mut("/resources/requests"), &resource, &request);
    }
}

/// The taints that every pod tolerates for five minutes (`DefaultTolerationSeconds`).
const TOLERATED: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

fn tolerations(spec: &mut Value) {
    put_if_absent(Some(&mut *spec), "tolerations", &json!([]));
    let Some(tolerations) = spec.get_mut("tolerations").and_then(Value::as_array_mut) else {
        return;
    };
    let tolerates = |toleration: &Value, key: &str| {
        let word = |field: &str| toleration.get(field).and_then(Value::as_str).unwrap_or_default();
        matches!(word("key"), "") | (word("key") == key)
            && matches!(word("effect"), "" | "NoExecute")
    };
    let missing = TOLERATED
        .iter()
        .filter(|key| !tolerations.iter().any(|toleration| tolerates(toleration, key)))
        .map(|key| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}))
        .collect::<Vec<_>>();
    tolerations.extend(missing);
}
