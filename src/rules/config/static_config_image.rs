//! A server that reads its configuration once, with nothing to tell it of a change.
//!
//! **Why it matters.** The kubelet updates a whole mount in the running pod, but most servers read
//! their configuration when they start and never again. The file is new, the server is old, until
//! something restarts it.
//!
//! **What it looks at.** Workloads and pods that run until someone stops them, with one container
//! of a known image (`nginx`, `httpd`, `haproxy`, `redis`, `mysql`, `mariadb`, `postgres`,
//! `rabbitmq`, `eclipse-mosquitto`) and a whole mount of a ConfigMap, Secret or projected volume
//! where that image keeps its configuration. The setting `images` adds images, by repository with
//! or without its registry or by the last part of its name; of these any such mount counts.
//!
//! **What it allows.** Pods with another container, which may be what reloads it; scripts with a
//! loop, a watch or a signal; sources with a trigger, which roll the workload: a checksum
//! annotation on the template, an effective Reloader annotation, a name with a generated hash.
//!
//! **How to fix it.** Roll the workload when the source changes, or add a sidecar that
//! reloads the server.

use serde::Deserialize;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::settings::Setting;
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::image::Image;
use crate::kube::object::Placed;
use crate::kube::volume::VolumeSource;
use crate::rules::inline::{all_scripts, below};
use crate::rules::trigger::Triggers;
use crate::watch::{signals, watches};

pub(crate) const RULE: Rule = Rule::with_settings::<StaticConfigImage>(
    "static-config-image",
    include_str!("../../../policies/static-config-image.yaml"),
    &[Setting::plain("images")],
);

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct StaticConfigImage {
    /// More images.
    images: Vec<String>,
}

/// Repositories, and where their images keep their configuration: none of them looks at it again by
/// itself.
const KNOWN: [(&str, &str); 10] = [
    ("nginx", "/etc/nginx"),
    ("nginxinc/nginx-unprivileged", "/etc/nginx"),
    ("httpd", "/usr/local/apache2/conf"),
    ("haproxy", "/usr/local/etc/haproxy"),
    ("redis", "/usr/local/etc/redis"),
    ("mysql", "/etc/mysql"),
    ("mariadb", "/etc/mysql"),
    ("postgres", "/etc/postgresql"),
    ("rabbitmq", "/etc/rabbitmq"),
    ("eclipse-mosquitto", "/mosquitto/config"),
];

impl Check for StaticConfigImage {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        let mut containers = pod.app_containers();
        let (Some(placed), None) = (containers.next(), containers.next()) else { return };
        if !pod.is_long_running() {
            return;
        }
        let Some(folder) = self.folder(&Image::parse(&placed.container.image)) else { return };
        if let Some(path) = read_once(pod, placed.container, folder)
            && !reloads_itself(pod, placed.container)
        {
            findings.report(finding(pod, &placed, path));
        }
    }
}

impl StaticConfigImage {
    /// Where the image keeps its configuration; `None` where it is no image of interest.
    fn folder(&self, image: &Image<'_>) -> Option<&'static str> {
        let known = |(repository, _): &&(&str, &str)| match repository.contains('/') {
            true => image.repository == *repository,
            false => image.official() == Some(repository),
        };
        let whole = |name: &str| {
            name.split_once('/').is_some_and(|(registry, rest)| {
                registry == image.registry && rest == image.repository
            })
        };
        let added = || {
            self.images
                .iter()
                .any(|name| name == image.repository || name == image.name() || whole(name))
        };
        KNOWN.iter().find(known).map(|(_, folder)| *folder).or_else(|| added().then_some(""))
    }
}

/// The first mount of configuration in `folder` that nothing rolls the workload for.
fn read_once<'c>(pod: &PodView<'_>, container: &'c Container<'_>, folder: &str) -> Option<&'c str> {
    let mut triggers = None;
    let mut mounts = container
        .volume_mounts
        .iter()
        .filter(|mount| mount.part().is_none() && below(folder, &mount.mount_path).is_some());
    let mount = mounts.find(|mount| match pod.volume(mount).and_then(|volume| volume.source()) {
        Some(VolumeSource::Token | VolumeSource::DownwardApi) | None => false,
        Some(source) => !triggers.get_or_insert_with(|| Triggers::of(pod)).fire_for(source),
    });
    mount.map(|mount| &*mount.mount_path)
}

/// Whether a script of the container may tell it of changes.
fn reloads_itself(pod: &PodView<'_>, container: &Container<'_>) -> bool {
    all_scripts(pod, container, &[""]).any(|inline| {
        let script = inline.script;
        !script.loops.is_empty() || !watches(&script).is_empty() || !signals(&script).is_empty()
    })
}

fn finding(pod: &PodView<'_>, placed: &Placed<'_, '_>, path: &str) -> Finding {
    let name = &placed.container.name;
    let image = Image::parse(&placed.container.image).name();
    let message = |names: Names| {
        let (name, image, path) = (names.quoted(name), names.quoted(image), names.quoted(path));
        format!("container {name}: {image} reads {path} when it starts and never again")
    };
    let remedy = Triggers::of(pod).remedy(
        "put a checksum of the source on the template, let Reloader roll the workload, or add a sidecar that reloads it",
    );
    Finding::new(RULE.name, pod.container_pointer(placed, "image"), message, remedy)
        .in_container(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_or_added() {
        let folder = |images: &[&str], image| {
            StaticConfigImage { images: images.iter().map(|name| (*name).to_owned()).collect() }
                .folder(&Image::parse(image))
        };
        assert_eq!(folder(&[], "nginx:1.27"), Some("/etc/nginx"));
        assert_eq!(folder(&[], "registry.example/nginx:1.27"), None, "it may be anybody's");
        assert_eq!(folder(&[], "nginxinc/nginx-unprivileged:1"), Some("/etc/nginx"));
        for name in ["app", "team/app", "registry.example/team/app"] {
            assert_eq!(folder(&[name], "registry.example/team/app:1@sha256:0"), Some(""), "{name}");
        }
        assert_eq!(
            folder(&["other.example/team/app", "am/app", "team"], "registry.example/team/app:1"),
            None
        );
    }
}
