//! What rolls a workload when its configuration changes. Then configuration that is read once
//! arrives all the same, and rules about it are silent.

pub(crate) mod checksum;
mod misplaced;
mod wave;

use std::borrow::Cow;

use crate::judge::view::PodView;
use crate::kube::configuration::ConfigKind;
use crate::kube::volume::VolumeSource;

use self::checksum::has_checksum;
use self::misplaced::misplaced;
use self::wave::is_followed_by_wave;
use super::reloader_annotations::{CONFIG_MAP, ReloaderAnnotations, SECRET, SECRET_PROVIDER_CLASS};

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
            any_change: pod.is_owned() || has_checksum(pod) || is_followed_by_wave(pod),
            reloader: ReloaderAnnotations::of(pod),
            pod,
        }
    }

    /// What to do where nothing rolls the workload: `usual`, but where somebody tried, to put that
    /// where it is read.
    pub(in crate::rules) fn remedy(&self, usual: &'static str) -> Cow<'static, str> {
        misplaced(self.pod).map_or(usual.into(), |attempt| attempt.advice(self.pod).into())
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
            VolumeSource::ConfigMap(name) => self
                .reloader
                .as_ref()
                .is_some_and(|reloader| reloader.restart_for(&CONFIG_MAP, name)),
            VolumeSource::Secret(name) => {
                self.reloader.as_ref().is_some_and(|reloader| reloader.restart_for(&SECRET, name))
            }
            VolumeSource::Projected(sources) => {
                sources.iter().filter_map(|part| part.source()).all(|part| self.fire_by_name(part))
            }
            VolumeSource::SecretProviderClass(name) => self
                .reloader
                .as_ref()
                .is_some_and(|reloader| reloader.restart_for(&SECRET_PROVIDER_CLASS, name)),
            VolumeSource::Token | VolumeSource::Driver(_) | VolumeSource::DownwardApi => false,
        }
    }
}

/// Whether Wave goes by the annotation `key`.
pub(in crate::rules) fn is_read_by_wave(key: &str) -> bool {
    key == wave::WAVE
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
        _ => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names() {
        assert!(has_generated_name("app-config-8mbdf7882g"));
        assert!(has_generated_name("db-5f7d8b9c"));
        assert!(!has_generated_name("app-config"));
        assert!(!has_generated_name("app-production"));
        assert!(!has_generated_name("app-20240101"), "a date is no hash");
    }
}
