//! What runs right now: the live memory of a pod, and what is left of a node.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{Request, StatusCode};
use kube::Client;
use kube::client::Body;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::cluster::error::error_message;
use crate::cluster::node_room::NodeRoom;
use crate::judge::rule::LookUp;
use crate::judge::subject::Subject;
use crate::kube::name::{is_dns_label, is_dns_subdomain};
use crate::kube::node_capacity::NodeCapacity;
use crate::kube::usage::Usage;
use crate::serve::metrics::{LookUpOutcome, SharedMetrics};

use super::usage;

/// The most look-ups at a time; the next is not made. Whoever floods the service does not flood the
/// API server.
const AT_A_TIME: usize = 16;

/// The largest answer that is read, in bytes: the pods of a node that is full.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// Asks for what runs right now.
pub(in crate::serve) struct Live {
    client: Option<Client>,
    deadline: Duration,
    permits: Semaphore,
    metrics: SharedMetrics,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Live").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// A pod whose memory is asked for.
#[derive(Debug)]
pub(super) struct Pod {
    namespace: String,
    name: String,
}

impl Pod {
    pub(super) fn of(subject: &Subject<'_>) -> Self {
        Self { namespace: subject.namespace.to_string(), name: subject.name.to_string() }
    }
}

/// A node whose room is asked for, and the pod that it is for.
#[derive(Debug)]
pub(super) struct Node {
    name: String,
    uid: String,
}

impl Node {
    pub(super) fn of(subject: &Subject<'_>) -> Self {
        let old = subject.old_object.as_ref();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self {
            name: text(old.map(|old| &*old.spec.node_name)),
            uid: text(old.map(|old| &*old.metadata.uid)),
        }
    }
}

impl Live {
    /// Asks through `client`, which should not ask again of its own: the deadline ends sooner.
    pub(in crate::serve) fn new(
        client: Option<Client>,
        deadline: Duration,
        metrics: SharedMetrics,
    ) -> Self {
        Self { client, deadline, permits: Semaphore::new(AT_A_TIME), metrics }
    }

    /// The live memory of `pod`.
    pub(super) async fn usage(&self, pod: Option<Pod>) -> Option<Usage> {
        let Pod { namespace, name } = pod?;
        let usage = async {
            // not everybody who sends a review is the API server: no name may lead elsewhere
            if !is_dns_label(&namespace) || !is_dns_subdomain(&name) {
                return Err(LookUpOutcome::Absent);
            }
            let answer = self
                .get(format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods/{name}"))
                .await?;
            usage::read(&answer).ok_or_else(not_understood)
        };
        self.look_up(LookUp::Usage, usage).await
    }

    /// What is left of `node`.
    pub(super) async fn node_capacity(&self, node: Option<Node>) -> Option<NodeCapacity> {
        let Node { name, uid } = node?;
        let node_capacity = async {
            // without an identity the pod would count twice
            if !is_dns_subdomain(&name) || uid.is_empty() {
                return Err(LookUpOutcome::Absent);
            }
            // resourceVersion=0: from the API server's cache, which keeps pods by node
            let selector = format!(
                "spec.nodeName%3D{name}%2Cstatus.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed"
            );
            let node = self.get(format!("/api/v1/nodes/{name}?resourceVersion=0"));
            let pods = self.get(format!("/api/v1/pods?resourceVersion=0&fieldSelector={selector}"));
            let (node, pods) = tokio::try_join!(node, pods)?;
            // megabytes are read elsewhere, so that the deadline holds
            let read = move || NodeRoom::read(&node, &pods)?.capacity(&uid);
            let node_capacity = spawn_blocking(read).await;
            node_capacity.ok().flatten().ok_or_else(not_understood)
        };
        self.look_up(LookUp::NodeCapacity, node_capacity).await
    }

    /// Waits for `answer`, but neither for a permit nor beyond the deadline.
    async fn look_up<T>(
        &self,
        what: LookUp,
        answer: impl Future<Output = Result<T, LookUpOutcome>>,
    ) -> Option<T> {
        let answer = match self.permits.try_acquire() {
            Ok(_permit) => tokio::time::timeout(self.deadline, answer)
                .await
                .unwrap_or(Err(LookUpOutcome::TooSlow)),
            Err(_) => Err(LookUpOutcome::Busy),
        };
        self.metrics.look_up(what, answer.as_ref().err().copied().unwrap_or(LookUpOutcome::Found));
        answer.ok()
    }

    /// The body of a successful answer.
    async fn get(&self, path: String) -> Result<Bytes, LookUpOutcome> {
        let failed = |path: &str, error: String| {
            warn!(path, error, "the API server cannot be asked what runs");
            LookUpOutcome::Failed
        };
        let client = self.client.as_ref().ok_or(LookUpOutcome::Absent)?;
        let request = Request::get(&path)
            .body(Body::empty())
            .map_err(|error| failed(&path, error.to_string()))?;
        let answer =
            client.send(request).await.map_err(|error| failed(&path, error_message(&error)))?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(LookUpOutcome::Absent),
            status => return Err(failed(&path, status.to_string())),
        }
        let body = Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await;
        body.map(|body| body.to_bytes()).map_err(|error| failed(&path, error.to_string()))
    }
}

fn not_understood() -> LookUpOutcome {
    warn!("the API server's answer about what runs is not understood");
    LookUpOutcome::Failed
}

#[cfg(test)]
mod tests;
