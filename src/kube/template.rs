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

/// Every kind whose objects keep one: group, kind and place.
const KINDS: [(&str, &str, TemplatePlace); 8] = [
    ("", "Pod", TemplatePlace::Itself),
    ("", "ReplicationController", TemplatePlace::Template),
    ("apps", "DaemonSet", TemplatePlace::Template),
    ("apps", "Deployment", TemplatePlace::Template),
    ("apps", "ReplicaSet", TemplatePlace::Template),
    ("apps", "StatefulSet", TemplatePlace::Template),
    ("batch", "CronJob", TemplatePlace::JobTemplate),
    ("batch", "Job", TemplatePlace::Template),
];

impl TemplatePlace {
    /// Where objects of this group and kind keep it; `None` for kinds that make no pods.
    pub fn of_kind(group: &str, kind: &str) -> Option<Self> {
        let row = KINDS.iter().find(|row| (row.0, row.1) == (group, kind))?;
        Some(row.2)
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
        let fields: Vec<_> = TemplatePlace::JobTemplate.fields().collect();
        assert_eq!(fields, ["spec", "jobTemplate", "spec", "template"]);
        assert_eq!(TemplatePlace::Itself.fields().count(), 0);
    }
}
