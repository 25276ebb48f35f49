//! What is in the cluster, and what is asked of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::Context;
use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use crate::bodies::{Asked, body};
use crate::cases::Size;

use super::caller::Request;
use super::{Operation, Policy, hooks};

/// The webhook configurations as the chart renders them for the end-to-end tests.
const WEBHOOKS: &str = include_str!("../../../tests/e2e/webhooks.yaml");

/// The policies in CEL as the chart renders them for the end-to-end tests.
const CEL: &str = include_str!("../../../tests/e2e/fallback.yaml");

/// The installation's name in [`WEBHOOKS`]; the certificate is for its Service.
const INSTALLATION: &str = "bench";

/// The pod that this caller resizes: each has its own, so that none comes with less than another
/// has set.
fn resized(caller: usize) -> String {
    format!("db-{caller}")
}

/// The pods and patches.
#[derive(Debug)]
pub(super) struct Objects {
    /// A namespace each.
    pub(super) policies: Vec<Policy>,
    created: Value,
    container: String,
    /// Grows with each resize, so that each changes something.
    mebibytes: Arc<AtomicU64>,
}

impl Objects {
    /// Pods as in the reviews of this size.
    pub(super) fn new(size: Size, policies: Vec<Policy>) -> anyhow::Result<Self> {
        let review: Value = serde_json::from_str(&body(Asked::Creation, size.weight())?)?;
        let mut created =
            review.pointer("/request/object").context("the review has no pod")?.clone();
        let metadata = created
            .pointer_mut("/metadata")
            .and_then(Value::as_object_mut)
            .context("the pod has no metadata")?;
        for field in ["managedFields", "name", "namespace"] {
            metadata.remove(field);
        }
        metadata.insert("generateName".to_owned(), json!("batch-"));
        let container = created
            .pointer("/spec/containers/0/name")
            .and_then(Value::as_str)
            .context("the pod has no container")?;
        Ok(Self {
            policies,
            container: container.to_owned(),
            created,
            mebibytes: Arc::new(AtomicU64::new(4 * 1024)),
        })
    }

    /// What is there before the first request, as YAML documents.
    pub(super) fn manifests(
        &self,
        callers: usize,
        port: u16,
        authority: &str,
    ) -> anyhow::Result<Vec<String>> {
        let label = |policy: &Policy| match policy {
            // hooks for peers go by the namespace's name
            Policy::None | Policy::Peer(_) => json!({}),
            Policy::Cel => json!({"e2e.example/fallback": "yes"}),
            Policy::Restraint => json!({"e2e.example/installation": INSTALLATION}),
        };
        let namespace = |name: &str, labels: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        let own = format!("restraint-{INSTALLATION}");
        let mut first: Vec<Value> = self
            .policies
            .iter()
            .map(|policy| namespace(&policy.namespace(), label(policy)))
            .collect();
        first.push(namespace(&own, json!({})));
        // an address of this machine passes for a name, so the API server speaks to it as it does
        // to any Service
        first.push(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "restraint", "namespace": own},
            "spec": {"type": "ExternalName", "externalName": "127.0.0.1"},
        }));
        for (policy, caller) in
            self.policies.iter().flat_map(|policy| (0..callers).map(move |caller| (policy, caller)))
        {
            let mut pod = self.created.clone();
            if let Some(metadata) = pod.pointer_mut("/metadata") {
                *metadata = json!({"name": resized(caller), "namespace": policy.namespace(), "labels": {"app": "db"}});
            }
            first.push(pod);
        }
        let first = json!({"apiVersion": "v1", "kind": "List", "items": first}).to_string();
        let webhooks = WEBHOOKS.replace("${INSTALLATION}", INSTALLATION);
        let webhooks =
            webhooks.replace("${PORT}", &port.to_string()).replace("${CA_BUNDLE}", authority);
        let mut manifests = vec![first, CEL.to_owned(), webhooks];
        for policy in &self.policies {
            if let Policy::Peer(peer) = policy {
                manifests.push(hooks::of(peer, &policy.namespace())?);
            }
        }
        Ok(manifests)
    }

    /// Makes a caller's requests of a kind in a namespace.
    pub(super) fn request(
        &self,
        operation: Operation,
        policy: &Policy,
        caller: usize,
    ) -> impl Fn() -> Request + Clone + Send + use<> {
        let (namespace, dry_run) =
            (policy.namespace(), if operation.is_dry_run() { "?dryRun=All" } else { "" });
        let (container, pod, mebibytes) =
            (self.container.clone(), resized(caller), Arc::clone(&self.mebibytes));
        let created = Bytes::from(self.created.to_string());
        move || match operation {
            Operation::CreateDryRun | Operation::CreateStored => Request {
                method: Method::POST,
                path: format!("/api/v1/namespaces/{namespace}/pods{dry_run}"),
                content_type: "application/json",
                body: created.clone(),
            },
            Operation::ResizeDryRun | Operation::ResizeStored => {
                let memory = format!("{}Mi", mebibytes.fetch_add(1, Relaxed) + 1);
                let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/resize{dry_run}");
                resize(path, &container, json!({"limits": {"memory": memory}}))
            }
        }
    }

    /// A resize that takes memory, as a dry run.
    pub(super) fn lowered(&self, policy: &Policy) -> Request {
        let (namespace, pod) = (policy.namespace(), resized(0));
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/resize?dryRun=All");
        let memory = json!({"memory": "1Gi"});
        resize(path, &self.container, json!({"limits": memory, "requests": memory}))
    }
}

fn resize(path: String, container: &str, resources: Value) -> Request {
    let patch = json!({"spec": {"containers": [{"name": container, "resources": resources}]}});
    Request {
        method: Method::PATCH,
        path,
        content_type: "application/strategic-merge-patch+json",
        body: Bytes::from(patch.to_string()),
    }
}
