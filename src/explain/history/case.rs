//! What all parts of a history look at.

use jiff::{SignedDuration, Timestamp};

use super::ending::Ending;
use super::event::Events;
use super::kubectl::Kubectl;
use super::record::{Record, Told};
use super::resize::amount::set_memory_limit;
use super::resize::past::{Change, Outcome, PastResize};
use crate::kube::container::Container;
use crate::kube::object::Object;
use crate::kube::quantity::Quantity;

/// Events are kept for about this long.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// A pod with what is known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'c> {
    pub(super) record: &'c Record,
    pub(super) events: &'c Events,
    /// The pod as rules see it; `None` where it cannot be read so.
    pub(super) object: Option<&'c Object<'c>>,
    /// What ended the pod as a whole, or ends it now.
    pub(super) ending: Option<&'c Ending>,
    pub(super) resizes: &'c [PastResize],
    pub(super) kubectl: Kubectl<'c>,
    pub(super) as_of: Option<Timestamp>,
    /// Whether the pod can be resized.
    pub(super) is_resizable: bool,
}

/// A change of a memory limit by a resize that was carried out.
#[derive(Clone, Copy, Debug)]
pub(super) struct LimitChange<'c> {
    pub(super) change: &'c Change,
    pub(super) at: Timestamp,
}

impl LimitChange<'_> {
    /// Whether less memory was left.
    pub(super) fn is_decrease(&self) -> bool {
        let read = |text: &Option<String>| Quantity::parse(text.clone()?).ok();
        match (read(&self.change.from), read(&self.change.to)) {
            (Some(from), Some(to)) => to < from,
            _ => false,
        }
    }
}

impl<'c> Case<'c> {
    /// The container as rules see it.
    pub(super) fn container(&self, name: &str) -> Option<&'c Container<'c>> {
        let all = self.object?.spec.all_containers();
        all.map(|placed| placed.container).find(|container| *container.name == *name)
    }

    /// The memory limit that the spec gives a container: its own, else the pod's.
    pub(super) fn memory_limit(&self, told: Told<'_>) -> Option<String> {
        let own = told.spec.and_then(|container| container.resources.limits.get("memory"));
        let limit = own.or_else(|| self.record.spec.resources.limits.get("memory"))?;
        let is_none = Quantity::parse(limit.as_str()).is_ok_and(|limit| limit.is_zero());
        (!is_none).then(|| limit.clone())
    }

    /// The memory limits of this container that were changed in place, in order.
    pub(super) fn limit_changes(&self, told: Told<'_>) -> impl Iterator<Item = LimitChange<'c>> {
        let has_own = told.spec.is_some_and(|one| one.resources.limits.contains_key("memory"));
        let name = told.status.name.clone();
        let done = self.resizes.iter().filter(|resize| resize.outcome == Outcome::Done);
        done.flat_map(move |resize| {
            let name = name.clone();
            let mine = move |change: &&Change| {
                let holder = change.container.as_ref();
                let is_mine = if has_own { holder == Some(&name) } else { holder.is_none() };
                is_mine && change.resource == "limits.memory"
            };
            let at = resize.started_at.or(resize.finished_at);
            resize
                .changes
                .iter()
                .filter(mine)
                .filter_map(move |change| Some(LimitChange { change, at: at? }))
        })
    }

    /// The command that gives a container this memory limit, or the pod, where the container has
    /// none of its own.
    pub(super) fn set_limit(&self, change: &Change, limit: &str) -> Option<String> {
        let patch = set_memory_limit(self.record, change.container.as_deref(), limit)?;
        self.is_resizable.then(|| self.kubectl.resize(&patch))?
    }

    /// Whether events of that time are gone by now.
    pub(super) fn is_forgotten(&self, time: Timestamp) -> bool {
        self.as_of.is_some_and(|now| now.duration_since(time) > KEPT)
    }
}
