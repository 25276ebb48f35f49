//! What a path of a container leads to.

use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::volume::{Volume, VolumeMount, VolumeSource};
use crate::watch::TargetKind;

/// What a path of a container leads to.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) enum PathTarget<'s> {
    /// Into a whole mount of configuration.
    Configuration(VolumeSource<'s>, TargetKind),
    /// To one of the links that the kubelet makes in such a mount.
    KubeletLink(VolumeSource<'s>),
    /// Into a part of configuration, mounted by `subPath`: it never changes.
    SubPath(VolumeSource<'s>),
    /// Into another volume; `None` where the manifest does not tell which.
    OtherVolume(Option<&'s Volume<'s>>),
    /// Into no mount.
    NoMount,
}

/// What `path` leads to.
pub(in crate::rules) fn path_target<'s>(
    pod: &PodView<'s>,
    container: &Container<'_>,
    path: &str,
) -> PathTarget<'s> {
    let Some((mount, rest)) = nearest_mount(container, path) else { return PathTarget::NoMount };
    let volume = pod.volume(mount);
    let Some(source) = volume.and_then(Volume::source) else {
        return PathTarget::OtherVolume(volume);
    };
    match rest {
        _ if mount.part().is_some() => PathTarget::SubPath(source),
        "" => PathTarget::Configuration(source, TargetKind::Directory),
        rest if rest.starts_with("..") => PathTarget::KubeletLink(source), // what a watch on them sees was not measured
        _ => PathTarget::Configuration(source, TargetKind::File),
    }
}

/// The mount that `path` leads into, and the part of the path below it.
pub(in crate::rules) fn nearest_mount<'c, 'p>(
    container: &'c Container<'_>,
    path: &'p str,
) -> Option<(&'c VolumeMount<'c>, &'p str)> {
    let inside = |mount: &'c VolumeMount<'_>| {
        Some((mount, below(mount.mount_path.trim_end_matches('/'), path)?))
    };
    container
        .volume_mounts
        .iter()
        .filter_map(inside)
        .max_by_key(|(mount, _)| mount.mount_path.len())
}

/// The part of `path` below `folder`: empty where they are the same.
pub(in crate::rules) fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.trim_end_matches('/').strip_prefix(folder)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_a_folder() {
        assert_eq!(below("/etc/app", "/etc/app"), Some(""));
        assert_eq!(below("/etc/app", "/etc/app/"), Some(""));
        assert_eq!(below("/etc/app", "/etc/app/a.yaml"), Some("a.yaml"));
        assert_eq!(below("/etc/app", "/etc/application"), None);
        assert_eq!(below("", "/a"), Some("a"));
    }
}
