//! A rollout: an annotation on the template, watched until the controller has replaced every pod.

use std::ops::ControlFlow;

use anyhow::{anyhow, bail};
use futures_util::StreamExt;
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::cluster::Cluster;
use crate::cluster::error::{error_message, watch_error_message};
use crate::cluster::kind::Kind;
use crate::explain::live::unstructured;
use crate::manifest::unstructured::Unstructured;
use crate::operate::keeper::Keeper;
use crate::operate::sight::{Watched, is_refusal};

/// What `kubectl rollout restart` writes.
const ANNOTATION: &str = "kubectl.kubernetes.io/restartedAt";

/// How far a rollout is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Something is left to do.
    UnderWay(String),
    /// Every pod is new and available.
    Done,
    /// The controller has given up on it.
    Stalled(String),
}

/// Begins it, or with `dry_run` asks what would be answered: the generation that asks for it, or
/// who says no.
///
/// # Errors
///
/// Where there is no answer.
pub(super) async fn begin(
    cluster: &Cluster,
    keeper: &Keeper,
    dry_run: bool,
) -> anyhow::Result<Result<i64, String>> {
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let metadata = json!({"metadata": {"annotations": {ANNOTATION: now}}});
    let mut patch = json!({"spec": {"template": metadata}});
    if let Some(fields) = patch.as_object_mut() {
        fields.insert("metadata".to_owned(), json!({"uid": keeper.uid}));
    }
    let parameters = PatchParams { dry_run, ..PatchParams::default() };
    let patched =
        kind(keeper)?.api(cluster).patch(&keeper.name, &parameters, &Patch::Merge(&patch)).await;
    match patched {
        Ok(object) => Ok(Ok(object.metadata.generation.unwrap_or_default())),
        Err(error @ kube::Error::Api(_)) => Ok(Err(error_message(&error))),
        Err(error) => bail!("the API server does not answer: {}", error_message(&error)),
    }
}

fn kind(keeper: &Keeper) -> anyhow::Result<&'static Kind> {
    Kind::find(&keeper.kind).ok_or_else(|| anyhow!("{} is not known", keeper.kind))
}

/// Watches the workload until `judge` breaks, at most until `limit`.
///
/// # Errors
///
/// Where it may not be watched, or is gone.
pub(super) async fn until<T>(
    cluster: &Cluster,
    keeper: &Keeper,
    limit: Instant,
    mut judge: impl FnMut(&Unstructured) -> ControlFlow<T>,
) -> anyhow::Result<Watched<T>> {
    let kind = kind(keeper)?;
    let mut seen = watcher::watch_object(kind.api(cluster), &keeper.name).default_backoff().boxed();
    loop {
        match timeout_at(limit, seen.next()).await {
            Err(_) => return Ok(Watched::TimedOut),
            Ok(Some(Ok(Some(object)))) => {
                if let ControlFlow::Break(end) = judge(&unstructured(kind, cluster, &object)?) {
                    return Ok(Watched::Ended(end));
                }
            }
            Ok(Some(Ok(None))) => bail!("{} is gone", keeper.target()),
            Ok(Some(Err(error))) if is_refusal(&error) => {
                let (target, error) = (keeper.target(), watch_error_message(&error));
                bail!("{target} cannot be watched: {error}")
            }
            // the watch begins again after a while
            Ok(Some(Err(_))) => {}
            Ok(None) => bail!("the watch on {} has ended", keeper.target()),
        }
    }
}

/// How far the rollout of `workload` is that this generation asks for, as kubectl tells it.
pub(super) fn progress(workload: &Unstructured, generation: i64) -> Progress {
    let number = |pointer: &str| workload.number(pointer).unwrap_or_default();
    let status = |field: &str| number(&format!("/status/{field}"));
    if number("/status/observedGeneration") < generation {
        return Progress::UnderWay("its controller has not seen it yet".to_owned());
    }
    let (wanted, updated, available) = match workload.kind.as_str() {
        "DaemonSet" => (
            status("desiredNumberScheduled"),
            status("updatedNumberScheduled"),
            status("numberAvailable"),
        ),
        "StatefulSet" => (replicas(workload), status("updatedReplicas"), status("readyReplicas")),
        _ => (replicas(workload), status("updatedReplicas"), status("availableReplicas")),
    };
    if let Some(why) = gave_up(workload) {
        return Progress::Stalled(why);
    }
    let old = match workload.kind.as_str() {
        "Deployment" => status("replicas").saturating_sub(updated),
        _ => 0,
    };
    let is_current =
        workload.text("/status/currentRevision") == workload.text("/status/updateRevision");
    let said = |text: String| Progress::UnderWay(text);
    if updated < wanted {
        return said(format!("{updated} of {wanted} pods are new"));
    }
    if old > 0 {
        return said(format!("{old} old pods are on their way out"));
    }
    if available < updated {
        return said(format!("{available} of {updated} new pods are available"));
    }
    if workload.kind == "StatefulSet" && !is_current {
        return said("the controller has not finished it".to_owned());
    }
    Progress::Done
}

/// Of what says nothing it is one.
fn replicas(workload: &Unstructured) -> i64 {
    workload.number("/spec/replicas").unwrap_or(1)
}

fn gave_up(workload: &Unstructured) -> Option<String> {
    let conditions = workload.value().pointer("/status/conditions")?.as_array()?;
    let word = |one: &Value, key: &str| one.get(key).and_then(Value::as_str).map(str::to_owned);
    let progressing =
        conditions.iter().find(|one| word(one, "type").as_deref() == Some("Progressing"))?;
    (word(progressing, "reason").as_deref() == Some("ProgressDeadlineExceeded"))
        .then(|| word(progressing, "message").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: &str, status: Value) -> Progress {
        let object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"},
            "spec": {"replicas": 2}, "status": status});
        progress(&Unstructured::of(object, "shop").unwrap(), 4)
    }

    fn under_way(progress: Progress) -> String {
        match progress {
            Progress::UnderWay(why) => why,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_deployment_is_done_once_every_pod_is_new_and_available() {
        let status = |observed: i64, replicas: i64, updated: i64, available: i64| json!({"observedGeneration": observed, "replicas": replicas, "updatedReplicas": updated, "availableReplicas": available});
        let said = |status| under_way(told("Deployment", status));
        assert_eq!(said(status(3, 2, 2, 2)), "its controller has not seen it yet");
        assert_eq!(said(status(4, 3, 1, 2)), "1 of 2 pods are new");
        assert_eq!(said(status(4, 3, 2, 2)), "1 old pods are on their way out");
        assert_eq!(said(status(4, 2, 2, 1)), "1 of 2 new pods are available");
        assert_eq!(told("Deployment", status(4, 2, 2, 2)), Progress::Done);
        let mut late = status(4, 3, 1, 2);
        late["conditions"] = json!([{"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "too long"}]);
        assert_eq!(told("Deployment", late), Progress::Stalled("too long".to_owned()));
    }

    #[test]
    fn sets_are_done_by_their_own_numbers() {
        let set = |updated: i64, ready: i64, current: &str| {
            told(
                "StatefulSet",
                json!({"observedGeneration": 4, "updatedReplicas": updated, "readyReplicas": ready,
                "currentRevision": current, "updateRevision": "b"}),
            )
        };
        assert_eq!(under_way(set(1, 2, "a")), "1 of 2 pods are new");
        assert_eq!(under_way(set(2, 1, "b")), "1 of 2 new pods are available");
        assert_eq!(under_way(set(2, 2, "a")), "the controller has not finished it");
        assert_eq!(set(2, 2, "b"), Progress::Done);
        let daemons = json!({"observedGeneration": 4, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2});
        assert_eq!(under_way(told("DaemonSet", daemons)), "2 of 3 new pods are available");
    }
}
