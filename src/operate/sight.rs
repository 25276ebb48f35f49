//! What a watch shows of one pod: the pod, and the events about it. Nothing is polled.

use std::ops::ControlFlow;
use std::time::Duration;

use anyhow::{anyhow, bail};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use k8s_openapi::api::core::v1::Event;
use kube::api::DynamicObject;
use kube::runtime::watcher::{self, Config};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, ResourceExt};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::cluster::Cluster;
use crate::cluster::error::watch_error_message;
use crate::cluster::kind::Kind;
use crate::explain::live::unstructured;
use crate::manifest::unstructured::Unstructured;

/// A pod and the events about it, as a watch shows them at one time.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// The pod of this name; `None` where there is none.
    pub(super) pod: Option<Unstructured>,
    /// Whether a pod of this name was looked for already.
    is_known: bool,
    /// The events about it; `None` where they may not be read.
    pub(super) events: Option<Vec<Value>>,
}

/// What came of watching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Watched<T> {
    /// It is over.
    Ended(T),
    /// It was not over in time.
    TimedOut,
}

/// A watch on one pod and on its events.
pub(super) struct PodWatch {
    cluster: Cluster,
    kind: &'static Kind,
    pods: BoxStream<'static, watcher::Result<Option<DynamicObject>>>,
    events: BoxStream<'static, watcher::Result<watcher::Event<Event>>>,
    sight: Sight,
}

impl PodWatch {
    /// Watches the pod of this name. Interruptions are bridged.
    ///
    /// # Errors
    ///
    /// Where no pod can be called so.
    pub(super) fn start(cluster: &Cluster, name: &str) -> anyhow::Result<Self> {
        let Some(kind) = Kind::find("pods") else { bail!("pods are not known") };
        let fields = format!("involvedObject.kind=Pod,involvedObject.name={name}");
        let events: Api<Event> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
        let pods = watcher::watch_object(kind.api(cluster), name).default_backoff().boxed();
        let events = watch(events, Config::default().fields(&fields)).default_backoff().boxed();
        let sight = Sight { events: Some(Vec::new()), ..Sight::default() };
        Ok(Self { cluster: cluster.clone(), kind, pods, events, sight })
    }

    /// Watches until `judge` breaks, at most until `limit`.
    ///
    /// # Errors
    ///
    /// Where the pod may not be watched.
    pub(super) async fn until<T>(
        &mut self,
        limit: Instant,
        mut judge: impl FnMut(&Sight) -> ControlFlow<T>,
    ) -> anyhow::Result<Watched<T>> {
        loop {
            if self.sight.is_known
                && let ControlFlow::Break(end) = judge(&self.sight)
            {
                return Ok(Watched::Ended(end));
            }
            match timeout_at(limit, self.next()).await {
                Ok(seen) => seen?,
                Err(_) => return Ok(Watched::TimedOut),
            }
        }
    }

    /// The first sight of the pod.
    ///
    /// # Errors
    ///
    /// Where the pod may not be watched, or nothing is seen of it within `limit`.
    pub(super) async fn first(&mut self, limit: Duration) -> anyhow::Result<&Sight> {
        let limit = Instant::now().checked_add(limit).unwrap_or_else(Instant::now);
        while !self.sight.is_known {
            let seen = timeout_at(limit, self.next()).await;
            seen.map_err(|_| anyhow!("the API server does not show the pod"))??;
        }
        Ok(&self.sight)
    }

    /// What was seen last.
    pub(super) fn sight(&self) -> &Sight {
        &self.sight
    }

    /// Waits for the next change.
    async fn next(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            pod = self.pods.next() => self.see_pod(pod),
            event = self.events.next(), if self.sight.events.is_some() => {
                self.see_event(event);
                Ok(())
            }
        }
    }

    fn see_pod(
        &mut self,
        pod: Option<watcher::Result<Option<DynamicObject>>>,
    ) -> anyhow::Result<()> {
        match pod {
            Some(Ok(pod)) => {
                let pod = pod.map(|pod| unstructured(self.kind, &self.cluster, &pod));
                self.sight.pod = pod.transpose()?;
                self.sight.is_known = true;
            }
            Some(Err(error)) if is_refusal(&error) => {
                bail!("the pod cannot be watched: {}", watch_error_message(&error))
            }
            // the watch begins again after a while
            Some(Err(_)) => {}
            None => bail!("the watch on the pod has ended"),
        }
        Ok(())
    }

    fn see_event(&mut self, event: Option<watcher::Result<watcher::Event<Event>>>) {
        let seen = self.sight.events.get_or_insert_default();
        let is_named = |value: &Value, name: &str| {
            value.pointer("/metadata/name").and_then(Value::as_str) == Some(name)
        };
        match event {
            Some(Ok(watcher::Event::Apply(event) | watcher::Event::InitApply(event))) => {
                let name = event.name_any();
                seen.retain(|value| !is_named(value, &name));
                seen.extend(serde_json::to_value(event).ok());
            }
            Some(Ok(watcher::Event::Delete(event))) => {
                let name = event.name_any();
                seen.retain(|value| !is_named(value, &name));
            }
            Some(Ok(watcher::Event::Init)) => seen.clear(),
            Some(Ok(watcher::Event::InitDone)) => {}
            // the pod's own status tells what matters
            Some(Err(error)) if is_refusal(&error) => self.sight.events = None,
            Some(Err(_)) => {}
            None => self.sight.events = None,
        }
    }
}

/// Whether it would be refused again.
pub(super) fn is_refusal(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(kube::Error::Api(status))
    | watcher::Error::WatchStartFailed(kube::Error::Api(status))
    | watcher::Error::WatchFailed(kube::Error::Api(status))) = error
    else {
        return false;
    };
    matches!(status.code, 401 | 403)
}
