//! An eviction, and the pod that takes its place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use anyhow::{anyhow, bail};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::Eviction;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    DeleteOptions, LabelSelector, ObjectMeta, Preconditions,
};
use kube::api::PostParams;
use kube::core::Selector;
use kube::runtime::watcher::{self, Config, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Client, ResourceExt};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::cluster::Cluster;
use crate::cluster::error::{error_message, watch_error_message};
use crate::cluster::pod::is_ready;
use crate::operate::keeper::Keeper;
use crate::operate::sight::{Watched, is_refusal};

use super::around::controller_of;

/// An answer to an eviction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The pod goes.
    Evicted,
    /// A disruption budget keeps it.
    Budget(String),
    /// Somebody else says no.
    Refused(String),
}

/// What became of the place of an evicted pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The evicted pod is still there.
    Going,
    /// Nobody has taken its place yet.
    Empty,
    /// This pod has, and is not ready yet.
    Starting(String),
    /// This pod has, and is ready.
    Ready(String),
    /// This pod has, and a container of it ended.
    Crashed(String, String),
}

/// Evicts the pod of this UID, with a client that asks once.
///
/// # Errors
///
/// Where there is no answer.
pub(super) async fn evict(
    client: &Client,
    namespace: &str,
    pod: &Pod,
    dry_run: bool,
) -> anyhow::Result<Answer> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let parameters = PostParams { dry_run, ..PostParams::default() };
    let (name, body) = (pod.name_any(), eviction(pod, dry_run));
    let answer: kube::Result<Value> =
        pods.create_subresource("eviction", &name, &parameters, &body).await;
    match answer {
        Ok(_) => Ok(Answer::Evicted),
        Err(error @ kube::Error::Api(_)) => Ok(said(&error)),
        Err(error) => bail!("the API server does not answer: {}", error_message(&error)),
    }
}

/// The eviction of this pod and no other. kube's own request names its options as the API server does
/// not, which drops them: a dry run would evict.
fn eviction(pod: &Pod, dry_run: bool) -> Eviction {
    let only_this = Preconditions { uid: pod.metadata.uid.clone(), ..Preconditions::default() };
    let options = DeleteOptions {
        preconditions: Some(only_this),
        dry_run: dry_run.then(|| vec!["All".to_owned()]),
        ..DeleteOptions::default()
    };
    let metadata = ObjectMeta { name: pod.metadata.name.clone(), ..ObjectMeta::default() };
    Eviction { metadata, delete_options: Some(options) }
}

/// Whose no it is: 429 is the budget's.
fn said(error: &kube::Error) -> Answer {
    let message = error_message(error);
    match error {
        kube::Error::Api(status) if status.code == 429 => Answer::Budget(message),
        _ => Answer::Refused(message),
    }
}

/// What became of the place of `evicted`, by the pods of its workload. `known` are the UIDs of
/// those that were there before; of a StatefulSet the new pod has the old name.
pub(super) fn place(
    evicted: &Pod,
    known: &BTreeSet<String>,
    is_stateful: bool,
    pods: &BTreeMap<String, Pod>,
) -> Place {
    let uid = evicted.metadata.uid.clone().unwrap_or_default();
    let is_new = |pod: &&Pod| {
        let other = pod.metadata.uid.clone().unwrap_or_default();
        !known.contains(&other)
            && pod.metadata.deletion_timestamp.is_none()
            && controller_of(pod) == controller_of(evicted)
            && (!is_stateful || pod.metadata.name == evicted.metadata.name)
    };
    // the newest last: of several one that crashed says more than one that waits
    let new: Vec<&Pod> = pods.values().filter(is_new).collect();
    if let Some(ready) = new.iter().find(|pod| is_ready(pod) && end_of(pod).is_none()) {
        return if pods.contains_key(&uid) { Place::Going } else { Place::Ready(ready.name_any()) };
    }
    if let Some((pod, why)) = new.iter().find_map(|pod| Some((pod.name_any(), end_of(pod)?))) {
        return Place::Crashed(pod, why);
    }
    match new.first() {
        Some(pod) => Place::Starting(pod.name_any()),
        None if pods.contains_key(&uid) => Place::Going,
        None => Place::Empty,
    }
}

/// How a container of a new pod ended, if one did.
fn end_of(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let ended = status.container_statuses.iter().flatten().find(|one| {
        let is_down = one.state.as_ref().is_some_and(|state| state.terminated.is_some());
        one.restart_count > 0 || is_down
    })?;
    let states = [ended.last_state.as_ref(), ended.state.as_ref()];
    let last = states.into_iter().flatten().find_map(|state| state.terminated.as_ref());
    let code = last.map(|last| format!(" with exit code {}", last.exit_code)).unwrap_or_default();
    Some(format!("container {:?} ended{code}", ended.name))
}

/// A watch on the pods of a workload.
pub(super) struct PodsWatch {
    stream: BoxStream<'static, watcher::Result<Event<Pod>>>,
    /// By UID.
    pods: BTreeMap<String, Pod>,
    /// What a list that is not whole yet has shown.
    listed: BTreeMap<String, Pod>,
    is_known: bool,
}

impl PodsWatch {
    /// Watches the pods that `keeper` selects, or without a selector those of the namespace.
    pub(super) fn start(cluster: &Cluster, keeper: &Keeper) -> Self {
        let selector = keeper.object.as_ref().and_then(|object| {
            let written = object.value().pointer("/spec/selector")?;
            let selector: LabelSelector = serde_json::from_value(written.clone()).ok()?;
            Selector::try_from(selector).ok()
        });
        let config = Config::default();
        let config = match &selector {
            Some(selector) => config.labels_from(selector),
            None => config,
        };
        let stream = watch(cluster.pods(), config).default_backoff().boxed();
        let (pods, listed) = (BTreeMap::new(), BTreeMap::new());
        Self { stream, pods, listed, is_known: false }
    }

    /// Watches until `judge` breaks, at most until `limit`.
    ///
    /// # Errors
    ///
    /// Where the pods may not be watched.
    pub(super) async fn until<T>(
        &mut self,
        limit: Instant,
        mut judge: impl FnMut(&BTreeMap<String, Pod>) -> ControlFlow<T>,
    ) -> anyhow::Result<Watched<T>> {
        loop {
            if self.is_known
                && let ControlFlow::Break(end) = judge(&self.pods)
            {
                return Ok(Watched::Ended(end));
            }
            match timeout_at(limit, self.stream.next()).await {
                Ok(event) => self.see(event)?,
                Err(_) => return Ok(Watched::TimedOut),
            }
        }
    }

    fn see(&mut self, event: Option<watcher::Result<Event<Pod>>>) -> anyhow::Result<()> {
        let keyed = |pod: Pod| (pod.metadata.uid.clone().unwrap_or_default(), pod);
        match event {
            Some(Ok(Event::Apply(pod))) => self.pods.extend([keyed(pod)]),
            Some(Ok(Event::Delete(pod))) => drop(self.pods.remove(&keyed(pod).0)),
            Some(Ok(Event::Init)) => self.listed.clear(),
            Some(Ok(Event::InitApply(pod))) => self.listed.extend([keyed(pod)]),
            Some(Ok(Event::InitDone)) => {
                self.pods = std::mem::take(&mut self.listed);
                self.is_known = true;
            }
            Some(Err(error)) if is_refusal(&error) => {
                return Err(anyhow!("pods cannot be watched: {}", watch_error_message(&error)));
            }
            // the watch begins again after a while
            Some(Err(_)) => {}
            None => bail!("the watch on the pods has ended"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, uid: &str, ready: bool, status: Value) -> Pod {
        let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "owner", "controller": true});
        let condition = json!({"type": "Ready", "status": if ready { "True" } else { "False" }});
        let status = json!({"conditions": [condition], "containerStatuses": status});
        serde_json::from_value(json!({"metadata": {"name": name, "uid": uid, "ownerReferences": [owner]}, "status": status})).unwrap()
    }

    fn told(is_stateful: bool, pods: &[Pod]) -> Place {
        let old = pod("web-0", "old", true, json!([]));
        let known = ["old", "other"].map(str::to_owned).into();
        let pods = pods.iter().map(|pod| (pod.metadata.uid.clone().unwrap(), pod.clone()));
        place(&old, &known, is_stateful, &pods.collect())
    }

    #[test]
    fn the_place_is_taken_by_a_new_pod_that_is_ready() {
        let old = pod("web-0", "old", true, json!([]));
        let other = pod("web-1", "other", true, json!([]));
        let ready = pod("web-0", "new", true, json!([]));
        let starting = pod("web-0", "new", false, json!([]));
        assert_eq!(told(true, &[old.clone(), other.clone()]), Place::Going);
        assert_eq!(told(true, std::slice::from_ref(&other)), Place::Empty);
        assert_eq!(told(true, &[other.clone(), starting]), Place::Starting("web-0".to_owned()));
        assert_eq!(told(true, std::slice::from_ref(&ready)), Place::Ready("web-0".to_owned()));
        assert_eq!(told(false, &[old, ready]), Place::Going, "it still runs beside it");
        let elsewhere = pod("web-2", "new", true, json!([]));
        assert_eq!(told(true, std::slice::from_ref(&elsewhere)), Place::Empty);
        assert_eq!(told(false, &[elsewhere]), Place::Ready("web-2".to_owned()));
    }

    #[test]
    fn a_new_pod_that_ends_is_no_success() {
        let last = json!({"terminated": {"exitCode": 3}});
        let crashed = json!([{"name": "app", "image": "a", "imageID": "", "ready": false, "restartCount": 1, "lastState": last}]);
        let told = told(false, &[pod("web-2", "new", true, crashed)]);
        let why = "container \"app\" ended with exit code 3".to_owned();
        assert_eq!(told, Place::Crashed("web-2".to_owned(), why));
    }

    #[test]
    fn an_eviction_is_of_one_uid_and_a_dry_run_is_one() {
        let pod = pod("web-0", "old", true, json!([]));
        let dry = serde_json::to_value(eviction(&pod, true)).unwrap();
        assert_eq!(dry.pointer("/metadata/name"), Some(&json!("web-0")));
        assert_eq!(dry.pointer("/deleteOptions/preconditions/uid"), Some(&json!("old")));
        assert_eq!(dry.pointer("/deleteOptions/dryRun"), Some(&json!(["All"])));
        let real = serde_json::to_value(eviction(&pod, false)).unwrap();
        assert_eq!(real.pointer("/deleteOptions/dryRun"), None);
    }

    #[test]
    fn only_429_is_the_budget() {
        let answer = |code: u16| {
            let status: kube::core::Status = serde_json::from_value(
                json!({"status": "Failure", "code": code, "message": "no", "reason": "x"}),
            )
            .unwrap();
            said(&kube::Error::Api(status.boxed()))
        };
        assert!(matches!(answer(429), Answer::Budget(_)));
        assert!(matches!(answer(403), Answer::Refused(_)));
    }
}
