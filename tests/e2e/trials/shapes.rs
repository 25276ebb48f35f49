//! The pods of the recorded reviews, and what becomes of them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// The volume that the API server adds for a service account's token.
const TOKEN_VOLUME: &str = "kube-api-access-";

/// Every recorded creation of a pod, with the containers whose memory has a resize policy in the
/// end, and which.
const EXPECTED: &[(&str, &[(&str, &str)])] = &[
    ("create-bare", &[("app", "RestartContainer")]),
    ("create-cpu-policy-only", &[("app", "RestartContainer")]),
    ("create-ephemeral-target", &[("app", "RestartContainer")]),
    ("create-explicit-policy", &[("app", "RestartContainer")]),
    ("create-file-watch", &[]),
    ("create-jvm", &[("app", "RestartContainer")]),
    ("create-no-resources", &[]),
    ("create-pod-level-resources", &[("app", "RestartContainer"), ("b", "RestartContainer")]),
    ("create-request-only", &[("app", "RestartContainer")]),
    ("create-restart-all", &[]),
    ("create-restart-never", &[("app", "NotRequired")]),
    ("create-sidecar-and-init", &[("proxy", "RestartContainer"), ("app", "RestartContainer")]),
    ("create-subpath-and-env", &[("app", "RestartContainer")]),
    ("create-with-approval", &[("app", "RestartContainer")]),
    ("deployment-create", &[("app", "RestartContainer")]),
    ("deployment-template-approval", &[("app", "RestartContainer")]),
    ("job-create", &[("app", "NotRequired")]),
    ("statefulset-create", &[("app", "RestartContainer")]),
];

/// A pod as somebody asked for it, and as it is to be stored.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) sent: Value,
    pub(super) expected: Value,
}

impl Shape {
    /// Panics with every place where `stored` is another spec, or has other annotations, than
    /// `this`.
    #[track_caller]
    pub(super) fn assert_stored(stored: &Value, this: &Value) {
        let annotations =
            |pod: &Value| pod["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
        assert_eq!(annotations(stored), annotations(this));
        let mut differences = Vec::new();
        compare("spec", &stored["spec"], &this["spec"], &mut differences);
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }

    /// Whether anything is to be changed.
    pub(super) fn is_amended(&self) -> bool {
        self.sent != self.expected
    }
}

/// One of each recorded creation of a pod.
pub(super) fn all() -> Vec<Shape> {
    let recorded = recorded("pods.mutate", "CREATE");
    let names: Vec<_> = recorded.iter().map(|(name, _)| name.as_str()).collect();
    let known: Vec<_> = EXPECTED.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "every recorded creation of a pod is tried");
    let shapes = EXPECTED.iter().zip(recorded);
    shapes
        .map(|((name, policies), (_, request))| shape(name, &request["object"], policies))
        .collect()
}

/// Adds a line for each place where the two differ.
fn compare(place: &str, stored: &Value, expected: &Value, differences: &mut Vec<String>) {
    match (stored, expected) {
        (Value::Object(one), Value::Object(other)) => {
            for key in one.keys().chain(other.keys().filter(|key| !one.contains_key(*key))) {
                compare(&format!("{place}.{key}"), &stored[key], &expected[key], differences);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (stored, expected)) in one.iter().zip(other).enumerate() {
                compare(&format!("{place}[{index}]"), stored, expected, differences);
            }
        }
        _ if stored == expected => {}
        _ => differences.push(format!("{place}: stored {stored}, expected {expected}")),
    }
}

fn shape(name: &'static str, recorded: &Value, policies: &[(&str, &str)]) -> Shape {
    let sent = as_sent(name, recorded);
    let mut expected = sent.clone();
    for container in containers(&mut expected["spec"]) {
        if let Some((_, memory)) = policies.iter().find(|(name, _)| container["name"] == *name) {
            container["resizePolicy"] = json!([
                {"resourceName": "cpu", "restartPolicy": "NotRequired"},
                {"resourceName": "memory", "restartPolicy": memory},
            ]);
        }
    }
    expected["metadata"]["annotations"].as_object_mut().unwrap().remove("approved-by-sre");
    Shape { name, sent, expected }
}

/// The recorded requests of this kind and operation, in order of name.
pub(super) fn recorded(kind: &str, operation: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reviews");
    let ending = format!(".{kind}.json");
    let mut requests = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(&*ending))
        else {
            continue;
        };
        let mut review: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        if review["request"]["operation"] == operation {
            requests.push((name.to_owned(), review["request"].take()));
        }
    }
    requests.sort_by(|(one, _), (next, _)| one.cmp(next));
    requests
}

/// The pod without what the API server and controllers added.
pub(super) fn as_sent(name: &str, recorded: &Value) -> Value {
    let metadata = &recorded["metadata"];
    let mut spec = recorded["spec"].clone();
    drop_token(&mut spec, "volumes");
    containers(&mut spec).for_each(|container| drop_token(container, "volumeMounts"));
    let map = |field: &str| metadata[field].as_object().cloned().unwrap_or_default();
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": map("labels"), "annotations": map("annotations")},
        "spec": spec,
    })
}

fn containers(spec: &mut Value) -> impl Iterator<Item = &mut Value> {
    let lists = spec
        .as_object_mut()
        .unwrap()
        .iter_mut()
        .filter(|(field, _)| ["initContainers", "containers"].contains(&field.as_str()));
    lists.flat_map(|(_, list)| list.as_array_mut().unwrap())
}

/// Drops the token's volume or mount; and the list, where nothing else is in it.
fn drop_token(parent: &mut Value, list: &str) {
    let entries = parent[list].as_array_mut().unwrap();
    entries.retain(|entry| !entry["name"].as_str().unwrap().starts_with(TOKEN_VOLUME));
    if entries.is_empty() {
        parent.as_object_mut().unwrap().remove(list);
    }
}
