//! How the containers of a pod or workload use a ConfigMap or Secret.

use crate::judge::context::PolicyContext;
use crate::judge::subject::{Evidence, Subject};
use crate::judge::view::{PodView, View};
use crate::kube::configuration::ConfigKind;
use crate::kube::container::{Container, Reference, Role};
use crate::kube::volume::{KeyToPath, Volume, VolumeMount};
use crate::manifest::decode::Malformed;
use crate::manifest::unstructured::Unstructured;
use crate::rules::trigger;

/// One way in which one container uses an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) container: String,
    pub(super) way: Way,
    /// Whether Reloader is told to restart the workload for it.
    pub(super) is_reloaded: bool,
}

/// How it gets into the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As variables.
    Environment,
    /// As files of a whole mount.
    Volume,
    /// As a file mounted alone.
    SubPath,
    /// Somehow, into a container that ran to its end.
    Init,
}

impl Way {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Environment => "takes it as environment variables",
            Self::Volume => "mounts it as files",
            Self::SubPath => "mounts it by subPath",
            Self::Init => "uses it in an init container",
        }
    }
}

/// An object, and the key of it that matters; without one any does.
#[derive(Clone, Copy)]
struct Wanted<'w> {
    kind: ConfigKind,
    name: &'w str,
    key: Option<&'w str>,
}

/// How `user` uses `object`, or `key` of it.
///
/// # Errors
///
/// Where `user` cannot be read, so that nobody can tell.
pub(super) fn of(
    user: &Unstructured,
    object: &Unstructured,
    key: Option<&str>,
) -> Result<Vec<Usage>, Malformed> {
    if user.namespace != object.namespace || user.template().is_none() {
        return Ok(Vec::new());
    }
    let kind = if object.kind == "Secret" { ConfigKind::Secret } else { ConfigKind::ConfigMap };
    let subject = Subject::created(
        user.resource(),
        user.namespace.as_str().into(),
        user.decode()?,
        Evidence::default(),
    );
    let context = PolicyContext::default();
    match View::of(&subject, &context) {
        Some(View::Pod { new, .. }) => Ok(usages(&new, Wanted { kind, name: &object.name, key })),
        // a workload without a template has no containers
        _ => Ok(Vec::new()),
    }
}

fn usages(pod: &PodView<'_>, wanted: Wanted<'_>) -> Vec<Usage> {
    let is_reloaded = trigger::is_reloaded(pod, wanted.kind, wanted.name);
    let mut usages = Vec::new();
    for placed in pod.all_containers() {
        let ways = [
            environment(placed.container, wanted),
            files(pod, placed.container, wanted, false),
            files(pod, placed.container, wanted, true),
        ];
        let found = ways
            .into_iter()
            .zip([Way::Environment, Way::Volume, Way::SubPath])
            .filter(|(is_used, _)| *is_used);
        for (_, way) in found {
            let way = if placed.role == Role::Init { Way::Init } else { way };
            let usage = Usage { container: placed.container.name.to_string(), way, is_reloaded };
            if !usages.contains(&usage) {
                usages.push(usage);
            }
        }
    }
    usages
}

fn environment(container: &Container<'_>, wanted: Wanted<'_>) -> bool {
    let names = |reference: &Reference<'_>| {
        *reference.name == *wanted.name
            && (reference.key.is_empty() || wanted.key.is_none_or(|key| key == &*reference.key))
    };
    let is_map = wanted.kind == ConfigKind::ConfigMap;
    let single =
        container.env.iter().filter_map(|variable| variable.value_from.as_deref()).any(|source| {
            let reference =
                if is_map { &source.config_map_key_ref } else { &source.secret_key_ref };
            reference.as_ref().is_some_and(names)
        });
    let whole = container.env_from.iter().any(|source| {
        let reference = if is_map { &source.config_map_ref } else { &source.secret_ref };
        reference.as_ref().is_some_and(names)
    });
    single || whole
}

/// Whether it is mounted: as a whole, or by subPath.
fn files(pod: &PodView<'_>, container: &Container<'_>, wanted: Wanted<'_>, by_part: bool) -> bool {
    container.volume_mounts.iter().filter(|mount| mount.part().is_some() == by_part).any(|mount| {
        let volume = pod.spec.volumes.iter().find(|volume| volume.name == mount.name);
        volume.is_some_and(|volume| carries(volume, mount, wanted))
    })
}

/// Whether the volume has the wanted key, and the mount lets it through.
fn carries(volume: &Volume<'_>, mount: &VolumeMount<'_>, wanted: Wanted<'_>) -> bool {
    let is_map = wanted.kind == ConfigKind::ConfigMap;
    let mut lists: Vec<Vec<KeyToPath<'_>>> = Vec::new();
    if let Some(source) =
        volume.config_map.as_ref().filter(|source| is_map && *source.name == *wanted.name)
    {
        lists.push(source.items());
    }
    if let Some(source) =
        volume.secret.as_ref().filter(|source| !is_map && *source.secret_name == *wanted.name)
    {
        lists.push(source.items());
    }
    for part in volume.projected.iter().flat_map(|projected| &projected.sources) {
        let source = if is_map { &part.config_map } else { &part.secret };
        lists.extend(
            source
                .as_ref()
                .filter(|source| *source.name == *wanted.name)
                .map(|source| source.items()),
        );
    }
    lists.iter().any(|items| lets_through(items, mount, wanted.key))
}

fn lets_through(items: &[KeyToPath<'_>], mount: &VolumeMount<'_>, key: Option<&str>) -> bool {
    let Some(key) = key else { return true };
    let path = match items.iter().find(|item| &*item.key == key) {
        Some(item) => &*item.path,
        None if items.is_empty() => key,
        None => return false,
    };
    // of an expression it cannot be told which file it means
    mount.sub_path.is_empty()
        || path == &*mount.sub_path
        || path.strip_prefix(&*mount.sub_path).is_some_and(|rest| rest.starts_with('/'))
}
