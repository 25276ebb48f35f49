//! When objects of the API server may have changed.

use std::fmt;

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, SelectAll};
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};

/// A watch over single objects. It is a hint only: what goes wrong with it is healed by a poll.
#[derive(Default)]
pub(in crate::serve) struct ObjectWatch(SelectAll<BoxStream<'static, Result<(), watcher::Error>>>);

impl ObjectWatch {
    /// Watches the object called `name`, too.
    pub(in crate::serve) fn and<K>(mut self, objects: Api<PartialObjectMeta<K>>, name: &str) -> Self
    where
        K: Resource<DynamicType = ()> + Clone + fmt::Debug + Send + Sync + 'static,
    {
        let only = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let changes = watcher(objects, only).default_backoff();
        self.0.push(changes.map(|event| event.map(drop)).boxed());
        self
    }

    /// Waits until one of them may have changed. Safe to cancel.
    pub(in crate::serve) async fn changed(&mut self) {
        loop {
            match self.0.next().await {
                Some(Ok(())) => return,
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }
}
