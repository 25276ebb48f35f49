//! The manifests of the other tests, completed until an API server takes them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// A manifest with the name of a file for it.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) file: String,
    pub(crate) object: Value,
}

/// The manifests of `tests/acceptance`, and those of `tests/rules` that are created alone, for this
/// namespace: every one in a file that is `wanted`.
pub(crate) fn those(namespace: &str, wanted: impl Fn(&str) -> bool) -> Vec<Manifest> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut manifests = Vec::new();
    for path in files(&tests.join("acceptance")).into_iter().chain(files(&tests.join("rules"))) {
        let parts: Vec<_> =
            path.strip_prefix(&tests).unwrap().iter().map(|part| part.to_string_lossy()).collect();
        let file = parts.join("--");
        if !wanted(&file) {
            continue;
        }
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&fs::read_to_string(&path).unwrap()).unwrap();
        let [object] = &documents[..] else { continue };
        let mut object = object.clone();
        complete(&mut object, namespace);
        manifests.push(Manifest { file, object });
    }
    manifests
}

/// Writes them into a folder, a file each.
pub(crate) fn write<'m>(folder: &Path, manifests: impl IntoIterator<Item = &'m Manifest>) {
    fs::create_dir(folder).unwrap();
    for manifest in manifests {
        fs::write(folder.join(&manifest.file), serde_saphyr::to_string(&manifest.object).unwrap())
            .unwrap();
    }
}

/// Reads one of them again.
pub(crate) fn read(folder: &Path, file: &str) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

/// The pod that a controller would create from `object`, but for its owner; itself, if it is a pod.
/// `None` where it makes none.
pub(crate) fn pod_of(object: &Value) -> Option<Value> {
    let template = match object["kind"].as_str()? {
        "Pod" => return Some(object.clone()),
        "CronJob" => &object["spec"]["jobTemplate"]["spec"]["template"],
        _ => &object["spec"]["template"],
    };
    let mut pod = template.is_object().then(|| template.clone())?;
    let metadata = pod.as_object_mut()?.entry("metadata").or_insert_with(|| json!({}));
    metadata["namespace"] = object["metadata"]["namespace"].clone();
    metadata["generateName"] = json!("made-");
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    Some(pod)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// Adds what the API server asks for and no rule needed.
fn complete(object: &mut Value, namespace: &str) {
    let kind = object["kind"].as_str().unwrap().to_owned();
    let metadata = map(&mut object["metadata"]);
    metadata.insert("namespace".to_owned(), json!(namespace));
    if !metadata.contains_key("generateName") {
        metadata.entry("name").or_insert_with(|| json!("app"));
    }
    // a mirror pod is on its node when it is created
    let is_mirror = metadata
        .get("annotations")
        .is_some_and(|annotations| !annotations["kubernetes.io/config.mirror"].is_null());
    let spec = &mut object["spec"];
    if is_mirror {
        map(spec).insert("nodeName".to_owned(), json!("node"));
    }
    match &*kind {
        "VerticalPodAutoscaler" => return,
        "Pod" => return complete_pod(spec),
        "CronJob" => {
            map(spec).entry("schedule").or_insert_with(|| json!("0 3 * * *"));
            complete_job(&mut spec["jobTemplate"]["spec"]);
        }
        "Job" => complete_job(spec),
        "ReplicationController" => {
            let labels = labels(spec);
            map(spec).entry("selector").or_insert(labels);
        }
        _ => {
            let labels = labels(spec);
            map(spec).entry("selector").or_insert_with(|| json!({"matchLabels": labels}));
            if kind != "DaemonSet" {
                // the API server would, and then nobody can tell whether an autoscaler was meant to
                // own them
                map(spec).entry("replicas").or_insert(json!(1));
            }
        }
    }
    let template = if kind == "CronJob" {
        &mut spec["jobTemplate"]["spec"]["template"]
    } else {
        &mut spec["template"]
    };
    complete_pod(&mut template["spec"]);
}

/// The labels of the template.
fn labels(spec: &mut Value) -> Value {
    let metadata = map(&mut spec["template"]["metadata"]);
    metadata.entry("labels").or_insert_with(|| json!({"app": "app"})).clone()
}

fn complete_job(spec: &mut Value) {
    map(&mut spec["template"]["spec"]).entry("restartPolicy").or_insert_with(|| json!("Never"));
}

fn complete_pod(spec: &mut Value) {
    for list in ["initContainers", "containers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            map(container).entry("image").or_insert_with(|| json!("example.com/app:1"));
        }
    }
}

/// The fields of `value`, which gets them where it has none.
fn map(value: &mut Value) -> &mut Map<String, Value> {
    if value.is_null() {
        *value = json!({});
    }
    value.as_object_mut().unwrap()
}
