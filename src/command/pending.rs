//! Decreases that were denied and that nobody granted since: what approvers are asked for.
//!
//! All that is known of them are Events. Whoever may write Events can write one like it, so what
//! they say is claimed, and nothing of it is believed about a pod.

mod denial;
mod request;

use std::collections::BTreeMap;

use anyhow::anyhow;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;

use crate::cluster::Cluster;
use crate::cluster::error::error_message;
use crate::cluster::list::list_all;

use denial::{Denial, denials};
pub(super) use request::PendingRequest;

/// What Restraint says of pods, as the API server selects it.
const EVENTS: &str = "reportingController=restraint.dev,regarding.kind=Pod";

/// How many pods are read at a time.
const AT_A_TIME: usize = 8;

/// What waits for an approver in the namespace of `cluster`, or with `everywhere` in all of them, in
/// order of pod and time.
///
/// # Errors
///
/// Where Events cannot be listed, or a pod cannot be read.
pub(super) async fn list(
    cluster: &Cluster,
    everywhere: bool,
    now: Timestamp,
) -> anyhow::Result<Vec<PendingRequest>> {
    let events = if everywhere {
        Api::all(cluster.client.clone())
    } else {
        Api::namespaced(cluster.client.clone(), &cluster.namespace)
    };
    let place = if everywhere {
        "all namespaces".to_owned()
    } else {
        format!("namespace {:?}", cluster.namespace)
    };
    let denials = told(&events, EVENTS, &place, now).await?;
    let pods = pods(cluster, &denials).await?;
    let mut requests: Vec<_> = denials
        .into_iter()
        .filter_map(|denial| {
            let pod = pods.get(&(denial.namespace.clone(), denial.pod.clone()));
            PendingRequest::of(denial, pod.map(Option::as_ref))
        })
        .collect();
    requests.sort_by(|one, other| one.place_and_time().cmp(&other.place_and_time()));
    Ok(requests)
}

/// What waits for an approver of `pod`, the latest first.
///
/// # Errors
///
/// Where Events cannot be listed.
pub(super) async fn of_pod(
    cluster: &Cluster,
    pod: &Pod,
    now: Timestamp,
) -> anyhow::Result<Vec<PendingRequest>> {
    let events = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let place = format!("namespace {:?}", cluster.namespace);
    let mut denials =
        told(&events, &format!("{EVENTS},regarding.name={name}"), &place, now).await?;
    denials.retain(|denial| denial.pod == name);
    Ok(denials
        .into_iter()
        .filter_map(|denial| PendingRequest::of(denial, Some(Some(pod))))
        .collect())
}

async fn told(
    events: &Api<Event>,
    fields: &str,
    place: &str,
    now: Timestamp,
) -> anyhow::Result<Vec<Denial>> {
    let events = list_all(events, &ListParams::default().fields(fields)).await;
    let events = events.map_err(|error| {
        let right = "\"list\" on \"events\" of \"events.k8s.io\"";
        anyhow!(
            "events cannot be listed in {place}: {}{}",
            error_message(&error),
            ask_for(&error, right)
        )
    })?;
    Ok(denials(&events, now))
}

/// The pods that `denials` are about, by namespace and name; `None` for one that is gone.
async fn pods(
    cluster: &Cluster,
    denials: &[Denial],
) -> anyhow::Result<BTreeMap<(String, String), Option<Pod>>> {
    let mut places: Vec<_> = denials
        .iter()
        .filter(|denial| denial.has_valid_name())
        .map(|denial| (denial.namespace.clone(), denial.pod.clone()))
        .collect();
    places.sort();
    places.dedup();
    let read = async |(namespace, name): (String, String)| {
        let api = Api::<Pod>::namespaced(cluster.client.clone(), &namespace);
        let pod = api.get_opt(&name).await.map_err(|error| {
            let (why, way_out) = (error_message(&error), ask_for(&error, "\"get\" on \"pods\""));
            anyhow!("pod/{name} cannot be read in namespace {namespace:?}: {why}{way_out}")
        })?;
        anyhow::Ok(((namespace, name), pod))
    };
    stream::iter(places).map(read).buffer_unordered(AT_A_TIME).try_collect().await
}

/// The way out for whoever may not.
fn ask_for(error: &kube::Error, right: &str) -> String {
    match error {
        kube::Error::Api(status) if status.code == 403 => {
            format!("; ask for {right}: ClusterRole restraint-reader has it")
        }
        _ => String::new(),
    }
}
