//! One piece of configuration that a pod uses both as a variable and as a file.
//!
//! **Why it matters.** A variable keeps the value of the container's start; a file in a mounted
//! volume follows the change in about a minute. From then on the parts of one pod go by different
//! values of one key, and a restart of one container moves the line between them.
//!
//! **What it looks at.** Keys of a ConfigMap or Secret that come to regular containers or sidecars
//! of a workload by `env` or `envFrom`, and as a file by a whole mount of a `configMap`, `secret`
//! or `projected` volume in any of them, where nothing rolls the workload when the source changes.
//! `items` decides which keys are files. One finding for each object.
//!
//! **What it allows.** Different keys of one object. `subPath` mounts, which are frozen as well.
//! Jobs and other pods that run to an end; sources with a trigger: a checksum annotation on the
//! template, an effective Reloader annotation, a name with a generated hash. It is silent where it
//! cannot be told: `optional` variables, and with `envFrom` keys that no program reads as a
//! variable, such as `app.yaml`. Where an object is known to have such keys, or the container names
//! such a file (`KEY_FILE=/etc/certs/key.pem`), a mount of all its keys is for those.
//!
//! **How to fix it.** Use the key one way, or roll the workload when the source changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::configuration::{ConfigKind, ConfigObject};
use crate::kube::container::Container;
use crate::kube::object::Placed;
use crate::kube::volume::{VolumeMount, VolumePart};
use crate::rules::environment::{EnvKeys, EnvSource, env_sources};
use crate::rules::trigger::Triggers;
use crate::shell::is_name;

pub(crate) const RULE: Rule = Rule::new::<SplitConfigSource>(
    "split-config-source",
    include_str!("../../../policies/split-config-source.yaml"),
);

#[derive(Debug, Default)]
struct SplitConfigSource;

/// A ConfigMap or Secret by kind and name.
type Name<'s> = (ConfigKind, &'s str);

/// The keys of an object that are files somewhere in the pod.
#[derive(Debug, Default)]
struct MountedKeys {
    all: bool,
    /// Whether a container names one that is no variable.
    named: bool,
    keys: BTreeSet<String>,
}

/// What of an object is used both ways.
struct Split<'s> {
    /// The container that has it as a variable, and the field that says so.
    placed: Placed<'s, 's>,
    field: &'static str,
    /// All that can be a variable.
    whole: bool,
    keys: BTreeSet<String>,
}

impl Check for SplitConfigSource {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if !pod.is_long_running() {
            return;
        }
        let variables = pod.app_containers().flat_map(|placed| env_sources(placed.container));
        let variables = variables.filter(|part| !part.optional);
        let files = files(pod, &variables.filter_map(|part| part.source.named()).collect());
        if files.is_empty() {
            return;
        }
        let (triggers, mut splits) = (Triggers::of(pod), BTreeMap::<Name<'_>, Split<'_>>::new());
        for placed in pod.app_containers() {
            for part in env_sources(placed.container).filter(|part| !part.optional) {
                let Some(name) = part.source.named() else { continue };
                let Some(files) = files.get(&name) else { continue };
                let (whole, keys) = both_ways(&part, files, pod.config_object(part.source));
                if (whole || !keys.is_empty()) && !triggers.fire_for(part.source) {
                    let nothing =
                        || Split { placed, field: part.field, whole: false, keys: BTreeSet::new() };
                    let split = splits.entry(name).or_insert_with(nothing);
                    split.whole |= whole;
                    split.keys.extend(keys);
                }
            }
        }
        for (name, split) in splits {
            findings.report(finding(pod, name, split));
        }
    }
}

/// The files that whole mounts of app containers hold of the objects in `used`, by the object they
/// come from.
fn files<'s>(pod: &PodView<'s>, used: &BTreeSet<Name<'_>>) -> BTreeMap<Name<'s>, MountedKeys> {
    let mut files = BTreeMap::<Name<'s>, MountedKeys>::new();
    if used.is_empty() {
        return files;
    }
    let is_used =
        |part: VolumePart<'_>| part.source.named().is_some_and(|name| used.contains(&name));
    // whether a container that mounts the volume names a file in it, where one mounts it
    let mut mounted = BTreeMap::<&str, Option<bool>>::new();
    for volume in &pod.spec.volumes {
        if volume.objects().any(is_used) {
            mounted.insert(&volume.name, None);
        }
    }
    if mounted.is_empty() {
        return files;
    }
    for placed in pod.app_containers() {
        let mounts = placed.container.volume_mounts.iter().enumerate();
        for (index, mount) in mounts.filter(|(_, mount)| mount.part().is_none()) {
            if let Some(named) = mounted.get_mut(&*mount.name) {
                let other = index < MOUNTS && names_file(placed.container, mount);
                *named = Some(named.unwrap_or_default() | other);
            }
        }
    }
    for volume in &pod.spec.volumes {
        let Some(Some(named)) = mounted.get(&*volume.name) else { continue };
        for VolumePart { source, items, .. } in volume.objects() {
            let Some(name) = source.named() else { continue };
            let known = files.entry(name).or_default();
            known.all |= items.is_empty();
            known.named |= named;
            known.keys.extend(items.iter().map(|item| item.key.to_string()));
        }
    }
    files
}

/// The most mounts of a container whose paths are looked for. More are nobody's container.
const MOUNTS: usize = 32;

/// Whether a text of `container` names a file below `mount` that is no variable:
/// `/etc/certs/key.pem`.
fn names_file(container: &Container<'_>, mount: &VolumeMount<'_>) -> bool {
    let folder = mount.mount_path.trim_end_matches('/');
    let below = |text: &str| {
        // most are too short to name one, and to look for something in a text takes some setting up
        text.len() > folder.len().saturating_add(1)
            && text.contains('/')
            && text.split(folder).skip(1).filter_map(|rest| rest.strip_prefix('/')).any(|rest| {
                let part = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
                let end = rest.find(|letter| !part(letter)).unwrap_or(rest.len());
                rest.get(..end).is_some_and(is_file)
            })
    };
    let values = container.env.iter().map(|variable| &*variable.value);
    let words = container.command.iter().chain(&container.args).map(|text| &**text);
    !folder.is_empty() && values.chain(words).any(below)
}

/// Whether a key is that of a file.
fn is_file(key: &str) -> bool {
    key.trim_matches('.').contains('.')
}

/// Whether all of an object, or else which of its keys, are both variables and files. `known` is
/// what it holds.
fn both_ways(
    part: &EnvSource<'_>,
    files: &MountedKeys,
    known: Option<&ConfigObject>,
) -> (bool, BTreeSet<String>) {
    let holds = |key: &str| known.is_none_or(|object| object.data.contains_key(key));
    // nobody mounts a file to read its neighbours
    let has_files = known.is_some_and(|object| object.data.keys().any(|key| is_file(key)));
    let for_files = files.named || has_files;
    match part.keys {
        EnvKeys::One(key) => {
            let all = files.all && (is_file(key) || !for_files);
            let both = holds(key) && (all || files.keys.contains(key));
            (false, both.then(|| key.to_owned()).into_iter().collect())
        }
        EnvKeys::All { prefix } => {
            // the kubelet takes every key, but nobody reads a variable by the name of a file
            let readable = |key: &str| is_name(&format!("{prefix}{key}"));
            let any = || known.is_none_or(|object| object.data.keys().any(|key| readable(key)));
            let keys =
                files.keys.iter().filter(|key| readable(key) && holds(key)).cloned().collect();
            if files.all && !for_files && any() { (true, BTreeSet::new()) } else { (false, keys) }
        }
    }
}

fn finding(pod: &PodView<'_>, (kind, object): Name<'_>, split: Split<'_>) -> Finding {
    let name = &split.placed.container.name;
    let first = split.keys.first().filter(|_| !split.whole);
    let more = if split.keys.len() > 1 {
        format!(" (and {} more)", split.keys.len().saturating_sub(1))
    } else {
        String::new()
    };
    let message = |names: Names| {
        let (name, object) = (names.quoted(name), names.quoted(object));
        match first {
            Some(key) => format!(
                "container {name}: key {}{more} of {kind} {object} is both env and file",
                names.quoted(key)
            ),
            None => format!("container {name}: {kind} {object} is both frozen env and live files"),
        }
    };
    let remedy = "use it one way: env keeps the value of the start, a file follows; or roll the workload on a change";
    let finding =
        Finding::new(RULE.name, pod.container_pointer(&split.placed, split.field), message, remedy)
            .in_container(name);
    // the message names one key, and long names only in part
    let keys = if split.whole {
        "all".to_owned()
    } else {
        split.keys.into_iter().collect::<Vec<_>>().join(", ")
    };
    finding.about(format!("{kind} {object}: {keys}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::volume::VolumeSource;

    /// What is used both ways of a ConfigMap that is known to hold `data`, mounted with `items`.
    fn known(keys: EnvKeys<'_>, items: &[&str], data: &[&str]) -> (bool, Vec<String>) {
        let part = EnvSource {
            field: "env",
            source: VolumeSource::ConfigMap("app-config"),
            keys,
            optional: false,
        };
        let files = MountedKeys {
            all: items.is_empty(),
            named: false,
            keys: items.iter().map(|key| (*key).to_owned()).collect(),
        };
        let data = data.iter().map(|key| ((*key).to_owned(), String::new())).collect();
        let (whole, keys) =
            both_ways(&part, &files, Some(&ConfigObject { data, ..ConfigObject::default() }));
        (whole, keys.into_iter().collect())
    }

    #[test]
    fn an_object_that_is_known() {
        let all = || EnvKeys::All { prefix: "" };
        assert_eq!(
            known(EnvKeys::One("LEVEL"), &[], &["LEVEL"]),
            (false, vec!["LEVEL".to_owned()])
        );
        assert_eq!(
            known(EnvKeys::One("LEVEL"), &[], &["app.yaml"]),
            (false, vec![]),
            "it is not there"
        );
        assert_eq!(known(all(), &[], &["ZONE", "LEVEL"]), (true, vec![]));
        assert_eq!(
            known(all(), &[], &["app.yaml", "LEVEL"]),
            (false, vec![]),
            "the mount is for the file"
        );
        assert_eq!(
            known(EnvKeys::One("app.yaml"), &[], &["app.yaml", "LEVEL"]),
            (false, vec!["app.yaml".to_owned()])
        );
        assert_eq!(
            known(all(), &[], &["app.yaml", "1ST"]),
            (false, vec![]),
            "none can be a variable"
        );
        assert_eq!(
            known(EnvKeys::All { prefix: "APP_" }, &[], &["1ST"]),
            (true, vec![]),
            "with its prefix it can"
        );
        assert_eq!(known(all(), &["LEVEL", "ZONE"], &["LEVEL"]), (false, vec!["LEVEL".to_owned()]));
    }
}
