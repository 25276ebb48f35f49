//! The cluster that is audited: namespaces with Deployments, their ReplicaSets, pods that run, and
//! the ConfigMaps that they refer to.

use std::fmt;

use anyhow::Context;
use serde::Serialize;
use serde_json::{Value, json};

use crate::bodies::{Asked, Weight, body};
use crate::measure::show;

use super::store::Store;

/// When everything was made.
const TIME: &str = "2026-11-21T08:37:42Z";

/// One Deployment in so many has ten faults.
const FAULTY: usize = 20;

/// One pod in so many has no owner.
const BARE: usize = 100;

/// How large the cluster is.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Fleet {
    /// Namespaces.
    #[arg(long, default_value_t = 1_000, value_name = "COUNT")]
    namespaces: usize,

    /// Deployments, spread over the namespaces.
    #[arg(long, default_value_t = 5_000, value_name = "COUNT")]
    deployments: usize,

    /// Pods, spread over the Deployments.
    #[arg(long, default_value_t = 50_000, value_name = "COUNT")]
    pods: usize,

    /// ReplicaSets of each Deployment; all but one are of former templates.
    #[arg(long, default_value_t = 3, value_name = "COUNT")]
    replica_sets: usize,
}

/// What was written.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    pub(super) namespaces: usize,
    pub(super) deployments: usize,
    pub(super) replica_sets: usize,
    pub(super) pods: usize,
    /// Bytes of all objects.
    pub(super) bytes: u64,
    /// Bytes of one pod.
    pub(super) pod_bytes: usize,
}

/// What objects are made of.
struct Patterns {
    pod: Value,
    deployment: Value,
    faulty: Value,
}

impl Fleet {
    /// Writes it.
    pub(super) async fn write(&self, store: &mut Store) -> anyhow::Result<Written> {
        let patterns = Patterns::new()?;
        let (namespaces, deployments) = (self.namespaces.max(1), self.deployments.max(1));
        for index in 0..namespaces {
            let name = namespace(index);
            let object = json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": name, "uid": uid(1, index), "creationTimestamp": TIME,
                    "labels": {"kubernetes.io/metadata.name": name}},
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}});
            store.put(&format!("/registry/namespaces/{name}"), &object).await?;
            let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": metadata(&name, "shop-config", uid(2, index)),
                "data": {"a.yaml": "colour: blue\n".repeat(80), "LEVEL": "info"}});
            store.put(&format!("/registry/configmaps/{name}/shop-config"), &map).await?;
        }
        for index in 0..deployments {
            if index % 100 == 0 {
                show(&format!("writing Deployment {index} of {deployments}"));
            }
            let (space, name) = (namespace(index % namespaces), format!("web-{index}"));
            let pattern = if index % FAULTY == 0 { &patterns.faulty } else { &patterns.deployment };
            let deployment = placed(pattern, &space, &name, uid(3, index));
            store.put(&format!("/registry/deployments/{space}/{name}"), &deployment).await?;
            for number in 0..self.replica_sets {
                let of = Owned { space: &space, owner: &name, owner_uid: uid(3, index) };
                let set = of.replica_set(pattern, number, uid(4, index * 100 + number));
                let name = hashed(&name, number);
                store.put(&format!("/registry/replicasets/{space}/{name}"), &set).await?;
            }
        }
        for index in 0..self.pods {
            if index % 1_000 == 0 {
                show(&format!("writing pod {index} of {}", self.pods));
            }
            let deployment = index % deployments;
            let space = namespace(deployment % namespaces);
            let owner = format!("web-{deployment}");
            let of = Owned { space: &space, owner: &owner, owner_uid: uid(4, deployment * 100) };
            let (name, pod) = of.pod(&patterns.pod, index);
            store.put(&format!("/registry/pods/{space}/{name}"), &pod).await?;
        }
        store.flush().await?;
        Ok(Written {
            namespaces,
            deployments,
            replica_sets: deployments * self.replica_sets,
            pods: self.pods,
            bytes: store.bytes,
            pod_bytes: patterns.pod.to_string().len(),
        })
    }
}

impl Patterns {
    /// As in reviews, with what a running pod has besides.
    fn new() -> anyhow::Result<Self> {
        let object = |asked, weight| {
            let review: Value = serde_json::from_str(&body(asked, weight)?)?;
            review.pointer("/request/object").cloned().context("the review has no object")
        };
        let mut pod = object(Asked::Creation, Weight::Small)?;
        let running = object(Asked::Increase, Weight::Medium)?;
        set(&mut pod, "status", running.get("status").cloned().unwrap_or_default());
        set(&mut pod, "apiVersion", json!("v1"));
        if let Some(statuses) =
            pod.pointer_mut("/status/containerStatuses").and_then(Value::as_array_mut)
        {
            statuses.truncate(1);
        }
        if let Some(spec) = pod.get_mut("spec") {
            set(spec, "nodeName", json!("node-1.example.com"));
        }
        let faulty = object(Asked::FaultyWorkload, Weight::Small)?;
        let mut deployment = faulty.clone();
        let spec = pod.get("spec").cloned().unwrap_or_default();
        if let Some(template) = deployment.pointer_mut("/spec/template") {
            set(template, "spec", spec);
            if let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) {
                spec.remove("nodeName");
            }
        }
        Ok(Self { pod, deployment, faulty })
    }
}

/// Whose an object is.
struct Owned<'o> {
    space: &'o str,
    owner: &'o str,
    owner_uid: String,
}

impl Owned<'_> {
    fn reference(&self, kind: &str, name: &str) -> Value {
        json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": self.owner_uid,
            "controller": true, "blockOwnerDeletion": true}])
    }

    /// The ReplicaSet of a template, the present one first.
    fn replica_set(&self, deployment: &Value, number: usize, uid: String) -> Value {
        let mut object = placed(deployment, self.space, &hashed(self.owner, number), uid);
        set(&mut object, "kind", json!("ReplicaSet"));
        if let Some(metadata) = object.get_mut("metadata") {
            set(metadata, "ownerReferences", self.reference("Deployment", self.owner));
        }
        if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
            for field in ["strategy", "revisionHistoryLimit", "progressDeadlineSeconds"] {
                spec.remove(field);
            }
            spec.insert("replicas".to_owned(), json!(if number == 0 { 10 } else { 0 }));
        }
        object
    }

    /// The pod with this number, and its name. Few have no owner.
    fn pod(&self, pattern: &Value, index: usize) -> (String, Value) {
        let set_name = hashed(self.owner, 0);
        let name = format!("{set_name}-{index:05}");
        let mut pod = placed(pattern, self.space, &name, uid(5, index));
        if !index.is_multiple_of(BARE)
            && let Some(metadata) = pod.get_mut("metadata")
        {
            set(metadata, "ownerReferences", self.reference("ReplicaSet", &set_name));
            if let Some(labels) = metadata.get_mut("labels") {
                set(labels, "pod-template-hash", json!(hash(0)));
            }
        }
        (name, pod)
    }
}

fn namespace(index: usize) -> String {
    format!("team-{index:04}")
}

fn hash(number: usize) -> String {
    format!("5d4f8c7b{number}")
}

fn hashed(owner: &str, number: usize) -> String {
    format!("{owner}-{}", hash(number))
}

fn uid(kind: usize, index: usize) -> String {
    format!("00000000-0000-4000-800{kind}-{index:012}")
}

fn metadata(space: &str, name: &str, uid: String) -> Value {
    json!({"name": name, "namespace": space, "uid": uid, "creationTimestamp": TIME})
}

/// `pattern` under this name.
fn placed(pattern: &Value, space: &str, name: &str, uid: String) -> Value {
    let mut object = pattern.clone();
    if let Some(known) = object.get_mut("metadata") {
        for (key, value) in metadata(space, name, uid).as_object().into_iter().flatten() {
            set(known, key, value.clone());
        }
        if let Some(known) = known.as_object_mut() {
            known.remove("resourceVersion");
        }
    }
    object
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}

impl fmt::Display for Written {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespaces, deployments, replica_sets, pods, bytes, pod_bytes } = self;
        write!(
            out,
            "{namespaces} namespaces, {deployments} Deployments, {replica_sets} ReplicaSets, {pods} pods of \
             {pod_bytes} bytes, {} MB of objects",
            bytes / 1_000_000
        )
    }
}
