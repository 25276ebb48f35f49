//! How the containers of a pod use ConfigMaps and Secrets.

use std::borrow::Cow;
use std::fmt;

use super::configuration::ConfigKind;
use super::container::{Container, Role};
use super::object::{Placed, Spec};
use super::volume::{Volume, VolumeMount, VolumePart};

/// One way in which one container uses one ConfigMap or Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigUse<'s> {
    /// The kind of the object.
    pub kind: ConfigKind,
    /// Its name.
    pub name: Cow<'s, str>,
    /// The container.
    pub container: Cow<'s, str>,
    /// What the container is in the pod.
    pub role: Role,
    /// How it gets into the container.
    pub way: Way,
    /// The key of it; `None` for all of them, and where it cannot be told which.
    pub key: Option<Cow<'s, str>>,
    /// Whether the container starts without it.
    pub optional: bool,
}

/// How configuration gets into a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// As one variable: `env[].valueFrom`.
    Env,
    /// As variables: `envFrom`.
    EnvFrom,
    /// As a file of a mounted volume that lists its `items`.
    Items,
    /// As a file or folder that is mounted alone: `subPath`, `subPathExpr`.
    SubPath,
    /// As files of a volume that is mounted whole.
    Volume,
}

impl Way {
    /// Every way.
    pub const ALL: [Self; 5] = [Self::Env, Self::EnvFrom, Self::Items, Self::SubPath, Self::Volume];

    /// The field that says so, as in messages and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::EnvFrom => "envFrom",
            Self::Items => "items",
            Self::SubPath => "subPath",
            Self::Volume => "volume",
        }
    }

    /// Whether the container has what it had at its start until it starts again.
    pub fn is_frozen(self) -> bool {
        matches!(self, Self::Env | Self::EnvFrom | Self::SubPath)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl ConfigUse<'_> {
    /// Whether it is about this object.
    pub fn is_of(&self, kind: ConfigKind, name: &str) -> bool {
        self.kind == kind && *self.name == *name
    }

    /// The same, borrowed from nothing.
    pub fn into_owned(self) -> ConfigUse<'static> {
        ConfigUse {
            name: Cow::Owned(self.name.into_owned()),
            container: Cow::Owned(self.container.into_owned()),
            key: self.key.map(|key| Cow::Owned(key.into_owned())),
            ..self
        }
    }
}

/// Every use of a ConfigMap or Secret by the containers of `spec`, in their order. A volume that no
/// container mounts is not used: the kubelet leaves it alone.
pub(crate) fn config_uses<'s>(spec: &'s Spec<'_>) -> Vec<ConfigUse<'s>> {
    let mut uses = Vec::new();
    for Placed { container, role, .. } in spec.all_containers() {
        let found = Found { container: &container.name, role };
        environment(container, found, &mut uses);
        for mount in &container.volume_mounts {
            let volume = spec.volumes.iter().find(|volume| volume.name == mount.name);
            if let Some(volume) = volume {
                files(volume, mount, found, &mut uses);
            }
        }
    }
    uses
}

/// In which container uses are found.
#[derive(Clone, Copy)]
struct Found<'s> {
    container: &'s str,
    role: Role,
}

impl<'s> Found<'s> {
    fn by(
        self,
        way: Way,
        (kind, name): (ConfigKind, &'s str),
        key: Option<Cow<'s, str>>,
        optional: bool,
    ) -> ConfigUse<'s> {
        let container = self.container.into();
        ConfigUse { kind, name: name.into(), container, role: self.role, way, key, optional }
    }
}

fn environment<'s>(container: &'s Container<'_>, found: Found<'s>, uses: &mut Vec<ConfigUse<'s>>) {
    let single = container.env.iter().filter_map(|variable| variable.value_from.as_ref());
    for (kind, reference) in single.filter_map(|source| source.reference()) {
        let key = Some(Cow::Borrowed(&*reference.key));
        uses.push(found.by(Way::Env, (kind, &reference.name), key, reference.optional));
    }
    for (kind, reference) in container.env_from.iter().filter_map(|from| from.reference()) {
        uses.push(found.by(Way::EnvFrom, (kind, &reference.name), None, reference.optional));
    }
}

fn files<'s>(
    volume: &'s Volume<'_>,
    mount: &'s VolumeMount<'_>,
    found: Found<'s>,
    uses: &mut Vec<ConfigUse<'s>>,
) {
    let parts = volume.objects().count();
    for VolumePart { source, items, optional } in volume.objects() {
        let Some(object) = source.named() else { continue };
        let part = mount.part();
        if items.is_empty() {
            let (way, key) = match part {
                None => (Way::Volume, None),
                Some(_) => (Way::SubPath, file_at(mount)),
            };
            // of several sources it cannot be told which one has the file
            let optional = optional || (parts > 1 && key.is_some());
            uses.push(found.by(way, object, key.map(Cow::Borrowed), optional));
            continue;
        }
        let way = if part.is_some() { Way::SubPath } else { Way::Items };
        for item in items.iter().filter(|item| part.is_none() || lets_through(mount, &item.path)) {
            let key = Some(Cow::Owned(item.key.to_string()));
            uses.push(found.by(way, object, key, optional));
        }
    }
}

/// The key that is mounted alone, where the path tells it.
fn file_at<'s>(mount: &'s VolumeMount<'_>) -> Option<&'s str> {
    let path = mount.sub_path.trim_end_matches('/');
    (!path.is_empty() && !path.contains('/')).then_some(path)
}

/// Whether `mount` has the file at `path` of its volume. Of an expression nobody can tell.
fn lets_through(mount: &VolumeMount<'_>, path: &str) -> bool {
    mount.sub_path.is_empty()
        || path == &*mount.sub_path
        || path.strip_prefix(&*mount.sub_path).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn uses(spec: &str) -> Vec<String> {
        let spec: Spec<'_> = json::read(spec).unwrap();
        let told = |one: &ConfigUse<'_>| {
            let key = one.key.as_deref().unwrap_or("*");
            let optional = if one.optional { " optional" } else { "" };
            format!("{} {}/{} {} {key}{optional}", one.container, one.kind, one.name, one.way)
        };
        config_uses(&spec).iter().map(told).collect()
    }

    #[test]
    fn variables() {
        let spec = r#"{
            "initContainers": [{"name": "init", "envFrom": [{"secretRef": {"name": "s", "optional": true}}]}],
            "containers": [{"name": "app", "env": [
                {"name": "A", "value": "1"},
                {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "b"}}},
                {"name": "D", "valueFrom": {"secretKeyRef": {"name": "s", "key": "d", "optional": true}}}
            ], "envFrom": [{"configMapRef": {"name": "all"}}]}]}"#;
        assert_eq!(
            uses(spec),
            [
                "init Secret/s envFrom * optional",
                "app ConfigMap/c env b",
                "app Secret/s env d optional",
                "app ConfigMap/all envFrom *",
            ]
        );
    }

    #[test]
    fn files_by_mount() {
        let spec = r#"{
            "volumes": [
                {"name": "whole", "configMap": {"name": "w"}},
                {"name": "items", "configMap": {"name": "i", "optional": true, "items": [{"key": "k", "path": "dir/f"}, {"key": "l", "path": "g"}]}},
                {"name": "both", "projected": {"sources": [{"configMap": {"name": "x"}}, {"secret": {"name": "y"}}]}},
                {"name": "unmounted", "configMap": {"name": "u"}}
            ],
            "containers": [{"name": "app", "volumeMounts": [
                {"name": "whole", "mountPath": "/w"},
                {"name": "whole", "mountPath": "/f", "subPath": "app.yaml"},
                {"name": "whole", "mountPath": "/e", "subPathExpr": "$(POD)"},
                {"name": "items", "mountPath": "/d", "subPath": "dir"},
                {"name": "both", "mountPath": "/b", "subPath": "z"},
                {"name": "elsewhere", "mountPath": "/n"}
            ]}]}"#;
        assert_eq!(
            uses(spec),
            [
                "app ConfigMap/w volume *",
                "app ConfigMap/w subPath app.yaml",
                "app ConfigMap/w subPath *",
                "app ConfigMap/i subPath k optional",
                "app ConfigMap/x subPath z optional",
                "app Secret/y subPath z optional",
            ]
        );
    }
}
