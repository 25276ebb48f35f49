//! What is under judgement and everything a rule may know about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::approval::{Authority, STAMP_ANNOTATION, Stamp, StampTarget, Stamped};
use crate::config_file::Fault;
use crate::json::text::Text;
use crate::json::{Decode, Failed, Raw, Reader, fields};
use crate::judge::mode::{CAP_LABEL, Cap};
use crate::kube::config_user::ConfigUser;
use crate::kube::configuration::{ConfigKind, Configuration};
use crate::kube::node_capacity::NodeCapacity;
use crate::kube::object::Object;
use crate::kube::template::TemplatePlace;
use crate::kube::usage::Usage;

/// One admission request, with the facts looked up for it. Everything is borrowed from the bytes it
/// came in.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// What is written to.
    pub resource: Resource,
    /// What is done to it.
    pub operation: Operation,
    /// The namespace of the request.
    pub namespace: Text<'a>,
    /// The name of the object, of the pod for a Binding; empty while the API server has not made
    /// one up.
    pub name: Text<'a>,
    /// Who asks.
    pub requester: UserInfo<'a>,
    /// Whether the client only wants to know.
    pub dry_run: bool,
    /// The object as it would be stored.
    pub object: Object<'a>,
    /// The object as it is stored; present on UPDATE.
    pub old_object: Option<Object<'a>>,
    /// Facts from elsewhere.
    pub evidence: Evidence,
}

impl<'a> Subject<'a> {
    /// The creation of `object`, by nobody in particular: what is asked of an object that is written
    /// or stored.
    pub(crate) fn created(
        resource: Resource,
        namespace: Text<'a>,
        object: Object<'a>,
        evidence: Evidence,
    ) -> Self {
        Self {
            resource,
            operation: Operation::Create,
            namespace,
            name: object.metadata.name.clone(),
            requester: UserInfo::default(),
            dry_run: false,
            object,
            old_object: None,
            evidence,
        }
    }
}

impl Subject<'_> {
    /// Where a stamp of this request is sealed for.
    pub fn place(&self) -> StampTarget<'_> {
        StampTarget { namespace: &self.namespace, name: &self.name, dry_run: self.dry_run }
    }

    /// Looks at the stamp that the request is about: the stored one on `pods/resize`, one that is
    /// about to be stored elsewhere. `verify` knows whether a seal is the one of a message under
    /// the key of this name.
    pub fn examine_stamp(&mut self, verify: impl FnOnce(&str, &[u8], &str) -> bool) {
        let stored = self
            .old_object
            .as_ref()
            .and_then(|old| old.metadata.annotations.value(STAMP_ANNOTATION));
        let (annotations, dry_run) = match (self.resource, &self.old_object) {
            // what is stored was sealed for real, even if the resize is a dry run
            (Resource::PodResize, Some(old)) => (&old.metadata.annotations, false),
            (Resource::Pod, Some(_)) => (&self.object.metadata.annotations, self.dry_run),
            _ => return,
        };
        let Some(written) = annotations.value(STAMP_ANNOTATION) else { return };
        if self.resource == Resource::Pod
            && stored.is_some_and(|stored| stored.get() == written.get())
        {
            return;
        }
        let stamp = annotations.text(STAMP_ANNOTATION).map(|text| Stamp::parse(&text));
        self.evidence.stamped = match stamp {
            Some(Ok(stamp)) => {
                let message = stamp.message(StampTarget { dry_run, ..self.place() });
                let sealed = verify(&stamp.key, &message, &stamp.seal);
                if sealed {
                    Stamped::Sealed(Box::new(stamp))
                } else {
                    Stamped::Unsealed(Box::new(stamp))
                }
            }
            _ => Stamped::Malformed,
        };
    }
}

/// Facts looked up before judging. Absent evidence is a value, not an error: it never weakens a
/// rule.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The labels of the request's namespace, where they are known.
    pub namespace_labels: Option<Arc<BTreeMap<String, String>>>,
    /// ConfigMaps and Secrets of the request's namespace, where any are known.
    pub configuration: Option<Arc<Configuration>>,
    /// The service's time.
    pub now: Option<Timestamp>,
    /// What is known of the stamp that the request is about.
    pub stamped: Stamped,
    /// Whether the requester may approve.
    pub authority: Authority,
    /// The live memory of the pod that is resized, where it was asked for and told.
    pub usage: Option<Usage>,
    /// What the node has left for the pod that is resized, where it was asked for and told.
    pub node_capacity: Option<NodeCapacity>,
    /// Whether the service has a key to seal stamps with.
    pub can_seal: bool,
    /// Who uses the ConfigMap or Secret that is written, where that is known.
    pub config_users: Option<Arc<Vec<ConfigUser>>>,
    /// What was wrong with the files of the ConfigMap before its content was taken out of a
    /// recording; nothing where the content is there to look at.
    pub file_faults: Option<Arc<Vec<FileFault>>>,
}

/// A file in a ConfigMap that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    /// The key.
    pub key: String,
    /// What is wrong, and where.
    pub fault: Fault,
}

impl Evidence {
    /// The cap of the request's namespace. Where its labels are unknown there is none.
    pub(crate) fn namespace_cap(&self) -> Cap {
        let label = self.namespace_labels.as_deref().and_then(|labels| labels.get(CAP_LABEL));
        label.and_then(|word| word.parse().ok()).unwrap_or_default()
    }
}

/// Who asks: `request.userInfo`.
#[derive(Clone, Debug, Default)]
pub struct UserInfo<'a> {
    /// `username`.
    pub username: Text<'a>,
    /// `uid`.
    pub uid: Text<'a>,
    /// `groups`.
    pub groups: Vec<Text<'a>>,
    /// `extra`, undecoded: read only to ask the API server about the requester.
    pub extra: Option<Raw<'a>>,
}

fields!(UserInfo { "username" => username, "uid" => uid, "groups" => groups, "extra" => extra });

/// What is done: `request.operation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Operation {
    /// `CREATE`.
    Create,
    /// `UPDATE`, which a PATCH is too.
    Update,
    /// `DELETE`.
    Delete,
    /// `CONNECT`.
    Connect,
    /// An operation this version does not know.
    #[default]
    Other,
}

impl<'a> Decode<'a> for Operation {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        *self = match &*reader.text()? {
            "CREATE" => Self::Create,
            "UPDATE" => Self::Update,
            "DELETE" => Self::Delete,
            "CONNECT" => Self::Connect,
            _ => Self::Other,
        };
        Ok(())
    }
}

impl Operation {
    /// The word for it in reviews, policies, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Other => "other",
        }
    }
}

/// What is written to: `request.resource` and `request.subResource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// `pods`.
    Pod,
    /// `pods/resize` (KEP-1287).
    PodResize,
    /// `pods/status`.
    PodStatus,
    /// `pods/binding`: the annotations of a Binding are copied to the pod.
    PodBinding,
    /// `bindings`: the same under the name that it had first.
    Binding,
    /// `deployments.apps`.
    Deployment,
    /// `statefulsets.apps`.
    StatefulSet,
    /// `daemonsets.apps`.
    DaemonSet,
    /// `replicasets.apps`.
    ReplicaSet,
    /// `replicationcontrollers`.
    ReplicationController,
    /// `jobs.batch`.
    Job,
    /// `cronjobs.batch`.
    CronJob,
    /// `verticalpodautoscalers.autoscaling.k8s.io`.
    VerticalPodAutoscaler,
    /// `configmaps`.
    ConfigMap,
    /// `secrets`: of these the keys alone are looked at, and whether a value differs.
    Secret,
    /// Anything else: admitted untouched.
    Other,
}

/// Every resource that is judged: group, plural name, subresource, kind.
const RESOURCES: [(Resource, &str, &str, &str, &str); 15] = [
    (Resource::Pod, "", "pods", "", "Pod"),
    (Resource::PodResize, "", "pods", "resize", "Pod"),
    (Resource::PodStatus, "", "pods", "status", "Pod"),
    (Resource::PodBinding, "", "pods", "binding", "Binding"),
    (Resource::Binding, "", "bindings", "", "Binding"),
    (Resource::Deployment, "apps", "deployments", "", "Deployment"),
    (Resource::StatefulSet, "apps", "statefulsets", "", "StatefulSet"),
    (Resource::DaemonSet, "apps", "daemonsets", "", "DaemonSet"),
    (Resource::ReplicaSet, "apps", "replicasets", "", "ReplicaSet"),
    (Resource::ReplicationController, "", "replicationcontrollers", "", "ReplicationController"),
    (Resource::Job, "batch", "jobs", "", "Job"),
    (Resource::CronJob, "batch", "cronjobs", "", "CronJob"),
    (
        Resource::VerticalPodAutoscaler,
        "autoscaling.k8s.io",
        "verticalpodautoscalers",
        "",
        "VerticalPodAutoscaler",
    ),
    (Resource::ConfigMap, "", "configmaps", "", "ConfigMap"),
    (Resource::Secret, "", "secrets", "", "Secret"),
];

impl Resource {
    /// Every resource that is judged.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        RESOURCES.iter().map(|row| row.0)
    }

    /// The resource with this group, version, plural name and subresource. Only `v1` is known of
    /// each.
    pub fn of(group: &str, version: &str, plural: &str, subresource: &str) -> Self {
        let same = |row: &&(Self, &str, &str, &str, &str)| {
            (row.1, row.2, row.3) == (group, plural, subresource)
        };
        RESOURCES.iter().find(same).filter(|_| version == "v1").map_or(Self::Other, |row| row.0)
    }

    /// The resource that keeps objects of this group and kind.
    pub fn of_kind(group: &str, kind: &str) -> Self {
        RESOURCES
            .iter()
            .find(|row| (row.1, row.4) == (group, kind))
            .map_or(Self::Other, |row| row.0)
    }

    /// The plural name, as in metrics and logs.
    pub fn plural(self) -> &'static str {
        RESOURCES.iter().find(|row| row.0 == self).map_or("other", |row| row.2)
    }

    /// The subresource; empty for the object itself.
    pub fn subresource(self) -> &'static str {
        RESOURCES.iter().find(|row| row.0 == self).map_or("", |row| row.3)
    }

    /// Where its objects keep the template of their pods; `None` for subresources, and for what
    /// makes no pods.
    pub fn template(self) -> Option<TemplatePlace> {
        let row = RESOURCES.iter().find(|row| row.0 == self && row.3.is_empty())?;
        TemplatePlace::of_kind(row.1, row.4)
    }

    /// The kind of configuration that its objects are; `None` for all others.
    pub fn configuration(self) -> Option<ConfigKind> {
        match self {
            Self::ConfigMap => Some(ConfigKind::ConfigMap),
            Self::Secret => Some(ConfigKind::Secret),
            _ => None,
        }
    }

    /// The kind, as in messages.
    pub fn kind(self) -> &'static str {
        RESOURCES.iter().find(|row| row.0 == self).map_or("object", |row| row.4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn resources_are_known_by_all_their_words() {
        assert_eq!(Resource::of("", "v1", "pods", "resize"), Resource::PodResize);
        assert_eq!(Resource::of("", "v1", "pods", "status"), Resource::PodStatus);
        assert_eq!(Resource::of("", "v1", "pods", "binding"), Resource::PodBinding);
        assert_eq!(Resource::of("", "v1", "bindings", ""), Resource::Binding);
        assert_eq!(Resource::of("", "v1", "pods", "log"), Resource::Other);
        assert_eq!(Resource::of("apps", "v1", "deployments", ""), Resource::Deployment);
        assert_eq!(Resource::of("apps", "v1", "deployments", "scale"), Resource::Other);
        assert_eq!(Resource::of("apps", "v1beta1", "deployments", ""), Resource::Other);
        assert_eq!(Resource::of("example.com", "v1", "pods", ""), Resource::Other);
        assert_eq!(
            Resource::of("autoscaling.k8s.io", "v1", "verticalpodautoscalers", ""),
            Resource::VerticalPodAutoscaler
        );
        assert_eq!(
            Resource::of("autoscaling.k8s.io", "v1beta2", "verticalpodautoscalers", ""),
            Resource::Other
        );
        assert_eq!(Resource::of_kind("", "Pod"), Resource::Pod);
        assert_eq!(Resource::of_kind("batch", "CronJob"), Resource::CronJob);
    }

    #[test]
    fn unknown_operations_are_read() {
        assert_eq!(json::read::<Operation>("\"UPDATE\"").unwrap(), Operation::Update);
        assert_eq!(json::read::<Operation>("\"PATCH\"").unwrap(), Operation::Other);
    }
}
