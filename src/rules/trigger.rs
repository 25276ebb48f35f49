//! What rolls a workload when its configuration changes. Then configuration that is read once
//! arrives all the same, and rules about it are silent.

use crate::json::text::Annotations;
use crate::judge::view::PodView;
use crate::kube::configuration::ConfigKind;
use crate::kube::volume::VolumeSource;

use super::reloader_annotations::{CONFIG_MAP, ReloaderAnnotations, SECRET};

/// The letters kustomize makes its ten-character name hashes of, and Kubernetes its pod-template
/// hashes.
const SAFE_HASH: &str = "bcdfghjklmnpqrstvwxz2456789";

/// What rolls a pod when its configuration changes, worked out once for all its sources.
pub(in crate::rules) struct Triggers<'p, 's> {
    /// Everything rolls it, or what does cannot be seen from here.
    any_change: bool,
    /// What Reloader is told, if anything.
    reloader: Option<ReloaderAnnotations<'s>>,
    pod: &'p PodView<'s>,
}

impl<'p, 's> Triggers<'p, 's> {
    /// The triggers of `pod`.
    pub(in crate::rules) fn of(pod: &'p PodView<'s>) -> Self {
        Self {
            any_change: pod.is_owned() || has_checksum(&pod.metadata.annotations),
            reloader: ReloaderAnnotations::of(pod),
            pod,
        }
    }

    /// Whether something restarts the pod when `source` changes.
    pub(in crate::rules) fn fire_for(&self, source: VolumeSource<'_>) -> bool {
        self.any_change || self.fire_by_name(source)
    }

    fn fire_by_name(&self, source: VolumeSource<'_>) -> bool {
        match source {
            VolumeSource::ConfigMap(_) | VolumeSource::Secret(_)
                if never_changes(self.pod, source) =>
            {
                true
            }
            VolumeSource::ConfigMap(name) => {
                self.reloader.is_some_and(|reloader| reloader.restart_for(&CONFIG_MAP, name))
            }
            VolumeSource::Secret(name) => {
                self.reloader.is_some_and(|reloader| reloader.restart_for(&SECRET, name))
            }
            VolumeSource::Projected(sources) => {
                sources.iter().filter_map(|part| part.source()).all(|part| self.fire_by_name(part))
            }
            VolumeSource::Token | VolumeSource::DownwardApi => false,
        }
    }
}

/// Whether Reloader restarts the workload of `pod` when the object of this kind and name changes.
pub(crate) fn is_reloaded(pod: &PodView<'_>, kind: ConfigKind, name: &str) -> bool {
    let kind = if kind == ConfigKind::Secret { &SECRET } else { &CONFIG_MAP };
    ReloaderAnnotations::of(pod).is_some_and(|reloader| reloader.restart_for(kind, name))
}

/// Whether the content of `source` can never change: another content has another name, so the
/// template changes with it.
pub(in crate::rules) fn never_changes(pod: &PodView<'_>, source: VolumeSource<'_>) -> bool {
    match source {
        VolumeSource::ConfigMap(name) | VolumeSource::Secret(name) => {
            has_generated_name(name)
                || pod.config_object(source).is_some_and(|object| object.immutable)
        }
        VolumeSource::Projected(sources) => {
            sources.iter().filter_map(|part| part.source()).all(|part| never_changes(pod, part))
        }
        VolumeSource::Token | VolumeSource::DownwardApi => false,
    }
}

/// Whether the name ends in a hash of the content: another content has another name, so the
/// template changes with it.
fn has_generated_name(name: &str) -> bool {
    let Some((_, suffix)) = name.rsplit_once('-') else { return false };
    let made_of = |letters: &str| suffix.chars().all(|letter| letters.contains(letter));
    let mixed = suffix.contains(|letter: char| letter.is_ascii_digit())
        && suffix.contains(|letter: char| letter.is_ascii_alphabetic());
    (suffix.len() == 10 && made_of(SAFE_HASH))
        || (suffix.len() >= 8 && mixed && made_of("0123456789abcdef"))
}

/// Whether an annotation of the pod or template looks like a checksum of its configuration, such as
/// `checksum/config`.
fn has_checksum(annotations: &Annotations<'_>) -> bool {
    const WORDS: [&str; 5] = ["hash", "sha1", "sha256", "md5", "confighash"];
    let names_content = |word: &str| {
        let checksum = word
            .as_bytes()
            .windows("checksum".len())
            .any(|part| part.eq_ignore_ascii_case(b"checksum"));
        checksum || WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
    };
    // Kubernetes' own, such as the hash of a static pod, are not about configuration
    let own =
        |key: &str| key.split('/').next().is_some_and(|prefix| prefix.ends_with("kubernetes.io"));
    annotations
        .iter()
        .any(|(key, _)| !own(key) && key.split(['/', '.', '-', '_']).any(names_content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn generated_names() {
        assert!(has_generated_name("app-config-8mbdf7882g"));
        assert!(has_generated_name("db-5f7d8b9c"));
        assert!(!has_generated_name("app-config"));
        assert!(!has_generated_name("app-production"));
        assert!(!has_generated_name("app-20240101"), "a date is no hash");
    }

    #[test]
    fn checksum_annotations() {
        let has = |json: &str| has_checksum(&json::read(json).unwrap());
        assert!(has(r#"{"checksum/config": "1"}"#));
        assert!(has(r#"{"rollme.example.com/config-hash": "1"}"#));
        assert!(has(r#"{"configmap-sha256": "1"}"#));
        assert!(!has(r#"{"prometheus.io/scrape": "true", "shared": "1"}"#));
        assert!(!has(r#"{"kubernetes.io/config.hash": "1"}"#));
        assert!(!has(r#"{"git-sha": "1"}"#), "of the program, not of its configuration");
    }
}
