//! A change of a pod's resources in place, part by part.

use std::collections::BTreeMap;

use crate::approval::{
    Approval, Floors, GRANT_ANNOTATION, LONGEST_GRANT, MOST_PARTS, Requested, granting_command,
    part_name,
};
use crate::heap::{Heap, heaps_by};
use crate::judge::context::PolicyContext;
use crate::judge::subject::{Subject, UserInfo};
use crate::kube::container::Container;
use crate::kube::node_capacity::NodeCapacity;
use crate::kube::object::{Object, Placed};
use crate::kube::pod_status::PodStatus;
use crate::kube::requests::Requests;
use crate::kube::resources::EffectiveLimit;
use crate::kube::usage::Usage;

use super::memory_change::{Before, MemoryChange};
use super::scripts::{Field, Launcher, Scripts};

/// An UPDATE of `pods/resize`: the pod before and after (KEP-1287).
#[derive(Debug)]
pub struct ResizeView<'s> {
    /// The pod as it is stored: the only place an approval counts.
    pub old: &'s Object<'s>,
    pub(super) subject: &'s Subject<'s>,
    context: &'s PolicyContext,
    scripts: Scripts<'s>,
    /// The stored status, where it says that the pod has less than its spec asks for.
    status: Option<PodStatus<'s>>,
}

impl<'s> ResizeView<'s> {
    pub(super) fn new(
        subject: &'s Subject<'_>,
        old: &'s Object<'_>,
        context: &'s PolicyContext,
    ) -> Self {
        let scripts = Scripts::of(&subject.object.spec);
        let status = old.status.filter(|_| !old.spec.node_name.is_empty()).and_then(|status| {
            PodStatus::of_resize_not_carried_out(status.get(), old.metadata.generation)
        });
        Self { old, subject, context, scripts, status }
    }

    /// Whether the pod is on a node. One that its controller has just made is on none.
    pub(crate) fn is_scheduled(&self) -> bool {
        !self.old.spec.node_name.is_empty()
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

    /// Whether a policy lists the requester as automation.
    pub(crate) fn is_automation(&self) -> bool {
        self.context.automation.iter().any(|those| those.include(self.requester()))
    }

    /// Whether cpu of `container`, as resized, changes and restarts it.
    pub(crate) fn cpu_restarts(&self, container: Placed<'_, '_>) -> bool {
        let restarts = container.container.policy_for("cpu").map(|policy| &*policy.restart_policy)
            == Some("RestartContainer");
        restarts && self.before().cpu_changes(container)
    }

    /// The approval on the stored pod.
    pub fn approval(&self) -> Approval<'s> {
        Approval::of(self.old, &self.subject.evidence.stamped, self.subject.evidence.now)
    }

    /// What the pod asks its node for before and after, its overhead aside; `None` where an amount
    /// cannot be told.
    pub fn requests(&self) -> Option<(Requests, Requests)> {
        Some((self.old.spec.requests()?, self.subject.object.spec.requests()?))
    }

    /// The heaps that `container` fixes at start.
    pub fn heaps(&self, container: &Container<'_>) -> Vec<Heap> {
        heaps_by(
            &Launcher {
                scripts: &self.scripts,
                container,
                field: Field::Launch,
                files: Vec::new(),
            },
            container,
        )
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

    /// The commands by which an approver grants every decrease of this resize, heaps that do not fit
    /// included where `forced`; `None` where no grant can say it.
    pub(crate) fn granting_command(&self, forced: bool) -> Option<String> {
        let floors = self.floors(forced)?;
        let again = self.old.metadata.annotations.value(GRANT_ANNOTATION).is_some();
        Some(granting_command((self.namespace(), self.name()), &floors, forced, again))
    }

    /// What this resize asks an approver for; `None` where no grant can say it. `forced` as above.
    pub(super) fn requested(&self, forced: bool) -> Option<Requested> {
        let parts = Floors::parse(&self.floors(forced)?).ok()?;
        let from = match &parts {
            Floors::Any => BTreeMap::new(),
            Floors::Only(_) => self
                .memory_changes()
                .filter(MemoryChange::limit_falls)
                .map(|change| (part_name(&change.part).to_owned(), change.limit.0.to_string()))
                .collect(),
        };
        let requester = self.requester().username.to_string();
        Some(Requested { requester, parts, from, force: forced })
    }

    /// The least that every decrease of this resize leaves, as a grant says it; empty where there is
    /// none.
    fn floors(&self, forced: bool) -> Option<String> {
        let (mut floors, mut too_many) = (String::new(), false);
        for (position, change) in
            self.memory_changes().filter(MemoryChange::limit_falls).enumerate()
        {
            let EffectiveLimit::Limited(least) = change.limit.1 else { continue };
            least.value()?;
            if position == MOST_PARTS {
                too_many = true;
            }
            if too_many || floors.len() > LONGEST_GRANT {
                continue;
            }
            let comma = if floors.is_empty() { "" } else { "," };
            floors.extend([comma, part_name(&change.part), "=", least.text()]);
        }
        let option = if forced { "; force" } else { "" };
        if too_many || floors.len().saturating_add(option.len()) > LONGEST_GRANT {
            // each part by its name would be longer than any grant
            floors = "true".to_owned();
        }
        Some(floors)
    }

    /// Whether the approver knows of a heap that does not fit.
    pub(crate) fn approval_forces(&self) -> bool {
        self.approval().forces()
    }

    /// The memory of the pod and of each container, before and after. Containers are matched by
    /// name; one that is not on both sides is skipped, because the API server refuses to add,
    /// remove or rename any.
    pub(crate) fn memory_changes(&self) -> impl Iterator<Item = MemoryChange<'_>> {
        let new = &self.subject.object.spec;
        let before = self.before();
        let containers =
            new.all_containers().filter_map(move |placed| before.container_change(new, placed));
        std::iter::once(before.pod_change(new)).chain(containers)
    }

    fn before(&self) -> Before<'_> {
        Before { spec: &self.old.spec, status: self.status.as_ref() }
    }
}
