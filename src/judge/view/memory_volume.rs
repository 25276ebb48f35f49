//! The volumes of a resized pod that lie in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::kube::empty_dir::EmptyDir;
use crate::kube::object::Spec;

use super::memory_change::MemoryChange;
use super::resize::ResizeView;

/// A volume that lies in memory, before and after a resize.
#[derive(Clone, Debug)]
pub(crate) struct MemoryVolume<'v> {
    /// Its name.
    pub name: &'v str,
    /// As it is stored.
    pub before: EmptyDir<'v>,
    /// As resized.
    pub now: EmptyDir<'v>,
    /// Its index in `spec.volumes`, as resized.
    index: usize,
}

impl MemoryVolume<'_> {
    /// Whether its files may take less than before. No size is more than any.
    pub(crate) fn shrinks(&self) -> bool {
        match (self.before.size(), self.now.size()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(old), Some(new)) => new < old,
        }
    }

    /// The JSON pointer of its size.
    pub(crate) fn pointer(&self) -> String {
        format!("/spec/volumes/{}/emptyDir/sizeLimit", self.index)
    }
}

impl ResizeView<'_> {
    /// The volumes that lie in memory, by name. One that does not stand at the same place on both
    /// sides is skipped, because the API server refuses to add, remove or move any.
    pub(crate) fn memory_volumes(&self) -> BTreeMap<&str, MemoryVolume<'_>> {
        let both = self.old.spec.volumes.iter().zip(&self.spec().volumes).enumerate();
        let in_memory = both.filter(|(_, (old, new))| old.name == new.name);
        let in_memory = in_memory.filter_map(|(index, (old, new))| {
            let (before, now) = (old.in_memory()?, new.in_memory()?);
            Some((&*new.name, MemoryVolume { name: &new.name, before, now, index }))
        });
        in_memory.collect()
    }

    /// Those of `volumes` whose files are charged to the part of the pod that `change` is about: to
    /// a container that may write them, and to the pod.
    pub(crate) fn written<'r>(
        &'r self,
        change: &'r MemoryChange<'_>,
        volumes: &'r BTreeMap<&str, MemoryVolume<'r>>,
    ) -> Vec<&'r MemoryVolume<'r>> {
        let containers: Vec<_> = match change.placed() {
            Some(placed) => vec![placed.container],
            None => self.spec().all_containers().map(|placed| placed.container).collect(),
        };
        let mounts = containers.into_iter().flat_map(|container| &container.volume_mounts);
        let names: BTreeSet<_> =
            mounts.filter(|mount| !mount.read_only).map(|mount| &*mount.name).collect();
        names.into_iter().filter_map(|name| volumes.get(name)).collect()
    }

    /// The spec of the pod as resized.
    fn spec(&self) -> &Spec<'_> {
        &self.subject.object.spec
    }
}
