//! What rolls a workload when its configuration changes. Then configuration that is read once arrives all the same, and
//! rules about it are silent.

use crate::judge::subject::Resource;
use crate::judge::view::PodView;
use crate::kube::configuration::ConfigKind;
use crate::kube::text::Annotations;
use crate::kube::volume::Source;

/// The letters kustomize makes its ten-character name hashes of, and Kubernetes its pod-template hashes.
const SAFE_HASH: &str = "bcdfghjklmnpqrstvwxz2456789";

/// What rolls a pod when its configuration changes, worked out once for all its sources.
pub(super) struct Triggers<'s> {
    /// Everything rolls it, or what does cannot be seen from here.
    any_change: bool,
    /// Where Reloader finds its orders, if it has any.
    reloader: Option<&'s Annotations<'s>>,
    pod: PodView<'s>,
}

impl<'s> Triggers<'s> {
    /// The triggers of `pod`.
    pub(super) fn of(pod: &PodView<'s>) -> Self {
        Self { any_change: pod.is_owned() || has_checksum(&pod.metadata.annotations), reloader: reloader_orders(pod), pod: *pod }
    }

    /// Whether something restarts the pod when `source` changes.
    pub(super) fn fire_for(&self, source: Source<'_>) -> bool {
        self.any_change || self.fire_by_name(source)
    }

    fn fire_by_name(&self, source: Source<'_>) -> bool {
        // what can never change has another name when it does
        let immutable = || self.pod.config_object(source).is_some_and(|object| object.immutable);
        match source {
            Source::ConfigMap(_) | Source::Secret(_) if immutable() => true,
            Source::ConfigMap(name) => has_generated_name(name) || self.reloader.is_some_and(|orders| reloads(orders, &CONFIG_MAP, name)),
            Source::Secret(name) => has_generated_name(name) || self.reloader.is_some_and(|orders| reloads(orders, &SECRET, name)),
            Source::Projected(sources) => sources.iter().filter_map(|part| part.source()).all(|part| self.fire_by_name(part)),
            Source::Token | Source::DownwardApi => false,
        }
    }
}

/// Whether Reloader restarts the workload of `pod` when the object of this kind and name changes.
pub(crate) fn is_reloaded(pod: &PodView<'_>, kind: ConfigKind, name: &str) -> bool {
    let keys = if kind == ConfigKind::Secret { &SECRET } else { &CONFIG_MAP };
    reloader_orders(pod).is_some_and(|orders| reloads(orders, keys, name))
}

/// Whether the name ends in a hash of the content: another content has another name, so the template changes with it.
fn has_generated_name(name: &str) -> bool {
    let Some((_, suffix)) = name.rsplit_once('-') else { return false };
    let made_of = |letters: &str| suffix.chars().all(|letter| letters.contains(letter));
    let mixed = suffix.contains(|letter: char| letter.is_ascii_digit()) && suffix.contains(|letter: char| letter.is_ascii_alphabetic());
    (suffix.len() == 10 && made_of(SAFE_HASH)) || (suffix.len() >= 8 && mixed && made_of("0123456789abcdef"))
}

/// Whether an annotation of the pod or template looks like a checksum of its configuration, such as `checksum/config`.
fn has_checksum(annotations: &Annotations<'_>) -> bool {
    const WORDS: [&str; 5] = ["hash", "sha1", "sha256", "md5", "confighash"];
    let names_content = |word: &str| {
        let checksum = word.as_bytes().windows("checksum".len()).any(|part| part.eq_ignore_ascii_case(b"checksum"));
        checksum || WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
    };
    // Kubernetes' own, such as the hash of a static pod, are not about configuration
    let own = |key: &str| key.split('/').next().is_some_and(|prefix| prefix.ends_with("kubernetes.io"));
    annotations.iter().any(|(key, _)| !own(key) && key.split(['/', '.', '-', '_']).any(names_content))
}

/// Reloader's annotations for one kind of source.
struct Keys {
    auto: &'static str,
    listed: &'static str,
    excluded: &'static str,
}

const CONFIG_MAP: Keys = Keys {
    auto: "configmap.reloader.stakater.com/auto",
    listed: "configmap.reloader.stakater.com/reload",
    excluded: "configmaps.exclude.reloader.stakater.com/reload",
};

const SECRET: Keys = Keys {
    auto: "secret.reloader.stakater.com/auto",
    listed: "secret.reloader.stakater.com/reload",
    excluded: "secrets.exclude.reloader.stakater.com/reload",
};

/// Reloader's annotations for all sources.
const SWITCHES: [&str; 2] = ["reloader.stakater.com/auto", "reloader.stakater.com/search"];

/// The annotations that stakater's Reloader goes by: the workload's and, only where those have none of its keys, the
/// template's.
fn reloader_orders<'s>(pod: &PodView<'s>) -> Option<&'s Annotations<'s>> {
    if matches!(pod.resource, Resource::Pod | Resource::ReplicaSet | Resource::ReplicationController) {
        return None; // it follows none of these
    }
    let is_order = |key: &str| SWITCHES.contains(&key) || [CONFIG_MAP, SECRET].iter().any(|keys| key == keys.auto || key == keys.listed);
    let candidates = [&pod.object.annotations, &pod.metadata.annotations];
    candidates.into_iter().find(|annotations| annotations.iter().any(|(key, _)| is_order(key)))
}

/// Whether Reloader restarts the workload when the source `name` changes.
fn reloads(orders: &Annotations<'_>, keys: &Keys, name: &str) -> bool {
    let names = |key: &str| orders.text(key).is_some_and(|list| list.split(',').any(|entry| may_match(entry.trim(), name)));
    let mut switches = SWITCHES.into_iter().chain([keys.auto]);
    let switched_on = switches.any(|key| orders.text(key).is_some_and(|value| is_true(&value)));
    names(keys.listed) || (switched_on && !names(keys.excluded))
}

/// Whether a list's entry means `name`. Entries are regular expressions; one that is more than a name may mean any.
fn may_match(entry: &str, name: &str) -> bool {
    entry == name || entry.contains(['*', '+', '?', '[', '(', '{', '|', '^', '$', '\\'])
}

/// Whether Go's `strconv.ParseBool`, which Reloader uses, reads `value` as true.
fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
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

    #[test]
    fn checksum_annotations() {
        let has = |json: &str| has_checksum(&serde_json::from_str(json).unwrap());
        assert!(has(r#"{"checksum/config": "1"}"#));
        assert!(has(r#"{"rollme.example.com/config-hash": "1"}"#));
        assert!(has(r#"{"configmap-sha256": "1"}"#));
        assert!(!has(r#"{"prometheus.io/scrape": "true", "shared": "1"}"#));
        assert!(!has(r#"{"kubernetes.io/config.hash": "1"}"#));
        assert!(!has(r#"{"git-sha": "1"}"#), "of the program, not of its configuration");
    }
}
