//! What rolls a workload when its configuration changes. Then configuration that is read once arrives all the same, and
//! rules about it are silent.

use crate::judge::subject::Resource;
use crate::judge::view::PodView;
use crate::kube::text::Annotations;
use crate::kube::volume::Source;

/// The letters kustomize makes its ten-character name hashes of, and Kubernetes its pod-template hashes.
const SAFE_HASH: &str = "bcdfghjklmnpqrstvwxz2456789";

/// Whether something restarts the pod when `source` changes, or what would cannot be seen from here.
pub(super) fn rolls_on_change(pod: &PodView<'_>, source: Source<'_>) -> bool {
    pod.is_owned() || has_checksum(&pod.metadata.annotations) || rolls_by_name(pod, source)
}

fn rolls_by_name(pod: &PodView<'_>, source: Source<'_>) -> bool {
    let (kind, name) = match source {
        Source::ConfigMap(name) => ("configmap", name),
        Source::Secret(name) => ("secret", name),
        Source::Projected(sources) => return sources.iter().filter_map(|part| part.source()).all(|part| rolls_by_name(pod, part)),
        Source::Token | Source::DownwardApi => return false,
    };
    has_generated_name(name) || is_reloaded(pod, kind, name)
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
    annotations.iter().any(|(key, _)| {
        let key = key.to_ascii_lowercase();
        let is_word = |word: &str| matches!(word, "hash" | "sha" | "sha1" | "sha256" | "md5" | "confighash");
        key.contains("checksum") || (!key.contains("kubernetes.io/") && key.split(['/', '.', '-', '_']).any(is_word))
    })
}

/// Whether stakater's Reloader restarts the workload when this ConfigMap or Secret changes: it reads the workload's
/// annotations and, only where those have none of its keys, the template's.
fn is_reloaded(pod: &PodView<'_>, kind: &str, name: &str) -> bool {
    if matches!(pod.resource, Resource::Pod | Resource::ReplicaSet | Resource::ReplicationController) {
        return false; // it follows none of these
    }
    let typed_auto = format!("{kind}.reloader.stakater.com/auto");
    let listed = format!("{kind}.reloader.stakater.com/reload");
    let excluded = format!("{kind}s.exclude.reloader.stakater.com/reload");
    let switches = ["reloader.stakater.com/auto", "reloader.stakater.com/search", &typed_auto];
    let speaks = |annotations: &Annotations<'_>| switches.into_iter().chain([&*listed]).any(|key| annotations.value(key).is_some());
    let annotations = if speaks(&pod.object.annotations) { &pod.object.annotations } else { &pod.metadata.annotations };
    let names = |key: &str| annotations.text(key).is_some_and(|list| list.split(',').any(|entry| may_match(entry.trim(), name)));
    let switched_on = switches.iter().any(|key| annotations.text(key).is_some_and(|value| is_true(&value)));
    names(&listed) || (switched_on && !names(&excluded))
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
    }
}
