//! A pod's spec, wherever its kind keeps it.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ptr;
use std::rc::Rc;

use crate::heap::{
    KnownFile, MemorySettings, RemovedFlags, may_hold_setting, memory_settings_by, removed_flags_by,
};
use crate::judge::context::PolicyContext;
use crate::judge::exemption::ignores;
use crate::judge::mode::Cap;
use crate::judge::patch::pointer_token;
use crate::judge::subject::{Evidence, Operation, Resource, Subject};
use crate::kube::configuration::ConfigObject;
use crate::kube::container::Container;
use crate::kube::object::{Metadata, Object, OwnerReference, Placed, Spec};
use crate::kube::resources::EffectiveLimit;
use crate::kube::volume::{Volume, VolumeMount, VolumeSource};

use super::hints::Hints;
use super::scripts::{Field, Launcher, Scripts};

/// The annotation by which the kubelet marks the API's copy of a static pod.
const MIRROR_ANNOTATION: &str = "kubernetes.io/config.mirror";

/// So many volumes are looked through one by one: more cost less by name.
const FEW: usize = 32;

/// A pod's spec and metadata: a pod's own, or those of a workload's template.
#[derive(Debug)]
pub struct PodView<'s> {
    /// The kind that keeps it.
    pub resource: Resource,
    /// What is done to the object.
    pub operation: Operation,
    /// The metadata of the object itself.
    pub object: &'s Metadata<'s>,
    /// The metadata the pod has or will have: the template's for workloads.
    pub metadata: &'s Metadata<'s>,
    /// The pod's spec.
    pub spec: &'s Spec<'s>,
    /// The spec of the object itself: the pod's own, or the workload's.
    pub workload: &'s Spec<'s>,
    /// What all policies have in common.
    pub context: &'s PolicyContext,
    /// The namespace.
    pub namespace: &'s str,
    /// Facts from elsewhere.
    evidence: &'s Evidence,
    /// The JSON pointer of what holds `metadata` and `spec`.
    base: &'static str,
    scripts: Scripts<'s>,
    /// What a first look at the containers shows, where anything asks.
    hints: OnceCell<Hints>,
    /// What containers tell their programs of memory, by their place in memory.
    memory: RefCell<BTreeMap<usize, Rc<MemorySettings>>>,
    /// The volumes in the order of their names, where there are more than a few and one is asked
    /// for.
    volumes: OnceCell<Vec<usize>>,
}

impl<'s> PodView<'s> {
    pub(super) fn new(
        subject: &'s Subject<'_>,
        object: &'s Object<'s>,
        context: &'s PolicyContext,
    ) -> Option<Self> {
        let Subject { resource, operation, namespace, evidence, .. } = subject;
        let (resource, operation) = (*resource, *operation);
        let place = resource.template()?;
        let (metadata, spec) = object.pod(place)?;
        Some(Self {
            resource,
            operation,
            object: &object.metadata,
            metadata,
            spec,
            workload: &object.spec,
            context,
            namespace,
            evidence,
            base: place.pointer(),
            scripts: Scripts::of(spec),
            hints: OnceCell::new(),
            memory: RefCell::default(),
            volumes: OnceCell::new(),
        })
    }

    /// Whether this is a pod that is being created: the only time a pod may be amended.
    pub(crate) fn is_new_pod(&self) -> bool {
        self.resource == Resource::Pod && self.operation == Operation::Create
    }

    /// Whether this is a template that pods will be made from.
    pub(crate) fn is_template(&self) -> bool {
        self.resource != Resource::Pod
    }

    /// Whether it runs until someone stops it. Jobs and pods that may finish do not.
    pub(crate) fn is_long_running(&self) -> bool {
        let finishes = matches!(self.resource, Resource::Job | Resource::CronJob);
        !finishes && matches!(&*self.spec.restart_policy, "" | "Always")
    }

    /// Whether an app container says what a resize of its memory does.
    pub(crate) fn has_memory_policy(&self) -> bool {
        self.spec.app_containers().any(|placed| placed.container.policy_for("memory").is_some())
    }

    /// Whether it is the API's copy of a static pod, which only a file on its node can change.
    pub fn is_mirror(&self) -> bool {
        self.resource == Resource::Pod
            && self.metadata.annotations.value(MIRROR_ANNOTATION).is_some()
    }

    /// Whether a controller made it. Then its maker's own template is the place for advice, and
    /// annotations on the maker cannot be seen from here.
    pub(crate) fn is_owned(&self) -> bool {
        self.controller().is_some()
    }

    /// The labels of the namespace, where they are known.
    pub fn namespace_labels(&self) -> Option<&'s BTreeMap<String, String>> {
        self.evidence.namespace_labels.as_deref()
    }

    /// The names of the workload it belongs to: of its maker's maker where the name tells, its
    /// maker's and, but for the pods of a controller, its own. A ReplicaSet is called after its
    /// Deployment and a hash of the template, a Job after its CronJob and a time.
    pub(crate) fn workload_names(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        const MADE: [Resource; 3] = [Resource::Pod, Resource::ReplicaSet, Resource::Job];
        const HASH_LABELS: [&str; 2] = ["pod-template-hash", "rollouts-pod-template-hash"];
        let own = if self.object.name.is_empty() {
            &self.object.generate_name
        } else {
            &self.object.name
        };
        let maker = self.controller().filter(|_| MADE.contains(&self.resource));
        let grandmaker = maker.and_then(|owner| {
            let (rest, suffix) = owner.name.rsplit_once('-')?;
            let hashed = || {
                HASH_LABELS.into_iter().any(|label| {
                    self.object.labels.value(label).is_some_and(|hash| **hash == *suffix)
                })
            };
            let timed = || suffix.len() >= 8 && suffix.bytes().all(|digit| digit.is_ascii_digit());
            let made = match &*owner.kind {
                "ReplicaSet" => hashed(),
                "Job" => timed(),
                _ => false,
            };
            made.then_some(rest)
        });
        // a controller makes up the names of pods
        let own = (maker.is_none() || self.resource != Resource::Pod).then_some(&**own);
        grandmaker.into_iter().chain(maker.map(|owner| &*owner.name)).chain(own)
    }

    fn controller(&self) -> Option<&'s OwnerReference<'s>> {
        self.object.controller()
    }

    /// The ConfigMap or Secret that `source` is, where it is known.
    pub(crate) fn config_object(&self, source: VolumeSource<'_>) -> Option<&'s ConfigObject> {
        let (kind, name) = source.named()?;
        self.evidence.configuration.as_deref()?.object(kind, name)
    }

    /// The volume that `mount` mounts; `None` where the manifest does not tell it, as for claims of
    /// a StatefulSet.
    pub fn volume(&self, mount: &VolumeMount<'_>) -> Option<&'s Volume<'s>> {
        let volumes = &self.spec.volumes;
        if volumes.len() <= FEW {
            return volumes.iter().find(|volume| volume.name == mount.name);
        }
        let name = |index: &usize| volumes.get(*index).map(|volume| &*volume.name);
        let sorted = || {
            // of repeated names the first one counts, as above: sorting keeps their order
            let mut indices = Vec::from_iter(0..volumes.len());
            indices.sort_by_key(name);
            indices
        };
        let by_name = self.volumes.get_or_init(sorted);
        let first = by_name.partition_point(|index| name(index) < Some(&*mount.name));
        volumes.get(*by_name.get(first)?).filter(|volume| volume.name == mount.name)
    }

    /// Whether any ConfigMap or Secret is known.
    pub(crate) fn knows_configuration(&self) -> bool {
        self.evidence.configuration.is_some()
    }

    /// Every container of the pod.
    pub(crate) fn all_containers(&self) -> impl Iterator<Item = Placed<'s, 's>> + use<'s> {
        self.spec.all_containers()
    }

    /// The containers that run as long as the pod does.
    pub(crate) fn app_containers(&self) -> impl Iterator<Item = Placed<'s, 's>> + use<'s> {
        self.spec.app_containers()
    }

    /// The memory limit of `container` in effect.
    pub fn memory_limit(&self, container: &'s Container<'_>) -> EffectiveLimit<'s> {
        EffectiveLimit::of(
            container.resources.limits.memory.as_ref(),
            self.spec.resources.limits.memory.as_ref(),
        )
    }

    /// The scripts that were read.
    pub(crate) fn scripts(&self) -> &Scripts<'s> {
        &self.scripts
    }

    /// Those of `words` that what `container` runs may hold. The others it does not.
    pub(crate) fn likely<'w>(
        &self,
        container: &Container<'_>,
        words: &'w [&'w str],
    ) -> impl Iterator<Item = &'w str> {
        self.hints().likely(self.spec, container, words)
    }

    fn hints(&self) -> &Hints {
        self.hints.get_or_init(|| Hints::of(self.spec))
    }

    /// What `container`, which is one of the pod's, tells its programs of memory, if anything:
    /// worked out once for all rules.
    pub(crate) fn memory_settings(&self, container: &Container<'_>) -> Option<Rc<MemorySettings>> {
        if !self.knows_configuration() && !self.hints().may_set_heap(self.spec, container) {
            return None;
        }
        let key = ptr::from_ref(container).addr();
        if let Some(known) = self.memory.borrow().get(&key) {
            return Some(Rc::clone(known));
        }
        let found = Rc::new(memory_settings_by(&self.launcher(container), container));
        self.memory.borrow_mut().insert(key, Rc::clone(&found));
        Some(found)
    }

    /// The options that `container` gives its virtual machine in vain.
    pub fn removed_flags(&self, container: &Container<'_>) -> RemovedFlags {
        if !self.hints().may_set_heap(self.spec, container) {
            return RemovedFlags::default();
        }
        removed_flags_by(&self.launcher(container), container)
    }

    /// What a file does that the container runs counts for its scripts, but not for its heaps.
    fn launcher<'p>(&'p self, container: &'p Container<'_>) -> Launcher<'p, 's> {
        let field = if self.knows_configuration() { Field::Launch } else { Field::Main };
        Launcher { scripts: &self.scripts, container, field, files: self.known_files(container) }
    }

    /// The files of `container` that may set a heap and are keys of known ConfigMaps.
    fn known_files(&self, container: &Container<'_>) -> Vec<KnownFile<'s>> {
        if !self.knows_configuration() {
            return Vec::new();
        }
        let volumes = container.volume_mounts.iter().filter_map(|mount| self.volume(mount));
        let objects = volumes
            .flat_map(Volume::config_maps)
            .filter_map(|name| Some((name, self.config_object(VolumeSource::ConfigMap(name))?)));
        let files = objects.flat_map(|(object, known)| {
            let all = known.data.iter().filter(|(key, _)| may_hold_setting(key));
            all.map(move |(key, text)| KnownFile { object, key, text })
        });
        files.take(FEW).collect()
    }

    /// Whether what `rule` finds here will be fixed as pods are created. Where a scope or a cap
    /// may have a say in it, it counts as no.
    pub(crate) fn will_be_fixed(&self, rule: &str) -> bool {
        let created = self.is_template() || self.is_new_pod();
        let always_fixed = created
            && self.context.always_fixed.contains(&rule)
            && self.evidence.namespace_cap() == Cap::Enforce;
        always_fixed && !ignores(self.metadata, rule, self.evidence.now)
    }

    /// The JSON pointer of `field` of the pod's spec.
    pub(crate) fn spec_pointer(&self, field: &str) -> String {
        format!("{}/spec/{field}", self.base)
    }

    /// The JSON pointer of `field` of `placed`.
    pub(crate) fn container_pointer(&self, placed: &Placed<'_, '_>, field: &str) -> String {
        format!("{}/spec/{}/{}/{field}", self.base, placed.list(), placed.index)
    }

    /// The JSON pointer of the annotation `key` of the object itself.
    pub(crate) fn object_annotation_pointer(&self, key: &str) -> String {
        format!("/metadata/annotations/{}", pointer_token(key))
    }

    /// The JSON pointer of the pod's annotations.
    pub(crate) fn annotations_pointer(&self) -> String {
        format!("{}/metadata/annotations", self.base)
    }

    /// The JSON pointer of the pod's annotation `key`.
    pub(crate) fn annotation_pointer(&self, key: &str) -> String {
        format!("{}/{}", self.annotations_pointer(), pointer_token(key))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::review::decode;

    #[test]
    fn the_first_volume_of_a_name_counts_however_many_there_are() {
        for count in [3, FEW, FEW + 1, 200] {
            let names = (0..count)
                .map(|index| format!("v{}", index % (count - 1)))
                .chain(["last".to_owned()]);
            let volumes: Vec<_> = names.map(|name| json!({"name": name, "emptyDir": {}})).collect();
            let resource = json!({"group": "", "version": "v1", "resource": "pods"});
            let request = json!({"uid": "u", "operation": "CREATE", "resource": resource, "object": {"spec": {"volumes": volumes}}});
            let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).to_string();
            let subject = decode(review.as_bytes()).unwrap().subject;
            let context = PolicyContext::default();
            let pod = PodView::new(&subject, &subject.object, &context).unwrap();
            let place = |name: &str| {
                let volume =
                    pod.volume(&VolumeMount { name: name.into(), ..VolumeMount::default() })?;
                pod.spec.volumes.iter().position(|known| ptr::eq(known, volume))
            };
            assert_eq!(
                (place("v0"), place("v1"), place("last"), place("none")),
                (Some(0), Some(1), Some(count), None)
            );
        }
    }
}
