//! A pod's spec, wherever its kind keeps it.

use crate::judge::policies::Conventions;
use crate::judge::subject::{Evidence, Operation, Resource, Subject};
use crate::kube::configuration::ConfigObject;
use crate::kube::object::{Metadata, Object, Placed, Spec};
use crate::kube::volume::{Source, Volume, VolumeMount};

/// The annotation by which the kubelet marks the API's copy of a static pod.
const MIRROR_ANNOTATION: &str = "kubernetes.io/config.mirror";

/// A pod's spec and metadata: a pod's own, or those of a workload's template.
#[derive(Clone, Copy, Debug)]
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
    /// What all policies have in common.
    pub conventions: &'s Conventions,
    /// Facts from elsewhere.
    evidence: &'s Evidence,
    /// The JSON pointer of what holds `metadata` and `spec`.
    base: &'static str,
}

impl<'s> PodView<'s> {
    pub(super) fn new(subject: &'s Subject<'_>, object: &'s Object<'s>, conventions: &'s Conventions) -> Option<Self> {
        let Subject { resource, operation, evidence, .. } = subject;
        let (resource, operation) = (*resource, *operation);
        let (metadata, spec, base) = match resource {
            Resource::Pod | Resource::PodResize => (&object.metadata, &object.spec, ""),
            Resource::CronJob => {
                let template = object.spec.job_template.as_ref()?.spec.template.as_ref()?;
                (&template.metadata, &template.spec, "/spec/jobTemplate/spec/template")
            }
            Resource::PodStatus | Resource::PodBinding | Resource::VerticalPodAutoscaler | Resource::Other => return None,
            _ => {
                let template = object.spec.template.as_ref()?;
                (&template.metadata, &template.spec, "/spec/template")
            }
        };
        Some(Self { resource, operation, object: &object.metadata, metadata, spec, conventions, evidence, base })
    }

    /// Whether this is a pod that is being created: the only time a pod may be amended.
    pub fn is_new_pod(&self) -> bool {
        self.resource == Resource::Pod && self.operation == Operation::Create
    }

    /// Whether this is a template that pods will be made from.
    pub fn is_template(&self) -> bool {
        !matches!(self.resource, Resource::Pod | Resource::PodResize)
    }

    /// Whether it runs until someone stops it. Jobs and pods that may finish do not.
    pub fn is_long_running(&self) -> bool {
        let finishes = matches!(self.resource, Resource::Job | Resource::CronJob);
        !finishes && matches!(&*self.spec.restart_policy, "" | "Always")
    }

    /// Whether it is the API's copy of a static pod, which only a file on its node can change.
    pub fn is_mirror(&self) -> bool {
        self.resource == Resource::Pod && self.metadata.annotations.value(MIRROR_ANNOTATION).is_some()
    }

    /// Whether a controller made it. Then its maker's own template is the place for advice, and annotations on the
    /// maker cannot be seen from here.
    pub fn is_owned(&self) -> bool {
        self.object.owner_references.iter().any(|owner| owner.controller)
    }

    /// The ConfigMap or Secret that `source` is, where it is known.
    pub fn config_object(&self, source: Source<'_>) -> Option<&'s ConfigObject> {
        let (kind, name) = source.named()?;
        self.evidence.configuration.as_deref()?.object(kind, name)
    }

    /// The volume that `mount` mounts; `None` where the manifest does not tell it, as for claims of a StatefulSet.
    pub fn volume(&self, mount: &VolumeMount<'_>) -> Option<&'s Volume<'s>> {
        self.spec.volumes.iter().find(|volume| volume.name == mount.name)
    }

    /// Whether any ConfigMap or Secret is known.
    pub fn knows_configuration(&self) -> bool {
        self.evidence.configuration.is_some()
    }

    /// Every container of the pod.
    pub fn all_containers(&self) -> impl Iterator<Item = Placed<'s, 's>> + use<'s> {
        self.spec.all_containers()
    }

    /// The containers that run as long as the pod does.
    pub fn app_containers(&self) -> impl Iterator<Item = Placed<'s, 's>> + use<'s> {
        self.spec.app_containers()
    }

    /// The JSON pointer of `field` of the pod's spec.
    pub fn spec_pointer(&self, field: &str) -> String {
        format!("{}/spec/{field}", self.base)
    }

    /// The JSON pointer of `field` of `placed`.
    pub fn container_pointer(&self, placed: &Placed<'_, '_>, field: &str) -> String {
        format!("{}/spec/{}/{}/{field}", self.base, placed.list(), placed.index)
    }

    /// The JSON pointer of the pod's annotation `key`.
    pub fn annotation_pointer(&self, key: &str) -> String {
        format!("{}/metadata/annotations/{}", self.base, crate::judge::finding::pointer_token(key))
    }
}
