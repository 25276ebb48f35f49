//! The index: what every workload uses, by namespace and name.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use crate::json::text::Text;
use crate::json::{self, fields};
use crate::judge::subject::Resource;
use crate::kube::config_user::ConfigUser;
use crate::kube::configuration::ConfigKind;
use crate::kube::object::OwnerReference;
use crate::rules::config_users::config_user_in;

use super::record::Record;

/// What is followed. What these make is left to them.
pub(super) const FOLLOWED: [Resource; 6] = [
    Resource::Deployment,
    Resource::StatefulSet,
    Resource::DaemonSet,
    Resource::CronJob,
    Resource::Job,
    Resource::Pod,
];

/// How long what is known counts where it cannot be followed any longer. Beyond that a denial for the
/// sake of a workload that went would stand for ever.
const COUNTS_FOR: Duration = Duration::from_secs(120);

/// Who uses which ConfigMaps and Secrets, as far as it is known.
#[derive(Debug, Default)]
pub(in crate::serve) struct Index {
    kinds: [RwLock<Kept>; FOLLOWED.len()],
    /// Held by whoever tells what is known, so that nothing older is told last.
    telling: Mutex<()>,
}

/// What is kept of the objects of one kind.
#[derive(Debug, Default)]
struct Kept {
    /// By `NAMESPACE/NAME`: those of a namespace stand side by side.
    records: BTreeMap<Box<str>, Record>,
    is_listed: bool,
    /// Since when it cannot be followed, if it cannot.
    lost: Option<Instant>,
    /// Why.
    trouble: Option<String>,
}

/// A list under way: what comes to stand in it.
#[derive(Debug, Default)]
pub(super) struct Listing {
    state: RandomState,
    /// Hashes: a list of what is kept already must not need as much memory again.
    seen: HashSet<u64>,
}

/// What is known of all kinds together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Knowledge {
    /// How many workloads and pods use anything.
    pub(super) users: usize,
    /// The kinds that were not listed yet, or not followed for too long.
    pub(super) unknown: Vec<&'static str>,
    /// What is wrong, each kind with its reason.
    pub(super) troubles: Vec<String>,
}

#[derive(Debug, Default)]
struct Placed<'a> {
    metadata: Placement<'a>,
}
fields!(Placed { "metadata" => metadata });

#[derive(Debug, Default)]
struct Placement<'a> {
    namespace: Text<'a>,
    name: Text<'a>,
    uid: Text<'a>,
    owner_references: Vec<OwnerReference<'a>>,
}
fields!(Placement {
    "namespace" => namespace,
    "name" => name,
    "uid" => uid,
    "ownerReferences" => owner_references,
});

impl Placed<'_> {
    fn key(&self) -> Box<str> {
        key(&self.metadata.namespace, &self.metadata.name)
    }

    fn is_made(&self) -> bool {
        self.metadata.owner_references.iter().any(|owner| owner.controller)
    }
}

impl Index {
    /// Who uses the object, in the order of kinds and names; `None` while not all of them are known.
    pub(in crate::serve) fn users(
        &self,
        of: (ConfigKind, &str),
        namespace: &str,
    ) -> Option<Arc<Vec<ConfigUser>>> {
        let now = Instant::now();
        let beginning = key(namespace, "");
        let mut users = Vec::new();
        for (resource, kept) in FOLLOWED.into_iter().zip(&self.kinds) {
            let kept = read(kept);
            if !kept.is_known(now) {
                return None;
            }
            let from = (Bound::Included(&*beginning), Bound::Unbounded);
            let here = kept
                .records
                .range::<str, _>(from)
                .map_while(|(key, record)| Some((key.strip_prefix(&*beginning)?, record)));
            users.extend(here.filter_map(|(name, record)| record.user(resource.kind(), name, of)));
        }
        Some(Arc::new(users))
    }

    /// The uid of the workload, where it is known.
    pub(in crate::serve) fn uid(&self, kind: &str, namespace: &str, name: &str) -> Option<String> {
        let mut all = FOLLOWED.into_iter().zip(&self.kinds);
        let (_, kept) = all.find(|(resource, _)| resource.kind() == kind)?;
        read(kept).records.get(&*key(namespace, name))?.uid()
    }

    /// Takes the object in `json`, one of `resource` that is new or changed.
    pub(super) fn take(&self, resource: Resource, json: &str, listing: Option<&mut Listing>) {
        let Ok(placed) = json::read::<Placed<'_>>(json) else { return };
        let key = placed.key();
        if let Some(listing) = listing {
            listing.seen.insert(listing.state.hash_one(&*key));
        }
        // most pods are made by what is followed itself: these are not even decoded
        let is_left = resource == Resource::Pod && placed.is_made();
        let user = if is_left { None } else { config_user_in(resource, json) };
        let record = user.map(|user| Record::of(&user, &placed.metadata.uid));
        let Some(mut kept) = self.write(resource) else { return };
        match record {
            Some(record) => drop(kept.records.insert(key, record)),
            None => drop(kept.records.remove(&*key)),
        }
    }

    /// Forgets the object in `json`, one of `resource` that went.
    pub(super) fn forget(&self, resource: Resource, json: &str) {
        let Ok(placed) = json::read::<Placed<'_>>(json) else { return };
        if let Some(mut kept) = self.write(resource) {
            kept.records.remove(&*placed.key());
        }
    }

    /// All objects of `resource` were listed, and are followed from now on. What did not stand in the
    /// list went while nobody was looking.
    pub(super) fn listed(&self, resource: Resource, listing: &Listing) {
        let Some(mut kept) = self.write(resource) else { return };
        kept.records.retain(|key, _| listing.seen.contains(&listing.state.hash_one(&**key)));
        (kept.is_listed, kept.lost, kept.trouble) = (true, None, None);
    }

    /// Objects of `resource` cannot be followed any longer.
    pub(super) fn lost(&self, resource: Resource, why: Option<String>) {
        let Some(mut kept) = self.write(resource) else { return };
        kept.lost = kept.lost.or_else(|| Some(Instant::now()));
        kept.trouble = why;
    }

    /// Tells what is known, one after the other.
    pub(super) fn tell(&self, tell: impl FnOnce(Knowledge)) {
        let _alone = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        tell(self.knowledge());
    }

    /// What is known.
    pub(super) fn knowledge(&self) -> Knowledge {
        let now = Instant::now();
        let mut known = Knowledge { users: 0, unknown: Vec::new(), troubles: Vec::new() };
        for (resource, kept) in FOLLOWED.into_iter().zip(&self.kinds) {
            let kept = read(kept);
            known.users = known.users.saturating_add(kept.records.len());
            if !kept.is_known(now) {
                known.unknown.push(resource.kind());
            }
            known
                .troubles
                .extend(kept.trouble.iter().map(|why| format!("{}: {why}", resource.kind())));
        }
        known
    }

    fn write(&self, resource: Resource) -> Option<RwLockWriteGuard<'_, Kept>> {
        let at = FOLLOWED.iter().position(|followed| *followed == resource)?;
        Some(self.kinds.get(at)?.write().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
impl Index {
    /// An index of these objects.
    pub(in crate::serve) fn of(objects: &[(Resource, &[serde_json::Value])]) -> Self {
        let index = Self::default();
        for resource in FOLLOWED {
            let mut listing = Listing::default();
            let here = objects.iter().filter(|(other, _)| *other == resource);
            for object in here.flat_map(|(_, objects)| objects.iter()) {
                index.take(resource, &object.to_string(), Some(&mut listing));
            }
            index.listed(resource, &listing);
        }
        index
    }
}

impl Kept {
    fn is_known(&self, now: Instant) -> bool {
        let is_old = self.lost.is_some_and(|lost| now.saturating_duration_since(lost) > COUNTS_FOR);
        self.is_listed && !is_old
    }
}

fn read(kept: &RwLock<Kept>) -> RwLockReadGuard<'_, Kept> {
    kept.read().unwrap_or_else(PoisonError::into_inner)
}

/// Neither namespaces nor the names of what is followed have a slash.
fn key(namespace: &str, name: &str) -> Box<str> {
    format!("{namespace}/{name}").into_boxed_str()
}

#[cfg(test)]
mod tests;
