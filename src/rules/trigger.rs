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
    pod.is_owned() || has_generated_name(source) || has_checksum(&pod.metadata.annotations) || is_reloaded(pod, source)
}

/// Whether the name ends in a hash of the content: another content has another name, so the template changes with it.
fn has_generated_name(source: Source<'_>) -> bool {
    let (Source::ConfigMap(name) | Source::Secret(name)) = source else { return false };
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

/// Whether stakater's Reloader restarts the workload: it reads the workload's annotations and, only where those have
/// none of its keys, the template's.
fn is_reloaded(pod: &PodView<'_>, source: Source<'_>) -> bool {
    let ignored_kind = matches!(pod.resource, Resource::Pod | Resource::ReplicaSet | Resource::ReplicationController);
    if ignored_kind || source == Source::Token {
        return false;
    }
    let (kind, name) = match source {
        Source::ConfigMap(name) => ("configmap", name),
        Source::Secret(name) => ("secret", name),
        _ => ("", ""),
    };
    let typed_auto = format!("{kind}.reloader.stakater.com/auto");
    let listed = format!("{kind}.reloader.stakater.com/reload");
    let switches = ["reloader.stakater.com/auto", "reloader.stakater.com/search", &typed_auto];
    let speaks = |annotations: &Annotations<'_>| switches.into_iter().chain([&*listed]).any(|key| annotations.value(key).is_some());
    let annotations = if speaks(&pod.object.annotations) { &pod.object.annotations } else { &pod.metadata.annotations };
    switches.iter().any(|key| annotations.text(key).is_some_and(|value| is_true(&value)))
        || annotations.text(&listed).is_some_and(|names| names.split(',').any(|listed| listed.trim() == name))
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
        assert!(has_generated_name(Source::ConfigMap("app-config-8mbdf7882g")));
        assert!(has_generated_name(Source::Secret("db-5f7d8b9c")));
        assert!(!has_generated_name(Source::ConfigMap("app-config")));
        assert!(!has_generated_name(Source::ConfigMap("app-production")));
        assert!(!has_generated_name(Source::ConfigMap("app-20240101")), "a date is no hash");
        assert!(!has_generated_name(Source::Token));
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
