//! A change of a pod's resources in place, part by part.

use crate::approval::{Approval, GRANT_ANNOTATION, LONGEST_GRANT, MOST_PARTS, part_name};
use crate::heap::{Heap, heaps_by};
use crate::judge::patch::{PatchOperation, PatchValue};
use crate::judge::subject::{Subject, UserInfo};
use crate::kube::container::Container;
use crate::kube::node_capacity::NodeCapacity;
use crate::kube::object::{Object, Placed, Spec};
use crate::kube::part::Part;
use crate::kube::quantity::Quantity;
use crate::kube::requests::Requests;
use crate::kube::resources::EffectiveLimit;
use crate::kube::usage::Usage;

use super::scripts::{Field, Launcher, Scripts};

/// An UPDATE of `pods/resize`: the pod before and after (KEP-1287).
#[derive(Debug)]
pub struct ResizeView<'s> {
    /// The pod as it is stored: the only place an approval counts.
    pub old: &'s Object<'s>,
    subject: &'s Subject<'s>,
    scripts: Scripts<'s>,
}

/// The memory of one part of the pod before and after.
#[derive(Clone, Debug)]
pub(crate) struct MemoryChange<'s> {
    /// Which part.
    pub part: Part<'s>,
    /// The effective limit before and after.
    pub limit: (EffectiveLimit<'s>, EffectiveLimit<'s>),
    /// The request before and after.
    pub request: (Option<&'s Quantity<'s>>, Option<&'s Quantity<'s>>),
    /// What `resizePolicy` says of the container's memory; empty where it says nothing, and for the
    /// pod itself.
    pub policy: &'s str,
    /// The container with its place, as resized; `None` for the pod itself.
    placed: Option<Placed<'s, 's>>,
    /// The part's own limit before and after.
    own: (Option<&'s Quantity<'s>>, Option<&'s Quantity<'s>>),
    /// Whether the part only follows the pod-level limit, before and after.
    inherited: bool,
}

impl<'s> ResizeView<'s> {
    pub(super) fn new(subject: &'s Subject<'_>, old: &'s Object<'_>) -> Self {
        Self { old, subject, scripts: Scripts::of(&subject.object.spec) }
    }

    /// The namespace of the pod.
    pub fn namespace(&self) -> &'s str {
        &self.subject.namespace
    }

    /// The name of the pod.
    pub fn name(&self) -> &'s str {
        &self.subject.name
    }

    /// Who asks.
    pub fn requester(&self) -> &'s UserInfo<'s> {
        &self.subject.requester
    }

    /// The approval on the stored pod.
    pub fn approval(&self) -> Approval<'s> {
        Approval::of(&self.old.metadata, &self.subject.evidence.stamped, self.subject.evidence.now)
    }

    /// What the pod asks its node for before and after, its overhead aside; `None` where an amount
    /// cannot be told.
    pub fn requests(&self) -> Option<(Requests, Requests)> {
        Some((self.old.spec.requests()?, self.subject.object.spec.requests()?))
    }

    /// The heaps that `container` fixes at start.
    pub fn heaps(&self, container: &Container<'_>) -> Vec<Heap> {
        heaps_by(&Launcher { scripts: &self.scripts, container, field: Field::Launch }, container)
    }

    /// The live memory of the pod, where it is known.
    pub fn usage(&self) -> Option<&'s Usage> {
        self.subject.evidence.usage.as_ref()
    }

    /// What the pod's node has left for it, where it is known.
    pub fn node_capacity(&self) -> Option<&'s NodeCapacity> {
        self.subject.evidence.node_capacity.as_ref()
    }

    /// Whether the pod itself has a memory request or limit, before or after.
    pub(crate) fn has_pod_level_memory(&self) -> bool {
        self.old.spec.resources.sets_memory() || self.subject.object.spec.resources.sets_memory()
    }

    /// The commands by which an approver grants every decrease of this resize; `None` where no
    /// grant can say it.
    pub(crate) fn granting_command(&self) -> Option<String> {
        let (name, namespace) = (self.name(), self.namespace());
        let mut floors = String::new();
        for (position, change) in
            self.memory_changes().filter(MemoryChange::limit_falls).enumerate()
        {
            let EffectiveLimit::Limited(least) = change.limit.1 else { continue };
            least.value()?;
            if position == MOST_PARTS || floors.len() > LONGEST_GRANT {
                return None;
            }
            let comma = if floors.is_empty() { "" } else { "," };
            floors.extend([comma, part_name(&change.part), "=", least.text()]);
        }
        if floors.len() > LONGEST_GRANT {
            return None;
        }
        // the same words again would be no change, and nobody would be asked
        let again = self.old.metadata.annotations.value(GRANT_ANNOTATION).is_some();
        let before = if again {
            format!("kubectl annotate pod {name} -n {namespace} {GRANT_ANNOTATION}- && ")
        } else {
            String::new()
        };
        Some(format!(
            "{before}kubectl annotate pod {name} -n {namespace} {GRANT_ANNOTATION}={floors}"
        ))
    }

    /// Whether the approver knows of a heap that does not fit.
    pub(crate) fn approval_forces(&self) -> bool {
        self.approval().forces()
    }

    /// The memory of the pod and of each container, before and after. Containers are matched by
    /// name; one that is not on both sides is skipped, because the API server refuses to add,
    /// remove or rename any.
    pub(crate) fn memory_changes(&self) -> impl Iterator<Item = MemoryChange<'s>> + use<'s> {
        let (old, new) = (&self.old.spec, &self.subject.object.spec);
        let containers = new.all_containers().filter_map(move |placed| {
            Some(container_change(old, new, placed, counterpart(old, placed)?))
        });
        std::iter::once(pod_change(old, new)).chain(containers)
    }
}

impl<'s> MemoryChange<'s> {
    /// The container with its place, as resized; `None` for the pod itself.
    pub(crate) fn placed(&self) -> Option<Placed<'s, 's>> {
        self.placed
    }

    /// Whether less memory is left to the part, be it by its own limit or by that of the pod.
    pub(crate) fn loses_memory(&self) -> bool {
        self.limit.0.falls_to(self.limit.1)
    }

    /// Whether a limit becomes a larger one. One that goes away does so at the next start only.
    pub(crate) fn limit_grows(&self) -> bool {
        let amounts = self.limit.0.bytes().zip(self.limit.1.bytes());
        amounts.is_some_and(|(old, new)| old < new)
    }

    /// Whether the effective limit falls, or appears where there was none. Where a container only
    /// follows the pod-level limit the pod answers for it.
    pub(crate) fn limit_falls(&self) -> bool {
        !self.inherited && self.loses_memory()
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
        let operation =
            |field: &str, (old, new): (Option<&Quantity<'_>>, Option<&Quantity<'_>>)| {
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
        [operation("limits", self.own), operation("requests", self.request)]
            .into_iter()
            .flatten()
            .collect()
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

/// The container of the same name before the resize.
fn counterpart<'s>(old: &'s Spec<'s>, new: Placed<'s, 's>) -> Option<&'s Container<'s>> {
    let list = if new.list() == "containers" { &old.containers } else { &old.init_containers };
    let same = |container: &&Container<'_>| container.name == new.container.name;
    list.get(new.index).filter(same).or_else(|| list.iter().find(same))
}

fn pod_change<'s>(old: &'s Spec<'s>, new: &'s Spec<'s>) -> MemoryChange<'s> {
    let (old, new) = (&old.resources, &new.resources);
    MemoryChange {
        part: Part::Pod,
        limit: (
            EffectiveLimit::of(None, old.limits.memory.as_ref()),
            EffectiveLimit::of(None, new.limits.memory.as_ref()),
        ),
        request: (old.requests.memory.as_ref(), new.requests.memory.as_ref()),
        policy: "",
        placed: None,
        own: (old.limits.memory.as_ref(), new.limits.memory.as_ref()),
        inherited: false,
    }
}

fn container_change<'s>(
    old_pod: &'s Spec<'s>,
    new_pod: &'s Spec<'s>,
    placed: Placed<'s, 's>,
    old: &'s Container<'s>,
) -> MemoryChange<'s> {
    let (old_own, new_own) =
        (old.resources.limits.memory.as_ref(), placed.container.resources.limits.memory.as_ref());
    let none = |own: Option<&Quantity<'_>>| own.is_none_or(Quantity::is_zero);
    MemoryChange {
        part: Part::Container(&placed.container.name),
        limit: (
            EffectiveLimit::of(old_own, old_pod.resources.limits.memory.as_ref()),
            EffectiveLimit::of(new_own, new_pod.resources.limits.memory.as_ref()),
        ),
        request: (
            old.resources.requests.memory.as_ref(),
            placed.container.resources.requests.memory.as_ref(),
        ),
        policy: old.policy_for("memory").map_or("", |policy| &policy.restart_policy),
        placed: Some(placed),
        own: (old_own, new_own),
        inherited: none(old_own) && none(new_own),
    }
}
