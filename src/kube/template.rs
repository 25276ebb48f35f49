//! Which kinds make pods, and where their objects keep the template of them.

/// Where the objects of a kind keep the metadata and spec of their pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplatePlace {
    /// In themselves: they are pods.
    Itself,
    /// In `spec.template`.
    Template,
    /// In `spec.jobTemplate.spec.template`.
    JobTemplate,
}

/// A kind whose objects make pods.
#[derive(Clone, Copy, Debug)]
pub struct PodMaker {
    /// Its API group.
    pub group: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// The JSON pointers of its templates; `*` stands for each item of a list.
    pub templates: &'static [&'static str],
    /// What rolls its pods: what rolls those of this kind.
    pub like: Like,
    /// Whether Reloader looks at it.
    pub reloaded: bool,
    /// Whether its API knows only some fields of a pod.
    pub closed: bool,
}

/// A kind of Kubernetes itself, by which another one goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Like {
    /// It is one itself.
    Itself,
    /// A change of the template replaces the pods.
    Deployment,
    /// The same, one after the other.
    StatefulSet,
    /// The same, on each node.
    DaemonSet,
    /// A change of the template leaves the pods as they are.
    ReplicaSet,
    /// The pods come to an end.
    Job,
}

impl Like {
    /// The group and kind of it; `None` for [`Like::Itself`].
    pub fn kind(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Itself => None,
            Self::Deployment => Some(("apps", "Deployment")),
            Self::StatefulSet => Some(("apps", "StatefulSet")),
            Self::DaemonSet => Some(("apps", "DaemonSet")),
            Self::ReplicaSet => Some(("apps", "ReplicaSet")),
            Self::Job => Some(("batch", "Job")),
        }
    }
}

const TEMPLATE: &[&str] = &["/spec/template"];

/// Every kind whose objects make pods, as far as is known.
const KINDS: [PodMaker; 21] = [
    PodMaker::of("", "Pod", &[""]),
    PodMaker::of("", "ReplicationController", TEMPLATE),
    PodMaker::of("apps", "DaemonSet", TEMPLATE),
    PodMaker::of("apps", "Deployment", TEMPLATE),
    PodMaker::of("apps", "ReplicaSet", TEMPLATE),
    PodMaker::of("apps", "StatefulSet", TEMPLATE),
    PodMaker::of("batch", "CronJob", &["/spec/jobTemplate/spec/template"]),
    PodMaker::of("batch", "Job", TEMPLATE),
    // whoever makes pods of it decides when
    PodMaker::of("", "PodTemplate", &["/template"]).like(Like::ReplicaSet),
    PodMaker::of("argoproj.io", "Rollout", TEMPLATE).like(Like::Deployment).reloaded(),
    PodMaker::of("serving.knative.dev", "Service", TEMPLATE).like(Like::Deployment).closed(),
    PodMaker::of("serving.knative.dev", "Configuration", TEMPLATE).like(Like::Deployment).closed(),
    PodMaker::of("apps.openshift.io", "DeploymentConfig", TEMPLATE)
        .like(Like::Deployment)
        .reloaded(),
    // the same before it had a group
    PodMaker::of("", "DeploymentConfig", TEMPLATE).like(Like::Deployment).reloaded(),
    PodMaker::of("jobset.x-k8s.io", "JobSet", &["/spec/replicatedJobs/*/template/spec/template"])
        .like(Like::Job),
    PodMaker::of(
        "leaderworkerset.x-k8s.io",
        "LeaderWorkerSet",
        &["/spec/leaderWorkerTemplate/leaderTemplate", "/spec/leaderWorkerTemplate/workerTemplate"],
    )
    .like(Like::StatefulSet),
    PodMaker::of(
        "ray.io",
        "RayCluster",
        &["/spec/headGroupSpec/template", "/spec/workerGroupSpecs/*/template"],
    )
    .like(Like::ReplicaSet),
    PodMaker::of("apps.kruise.io", "CloneSet", TEMPLATE).like(Like::Deployment),
    PodMaker::of("apps.kruise.io", "StatefulSet", TEMPLATE).like(Like::StatefulSet),
    PodMaker::of("apps.kruise.io", "DaemonSet", TEMPLATE).like(Like::DaemonSet),
    PodMaker::of("apps.kruise.io", "BroadcastJob", TEMPLATE).like(Like::Job),
];

impl PodMaker {
    const fn of(
        group: &'static str,
        kind: &'static str,
        templates: &'static [&'static str],
    ) -> Self {
        Self { group, kind, templates, like: Like::Itself, reloaded: false, closed: false }
    }

    const fn like(mut self, like: Like) -> Self {
        self.like = like;
        self
    }

    const fn reloaded(mut self) -> Self {
        self.reloaded = true;
        self
    }

    const fn closed(mut self) -> Self {
        self.closed = true;
        self
    }

    /// Every kind that is none of Kubernetes' own workloads.
    pub fn others() -> impl Iterator<Item = &'static Self> {
        KINDS.iter().filter(|row| row.like != Like::Itself)
    }
}

impl TemplatePlace {
    /// Where objects of this group and kind keep it; `None` for kinds that make no pods, and for
    /// those that no review is about.
    pub fn of_kind(group: &str, kind: &str) -> Option<Self> {
        let own = |row: &&PodMaker| row.like == Like::Itself;
        let row = KINDS.iter().filter(own).find(|row| (row.group, row.kind) == (group, kind))?;
        let places = [Self::Itself, Self::Template, Self::JobTemplate];
        places.into_iter().find(|place| row.templates == [place.pointer()])
    }

    /// The JSON pointer of it; empty for the object itself.
    pub fn pointer(self) -> &'static str {
        self.metadata_holders().last().copied().unwrap_or_default()
    }

    /// The JSON pointers of everything on the way to it that has metadata, the object itself first
    /// and the pod's last.
    pub(crate) fn metadata_holders(self) -> &'static [&'static str] {
        match self {
            Self::Itself => &[""],
            Self::Template => &["", "/spec/template"],
            Self::JobTemplate => &["", "/spec/jobTemplate", "/spec/jobTemplate/spec/template"],
        }
    }

    /// The names of the fields on the way to it.
    pub fn fields(self) -> impl Iterator<Item = &'static str> {
        self.pointer().split('/').skip(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_place() {
        let pointer = |group: &str, kind: &str| {
            TemplatePlace::of_kind(group, kind).map(TemplatePlace::pointer)
        };
        assert_eq!(pointer("", "Pod"), Some(""));
        assert_eq!(pointer("apps", "Deployment"), Some("/spec/template"));
        assert_eq!(pointer("batch", "CronJob"), Some("/spec/jobTemplate/spec/template"));
        assert_eq!(pointer("", "Deployment"), None);
        assert_eq!(pointer("argoproj.io", "Rollout"), None);
        for row in KINDS.iter().filter(|row| row.like == Like::Itself) {
            assert!(TemplatePlace::of_kind(row.group, row.kind).is_some(), "{row:?}");
        }
        for row in PodMaker::others() {
            let (group, kind) = row.like.kind().unwrap();
            assert_eq!(pointer(group, kind), Some("/spec/template"), "{row:?}");
        }
        let fields: Vec<_> = TemplatePlace::JobTemplate.fields().collect();
        assert_eq!(fields, ["spec", "jobTemplate", "spec", "template"]);
        assert_eq!(TemplatePlace::Itself.fields().count(), 0);
    }
}
