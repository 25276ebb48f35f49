//! What only pods tell: how many each owner has, resizes that are not done, limits that differ from
//! the spec, approvals.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::approval::{DEFAULT_ANNOTATION, GRANT_ANNOTATION, PodState, STAMP_ANNOTATION, Standing};
use crate::kube::container::Container;
use crate::kube::object::Object;
use crate::kube::pod_status::PodStatus;

use crate::report::counted;

use super::report::{Approval, DifferingLimit, LingeringResize, Missing};

/// The label by which a Deployment tells its ReplicaSets apart: their names end in it.
const TEMPLATE_HASH: &str = "pod-template-hash";

/// How long a resize may be under way before it lingers, in seconds.
const UNDER_WAY: i64 = 300;

/// Who made pods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    namespace: String,
    kind: String,
    name: String,
}

impl Owner {
    pub(super) fn new(namespace: &str, kind: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), kind: kind.to_owned(), name: name.to_owned() }
    }
}

/// What pods told.
#[derive(Debug, Default)]
pub(super) struct Pods {
    pub(super) count: usize,
    by_owner: BTreeMap<Owner, usize>,
    /// Owners that are themselves owned.
    makers: BTreeMap<Owner, Owner>,
    pub(super) resizes: Vec<LingeringResize>,
    pub(super) differing: Vec<DifferingLimit>,
    pub(super) approvals: Vec<Approval>,
}

impl Pods {
    /// Says whose times are ahead of `now` by more than clocks usually differ: their ages are not
    /// known.
    pub(super) fn ahead(&self, now: Timestamp) -> Option<Missing> {
        let ahead = |resize: &LingeringResize| {
            let ahead = resize.since?.duration_since(now).as_secs();
            (ahead > UNDER_WAY).then_some(ahead)
        };
        let count = self.resizes.iter().filter_map(ahead).count();
        let most = self.resizes.iter().filter_map(ahead).max()?;
        Some(Missing::single(
            format!("ages of {}", counted(count, "resize")),
            format!("their times are up to {most} s ahead of this machine's clock"),
        ))
    }

    /// Pods of `owner` are those of `maker`.
    pub(super) fn made_by(&mut self, owner: Owner, maker: Owner) {
        self.makers.insert(owner, maker);
    }

    /// How many pods an owner has.
    pub(super) fn of(&self, owner: &Owner) -> usize {
        self.by_owner.get(owner).copied().unwrap_or_default()
    }

    /// Adds a pod. Who made it; nobody, where it is judged itself.
    pub(super) fn add(&mut self, pod: &Object<'_>, now: Timestamp) -> Option<Owner> {
        self.count = self.count.saturating_add(1);
        self.approvals.extend(approval(pod, now));
        if let Some(status) = pod.status.and_then(|raw| PodStatus::read(raw.get())) {
            self.resizes.extend(lingering(pod, &status, now));
            self.differing.extend(differing(pod, &status));
        }
        let owner = owner(pod)?;
        let owner = self.makers.get(&owner).cloned().unwrap_or(owner);
        let count = self.by_owner.entry(owner.clone()).or_default();
        *count = count.saturating_add(1);
        Some(owner)
    }
}

/// Who made the pod: of a ReplicaSet that a Deployment made, the Deployment.
fn owner(pod: &Object<'_>) -> Option<Owner> {
    let metadata = &pod.metadata;
    let owner = metadata.controller()?;
    let hash = metadata.labels.value(TEMPLATE_HASH).filter(|_| &*owner.kind == "ReplicaSet");
    let deployment = hash.and_then(|hash| {
        owner.name.strip_suffix(hash.as_str())?.strip_suffix('-').filter(|name| !name.is_empty())
    });
    Some(match deployment {
        Some(name) => Owner::new(&metadata.namespace, "Deployment", name),
        None => Owner::new(&metadata.namespace, &owner.kind, &owner.name),
    })
}

fn approval(pod: &Object<'_>, now: Timestamp) -> Option<Approval> {
    let metadata = &pod.metadata;
    let text = |key: &str| metadata.annotations.text(key);
    let is_granted = [GRANT_ANNOTATION, DEFAULT_ANNOTATION].iter().any(|key| text(key).is_some());
    let state = PodState {
        uid: &metadata.uid,
        generation: metadata.generation,
        scheduled: Some(!pod.spec.node_name.is_empty()),
    };
    let stamp = text(STAMP_ANNOTATION);
    let (standing, stamp) = Standing::of(stamp.as_deref(), is_granted, state, now)?;
    Some(Approval {
        namespace: metadata.namespace.to_string(),
        pod: metadata.name.to_string(),
        state: standing.words(),
        memory: stamp.as_ref().map(|stamp| stamp.memory.words()),
        expires: stamp.as_ref().map(|stamp| stamp.expires),
        approver: stamp.map(|stamp| stamp.approver),
    })
}

fn lingering(pod: &Object<'_>, status: &PodStatus<'_>, now: Timestamp) -> Option<LingeringResize> {
    let resize = status.lingering_resize()?;
    let since: Option<Timestamp> = resize.since.parse().ok();
    let age = since.map(|since| now.duration_since(since).as_secs());
    // clocks differ: what seems to begin soon began now. What is far ahead tells no age
    let is_recent = age.is_some_and(|age| (-UNDER_WAY..UNDER_WAY).contains(&age));
    let age = age.filter(|age| *age >= -UNDER_WAY).map(|age| age.max(0));
    if resize.reason == "InProgress" && is_recent {
        return None;
    }
    Some(LingeringResize {
        namespace: pod.metadata.namespace.to_string(),
        pod: pod.metadata.name.to_string(),
        node: pod.spec.node_name.to_string(),
        reason: resize.reason.to_owned(),
        message: resize.message.to_owned(),
        since,
        age_seconds: age,
    })
}

fn differing(pod: &Object<'_>, status: &PodStatus<'_>) -> Vec<DifferingLimit> {
    let of = |container: &Container<'_>| {
        let desired = container.resources.limits.memory.as_ref()?;
        let actual = status.container(&container.name)?.limits.memory.as_ref()?;
        (desired != actual).then(|| DifferingLimit {
            namespace: pod.metadata.namespace.to_string(),
            pod: pod.metadata.name.to_string(),
            container: container.name.to_string(),
            desired: desired.text().to_owned(),
            actual: actual.text().to_owned(),
        })
    };
    pod.spec.all_containers().filter_map(|placed| of(placed.container)).collect()
}
