//! The memory of one part of a pod before and after a resize.

use crate::judge::patch::{PatchOperation, PatchValue};
use crate::kube::container::Container;
use crate::kube::object::{Placed, Spec};
use crate::kube::part::Part;
use crate::kube::pod_status::PodStatus;
use crate::kube::quantity::Quantity;
use crate::kube::requests::{Requests, WrittenRequests};
use crate::kube::resources::{EffectiveLimit, Resources};

/// The memory of one part of the pod before and after.
///
/// "Before" is what the process has. That is what the stored spec says, or less where the kubelet
/// says that the resize to it waits or failed: growth that was never carried out may be taken back.
#[derive(Clone, Debug)]
pub(crate) struct MemoryChange<'v> {
    /// Which part.
    pub part: Part<'v>,
    /// The effective limit before and after.
    pub limit: (EffectiveLimit<'v>, EffectiveLimit<'v>),
    /// The request before and after.
    pub request: (Option<&'v Quantity<'v>>, Option<&'v Quantity<'v>>),
    /// What `resizePolicy` says of the container's memory; empty where it says nothing, and for the
    /// pod itself.
    pub policy: &'v str,
    /// The container with its place, as resized; `None` for the pod itself.
    placed: Option<Placed<'v, 'v>>,
    /// The effective limit that the stored spec asks for.
    asked: EffectiveLimit<'v>,
    /// The part's own memory as it would be restored.
    restored: Own<'v>,
    /// The part's own memory as resized.
    resized: Own<'v>,
    /// Whether the part only follows the pod-level limit, before and after.
    inherited: bool,
}

/// A part's own memory.
#[derive(Clone, Copy, Debug)]
struct Own<'v> {
    limit: Option<&'v Quantity<'v>>,
    request: Option<&'v Quantity<'v>>,
}

/// The pod before a resize.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before<'v> {
    /// Its stored spec.
    pub spec: &'v Spec<'v>,
    /// Its status, where that says that it has less than the spec asks for.
    pub status: Option<&'v PodStatus<'v>>,
}

impl MemoryChange<'_> {
    /// The container with its place, as resized; `None` for the pod itself.
    pub(crate) fn placed(&self) -> Option<Placed<'_, '_>> {
        self.placed
    }

    /// Whether less memory is asked for than before, be it by the part's own limit or by that of
    /// the pod, and whatever was carried out.
    pub(crate) fn is_lowered(&self) -> bool {
        self.asked.falls_to(self.limit.1)
    }

    /// Whether a limit becomes a larger one. One that goes away does so at the next start only.
    pub(crate) fn limit_grows(&self) -> bool {
        let amounts = self.asked.bytes().zip(self.limit.1.bytes());
        amounts.is_some_and(|(old, new)| old < new)
    }

    /// Whether the effective limit falls below what the process has, or appears where there was
    /// none. Where a container only follows the pod-level limit the pod answers for it.
    pub(crate) fn limit_falls(&self) -> bool {
        !self.inherited && self.limit.0.falls_to(self.limit.1)
    }

    /// Whether limit and request appear where neither was: what a LimitRange of the namespace adds
    /// to whatever resize comes, one of cpu alone too.
    pub(crate) fn may_come_from_limit_range(&self) -> bool {
        let old = self.restored.limit.is_none() && self.restored.request.is_none();
        self.placed.is_some()
            && old
            && self.resized.limit.is_some()
            && self.resized.request.is_some()
    }

    /// Whether limit or request differ from what the process has.
    pub(crate) fn is_change(&self) -> bool {
        let same_limit = match self.limit {
            (EffectiveLimit::Unlimited, EffectiveLimit::Unlimited) => true,
            (EffectiveLimit::Limited(old), EffectiveLimit::Limited(new)) => old == new,
            _ => false,
        };
        !same_limit || self.request.0 != self.request.1
    }

    /// Whether the request falls. No request counts as 0.
    pub(crate) fn request_falls(&self) -> bool {
        match self.request {
            (None, _) => false,
            (Some(old), None) => !old.is_zero(),
            (Some(old), Some(new)) => new < old,
        }
    }

    /// The operations that put request and limit of this part back. What the resize removed stays
    /// away: the API server refuses such a resize.
    pub(crate) fn restoration(&self) -> Vec<PatchOperation> {
        let operation = |field: &str, old: Option<&Quantity<'_>>, new: Option<&Quantity<'_>>| {
            let path = self.pointer(field);
            match (old, new) {
                (Some(old), Some(new)) if old != new => Some(PatchOperation::Add {
                    path,
                    value: PatchValue::Text(old.text().to_owned()),
                }),
                (None, Some(_)) => Some(PatchOperation::Remove { path }),
                _ => None,
            }
        };
        let (old, new) = (self.restored, self.resized);
        [operation("limits", old.limit, new.limit), operation("requests", old.request, new.request)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The limit that a restoration leaves.
    pub(crate) fn restored_limit(&self) -> EffectiveLimit<'_> {
        EffectiveLimit::of(self.restored.limit, None)
    }

    /// The JSON pointer of the memory limit or request: `field` is `limits` or `requests`.
    pub(crate) fn pointer(&self, field: &str) -> String {
        match self.placed {
            None => format!("/spec/resources/{field}/memory"),
            Some(placed) => {
                format!("/spec/{}/{}/resources/{field}/memory", placed.list(), placed.index)
            }
        }
    }
}

impl<'v> Before<'v> {
    /// The change of the pod's own memory.
    ///
    /// Without a limit of its own the pod's cgroup has what the limits of its containers add up to,
    /// if each has one: a first limit of that or more takes nothing.
    pub(super) fn pod_change(self, new: &'v Spec<'v>) -> MemoryChange<'v> {
        let asked = Own::of(&self.spec.resources);
        let had = asked.or_actual(self.status.map(|status| &status.resources));
        let resized = Own::of(&new.resources);
        let limit = match (had.effective(), resized.effective()) {
            (EffectiveLimit::Unlimited, EffectiveLimit::Limited(_)) => self.containers_limit(),
            (limit, _) => limit,
        };
        MemoryChange {
            part: Part::Pod,
            limit: (limit, resized.effective()),
            request: (had.request, resized.request),
            policy: "",
            placed: None,
            asked: asked.effective(),
            restored: asked,
            resized,
            inherited: false,
        }
    }

    /// The change of one container, `new` as resized; `None` where it was not there before, which
    /// the API server refuses.
    pub(super) fn container_change(
        self,
        new_pod: &'v Spec<'v>,
        new: Placed<'v, 'v>,
    ) -> Option<MemoryChange<'v>> {
        let old = self.counterpart(new)?;
        let (asked, had) = (Own::of(&old.resources), self.had(old));
        let resized = Own::of(&new.container.resources);
        let old_limit = self.spec.resources.limits.memory.as_ref();
        let new_limit = new_pod.resources.limits.memory.as_ref();
        let none = |own: Own<'_>| matches!(own.effective(), EffectiveLimit::Unlimited);
        // memory of the pod itself and of its containers must fit together: as written it does
        let alone = !self.spec.resources.sets_memory() && !new_pod.resources.sets_memory();
        Some(MemoryChange {
            part: Part::Container(&new.container.name),
            limit: (
                EffectiveLimit::of(had.limit, old_limit),
                EffectiveLimit::of(resized.limit, new_limit),
            ),
            request: (had.request, resized.request),
            policy: old.policy_for("memory").map_or("", |policy| &policy.restart_policy),
            placed: Some(new),
            asked: EffectiveLimit::of(asked.limit, old_limit),
            restored: if alone && had.is_valid() { had } else { asked },
            resized,
            inherited: none(asked) && none(resized),
        })
    }

    /// Whether cpu of the container, `new` as resized, differs from what it has.
    pub(super) fn cpu_changes(self, new: Placed<'_, '_>) -> bool {
        let Some(old) = self.counterpart(new) else { return false };
        let had = self.status.and_then(|status| status.container(&old.name));
        let (had, new) = (had.unwrap_or(&old.resources), &new.container.resources);
        had.requests.cpu_millis() != new.requests.cpu_millis()
            || had.limits.cpu_millis() != new.limits.cpu_millis()
    }

    /// The container of the same name before the resize.
    fn counterpart(self, new: Placed<'_, '_>) -> Option<&'v Container<'v>> {
        let spec = self.spec;
        let list =
            if new.list() == "containers" { &spec.containers } else { &spec.init_containers };
        Container::named(&new.container.name, list, new.index)
    }

    /// The memory that a container has of its own.
    fn had(self, container: &'v Container<'v>) -> Own<'v> {
        let actual = self.status.and_then(|status| status.container(&container.name));
        Own::of(&container.resources).or_actual(actual)
    }

    /// What the limits of the containers add up to, as the kubelet adds up the limit of a pod.
    fn containers_limit(self) -> EffectiveLimit<'v> {
        let limits = self.spec.all_containers().map(|placed| {
            let bytes = self.had(placed.container).effective().bytes()?;
            let memory = i128::try_from(bytes).ok()?;
            Some((placed.role, Requests { cpu: 0, memory }))
        });
        let total = Requests::of_pod(limits, WrittenRequests::default());
        total
            .filter(|total| total.memory > 0)
            .map_or(EffectiveLimit::Unlimited, |total| EffectiveLimit::Total(total.memory))
    }
}

impl<'v> Own<'v> {
    fn of(resources: &'v Resources<'v>) -> Self {
        Self {
            limit: resources.limits.memory.as_ref(),
            request: resources.requests.memory.as_ref(),
        }
    }

    fn effective(self) -> EffectiveLimit<'v> {
        EffectiveLimit::of(self.limit, None)
    }

    /// The same, or what the part actually has where that is less.
    fn or_actual(self, actual: Option<&'v Resources<'v>>) -> Self {
        let Some(actual) = actual.map(Own::of) else { return self };
        let less = self.effective().falls_to(actual.effective());
        let asks_less = actual.request.zip(self.request).is_some_and(|(has, asked)| has < asked);
        Self {
            limit: if less { actual.limit } else { self.limit },
            request: if asks_less { actual.request } else { self.request },
        }
    }

    /// Whether the API server takes it: no request is above its limit.
    fn is_valid(self) -> bool {
        match (self.request, self.effective()) {
            (Some(request), EffectiveLimit::Limited(limit)) => request <= limit,
            _ => true,
        }
    }
}
