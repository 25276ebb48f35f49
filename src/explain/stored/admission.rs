//! What others put into a pod once it is sent: admission plugins, webhooks, the scheduler. A file
//! does not have it, and loses nothing by that.

use serde_json::{Map, Value};

use crate::explain::difference::key_of;
use crate::judge::subject::Resource;
use crate::manifest::unstructured::Unstructured;

/// Fields of a pod's spec that are filled in by whoever knows better.
const ASSIGNED: [&str; 8] = [
    "imagePullSecrets",
    "nodeName",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "runtimeClassName",
    "schedulingGroup",
];

/// The volume of the service account's token, by how its name begins.
const TOKEN_VOLUME: &str = "kube-api-access-";

/// What LimitRanger says that it did.
const LIMIT_RANGER: &str = "/metadata/annotations/kubernetes.io~1limit-ranger";

/// Labels of the node that a pod has once it is bound.
const OF_NODE: [&str; 2] = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"];

/// Fields of a Service that are given out where none is asked for.
const GIVEN_OUT: [&str; 5] =
    ["clusterIP", "clusterIPs", "healthCheckNodePort", "ipFamilies", "ipFamilyPolicy"];

/// `file` with what was put into `stored`, the same object in a cluster; `None` where there is
/// nothing to complete.
pub(in crate::explain) fn complete(
    file: &Unstructured,
    stored: &Unstructured,
) -> Option<Unstructured> {
    if file.is_read() || !stored.is_read() {
        return None;
    }
    let mut value = file.value().clone();
    match (file.resource(), file.kind.as_str()) {
        (Resource::Pod, _) => pod(&mut value, stored.value()),
        (_, "Service") => {
            copy(&mut value, stored.value(), "/spec", &GIVEN_OUT);
            node_ports(&mut value, stored.value());
        }
        (_, "PersistentVolumeClaim") => {
            copy(&mut value, stored.value(), "/spec", &["volumeName", "storageClassName"]);
            copy(&mut value, stored.value(), "/spec", &["dataSource", "dataSourceRef"]);
            copy(&mut value, stored.value(), "/metadata", &["finalizers"]);
        }
        (Resource::StatefulSet, _) => without_gated(&mut value, stored.value()),
        _ => return None,
    }
    Some(file.with(value))
}

/// Ports of nodes are given out to each port.
fn node_ports(service: &mut Value, stored: &Value) {
    let theirs = stored.pointer("/spec/ports").and_then(Value::as_array);
    let ports = service.pointer_mut("/spec/ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        let same = |other: &&Value| {
            let is = |field: &str, default: &str| {
                let word =
                    |port: &Value| port.get(field).map_or(default.to_owned(), Value::to_string);
                word(other) == word(port)
            };
            is("port", "") && is("protocol", "\"TCP\"")
        };
        if let Some(same) = theirs.into_iter().flatten().find(same) {
            copy(port, same, "", &["nodePort"]);
        }
    }
}

/// Copies what is absent.
fn copy(to: &mut Value, from: &Value, holder: &str, fields: &[&str]) {
    let Some(from) = from.pointer(holder).and_then(Value::as_object) else { return };
    let Some(to) = to.pointer_mut(holder).and_then(Value::as_object_mut) else { return };
    for field in fields {
        if let Some(value) = from.get(*field).filter(|_| is_absent(to, field)) {
            to.insert((*field).to_owned(), value.clone());
        }
    }
}

fn is_absent(fields: &Map<String, Value>, field: &str) -> bool {
    fields.get(field).is_none_or(Value::is_null)
}

/// What is dropped where a feature is off, as this one is by default (`MaxUnavailableStatefulSet`).
pub(in crate::explain) fn without_gated(set: &mut Value, stored: &Value) {
    const ROLLING_UPDATE: &str = "/spec/updateStrategy/rollingUpdate";
    let is_off =
        stored.pointer(ROLLING_UPDATE).is_none_or(|update| update.get("maxUnavailable").is_none());
    let update = set.pointer_mut(ROLLING_UPDATE).and_then(Value::as_object_mut);
    if let Some(update) = update.filter(|_| is_off) {
        update.remove("maxUnavailable");
    }
}

/// Selectors that are completed by labels of the pod.
fn spread(file: &mut Value, stored: &Value) {
    const CONSTRAINTS: &str = "/spec/topologySpreadConstraints";
    let constraints = file.pointer_mut(CONSTRAINTS).and_then(Value::as_array_mut);
    for (index, constraint) in constraints.into_iter().flatten().enumerate() {
        let theirs = stored.pointer(&format!("{CONSTRAINTS}/{index}/labelSelector"));
        let has_keys = constraint.get("matchLabelKeys").is_some_and(|keys| !keys.is_null());
        if let Some((fields, theirs)) = constraint.as_object_mut().zip(theirs).filter(|_| has_keys)
        {
            fields.insert("labelSelector".to_owned(), theirs.clone());
        }
    }
}

fn pod(file: &mut Value, stored: &Value) {
    spread(file, stored);
    copy(file, stored, "/spec", &ASSIGNED);
    copy(file, stored, "/metadata/labels", &OF_NODE);
    copy(file, stored, "/metadata/annotations", &["kubernetes.io/limit-ranger"]);
    let is_limited = stored.pointer(LIMIT_RANGER).is_some();
    let is_token = |item: &Value, field: &str| {
        item.get(field).and_then(Value::as_str).is_some_and(|name| name.starts_with(TOKEN_VOLUME))
    };
    append(file, stored, "/spec/volumes", |volume| is_token(volume, "name"));
    for list in ["/spec/initContainers", "/spec/containers"] {
        let items = |value: &Value| value.pointer(list).and_then(Value::as_array).cloned();
        let (Some(ours), Some(theirs)) = (items(file), items(stored)) else { continue };
        for (index, container) in ours.iter().enumerate() {
            let same = theirs.iter().find(|other| other.get("name") == container.get("name"));
            let Some((same, container)) = same.zip(file.pointer_mut(&format!("{list}/{index}")))
            else {
                continue;
            };
            append(container, same, "/volumeMounts", |mount| is_token(mount, "name"));
            // written into it by a webhook of ours
            copy(container, same, "", &["resizePolicy"]);
            if is_limited {
                limits(container, same);
            }
        }
    }
}

/// Appends the items of a list that `is_wanted` and that are not there.
fn append(to: &mut Value, from: &Value, pointer: &str, is_wanted: impl Fn(&Value) -> bool) {
    let wanted: Vec<Value> = from
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|item| is_wanted(item))
        .cloned()
        .collect();
    let Some((holder, field)) = pointer.rsplit_once('/').filter(|_| !wanted.is_empty()) else {
        return;
    };
    let Some(holder) = to.pointer_mut(holder).and_then(Value::as_object_mut) else { return };
    let list = holder.entry(field).or_insert(Value::Null);
    if list.is_null() {
        *list = Value::Array(Vec::new());
    }
    let Some(list) = list.as_array_mut() else { return };
    for item in wanted {
        if !list.iter().any(|other| key_of(other) == key_of(&item)) {
            list.push(item);
        }
    }
}

/// Requests and limits that a LimitRange brought.
fn limits(container: &mut Value, stored: &Value) {
    let Some(fields) = container.as_object_mut() else { return };
    let resources = fields.entry("resources").or_insert(Value::Null);
    if resources.is_null() {
        *resources = Value::Object(Map::new());
    }
    let Some(resources) = resources.as_object_mut() else { return };
    for list in ["limits", "requests"] {
        let theirs = stored.get("resources").and_then(|resources| resources.get(list)?.as_object());
        let ours = resources.entry(list).or_insert(Value::Null);
        if ours.is_null() {
            *ours = Value::Object(Map::new());
        }
        let Some(ours) = ours.as_object_mut() else { continue };
        for (resource, amount) in theirs.into_iter().flatten() {
            if is_absent(ours, resource) {
                ours.insert(resource.clone(), amount.clone());
            }
        }
    }
}
