//! Annotations, labels and variables of a template that change with the configuration, so that the
//! template does and the workload rolls.

use crate::json::text::{Annotations, Text};
use crate::judge::view::PodView;
use crate::kube::container::EnvVar;

/// Words for the hash of something.
const HASHES: [&str; 11] = [
    "hash",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "md5sum",
    "digest",
    "sum",
    "fingerprint",
    "etag",
    "crc32",
];

/// The same, which means a commit where nothing says of what.
const SHORT: &str = "sha";

/// Words for what is counted up with each change, most often the program's.
const VERSIONS: [&str; 4] = ["version", "revision", "generation", "resourceversion"];

/// Words for configuration.
const CONFIGURATION: [&str; 24] = [
    "config",
    "configs",
    "configmap",
    "configmaps",
    "configuration",
    "cm",
    "conf",
    "cfg",
    "secret",
    "secrets",
    "env",
    "settings",
    "values",
    "properties",
    "credentials",
    "cert",
    "certs",
    "certificate",
    "certificates",
    "tls",
    "rules",
    "dashboards",
    "scripts",
    "files",
];

/// Words for what is no configuration, though a hash of it makes another template.
const PROGRAM: [&str; 14] = [
    "commit", "git", "image", "images", "build", "src", "source", "code", "artifact", "release",
    "docker", "pod", "repo", "binary",
];

/// Words for what is another one each time the template is made.
const FRESH: [&str; 4] = ["rollme", "random", "rand", "timestamp"];

/// The SHA-256, SHA-1 and MD5 of nothing and of an empty line: what a chart writes that hashes a
/// file it does not have.
const OF_NOTHING: [&str; 4] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "d41d8cd98f00b204e9800998ecf8427e",
];

/// Whether the template of `pod` changes with its configuration.
pub(super) fn has_checksum(pod: &PodView<'_>) -> bool {
    let label = |(key, value): (&str, &Text<'_>)| is_of_configuration(key) && is_hash(value);
    let variable = |variable: &EnvVar<'_>| {
        is_hash(&variable.value) && is_variable_of_configuration(&variable.name)
    };
    let mut variables = pod.all_containers().flat_map(|placed| placed.container.env.iter());
    annotated(&pod.metadata.annotations).is_some()
        || pod.metadata.labels.iter().any(label)
        || variables.any(variable)
}

/// The annotation that is a checksum of configuration, or another value each time.
pub(super) fn annotated<'a>(annotations: &'a Annotations<'_>) -> Option<&'a str> {
    let mut keys = annotations.iter().map(|(key, _)| key).filter(|key| rolls(key));
    keys.find(|key| {
        let value = annotations.text(key);
        value.is_some_and(|value| !value.is_empty() && !is_of_nothing(&value))
    })
}

/// Whether `value` is the hash of nothing.
pub(crate) fn is_of_nothing(value: &str) -> bool {
    OF_NOTHING.contains(&value)
}

/// Whether an annotation of this name rolls what has it in its template.
fn rolls(key: &str) -> bool {
    let (domain, name) = key.split_once('/').unwrap_or(("", key));
    // Kubernetes' own, such as the hash of a static pod, are not about configuration
    if domain.ends_with("kubernetes.io") {
        return false;
    }
    let fresh = |word: &str| FRESH.iter().any(|fresh| begins(word, fresh).is_some());
    is_of_configuration(key)
        || words(name).any(fresh)
        || (words(key).any(is_hash_word) && !words(name).any(|word| is_among(&PROGRAM, word)))
}

/// Whether this is the name of a hash of configuration: `checksum/config`, `CONFIG_HASH`,
/// `configmap-sha256`, `confighash`.
fn is_of_configuration(key: &str) -> bool {
    let hash = |word: &str| is_hash_word(word) || word.eq_ignore_ascii_case(SHORT);
    let config = |word: &str| is_among(&CONFIGURATION, word);
    let both =
        |word: &str| CONFIGURATION.iter().any(|config| begins(word, config).is_some_and(hash));
    let (_, name) = key.split_once('/').unwrap_or(("", key));
    if words(key).any(both) {
        return true;
    }
    match words(name).any(|word| is_among(&VERSIONS, word)) {
        // `config.example.com/version` is that of something else
        true => words(name).any(config),
        false => words(key).any(hash) && words(key).any(config),
    }
}

/// Whether a variable of this name is for nothing but to roll the workload: `CONFIG_HASH`,
/// `SECRETS_CHECKSUM`. `SECRET_HASH` may be what a password is checked against.
fn is_variable_of_configuration(name: &str) -> bool {
    let Some(last) = words(name).last() else { return false };
    let of_secret = |word: &str| is_among(&["secret", "secrets"], word);
    let checksum = is_hash_word(last) && !HASHES.contains(&&*last.to_ascii_lowercase());
    is_hash_word(last) && is_of_configuration(name) && (checksum || !words(name).any(of_secret))
}

fn is_hash_word(word: &str) -> bool {
    let checksum = |part: &[u8]| part.eq_ignore_ascii_case(b"checksum");
    is_among(&HASHES, word) || word.as_bytes().windows("checksum".len()).any(checksum)
}

fn is_among(known: &[&str], word: &str) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The rest of `word` behind `start`.
fn begins<'w>(word: &'w str, start: &str) -> Option<&'w str> {
    let (head, rest) = word.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(rest)
}

/// Whether a value looks like a hash: letters and digits, some of each or many.
pub(crate) fn is_hash(value: &str) -> bool {
    value.len() >= 6
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && value.contains(|letter: char| letter.is_ascii_digit())
        && !is_of_nothing(value)
}

/// The words of a name: `configSha256`, `config-sha256` and `CONFIG_SHA256` have the same.
pub(crate) fn words(name: &str) -> impl Iterator<Item = &str> {
    let parts = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    parts.flat_map(|part| {
        let mut rest = part;
        std::iter::from_fn(move || {
            let pair = |pair: &[u8; 2]| {
                let [before, letter] = pair;
                before.is_ascii_lowercase() && letter.is_ascii_uppercase()
            };
            let end = rest.as_bytes().array_windows().position(pair);
            let end = end.map_or(rest.len(), |position| position.saturating_add(1));
            let (word, after) = rest.split_at_checked(end)?;
            rest = after;
            (!word.is_empty()).then_some(word)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn annotated_with(key: &str, value: &str) -> bool {
        let text = serde_json::json!({key: value}).to_string();
        annotated(&json::read(&text).unwrap()).is_some()
    }

    #[test]
    fn annotations_that_roll() {
        for key in [
            "checksum/config",
            "config/checksum",
            "example.com/config-hash",
            "configmap-sha256",
            "configmap/sha",
            "configmap.example.com/sha",
            "secret-sha",
            "confighash",
            "configHash",
            "configSha",
            "configmapsha256",
            "consul.example.com/config-checksum",
            "sha256",
            "app/hash",
            "config-version",
            "rollme",
            "example.com/rollme-please",
            "timestamp",
            "random",
            "example.com/configmap-md5",
        ] {
            assert!(annotated_with(key, "1"), "{key}");
        }
    }

    #[test]
    fn annotations_that_do_not() {
        for key in [
            "example.com/commit-hash",
            "git-sha",
            "sha",
            "example.com/sha",
            "commitSha",
            "build-hash",
            "image-digest",
            "prometheus.io/scrape",
            "shared",
            "kubernetes.io/config.hash",
            "kubectl.kubernetes.io/restartedAt",
            "config.example.com/version",
            "version",
            "app-version",
            "vault.hashicorp.com/agent-inject-secret-config",
            "example.com/summary",
        ] {
            assert!(!annotated_with(key, "1"), "{key}");
        }
        assert!(!annotated_with("checksum/config", ""));
        for nothing in OF_NOTHING {
            assert!(!annotated_with("checksum/config", nothing), "{nothing}");
        }
    }

    #[test]
    fn variables_that_roll() {
        for name in ["CONFIG_HASH", "CONFIGMAP_SHA256", "SECRETS_CHECKSUM", "checksumConfig"] {
            assert_eq!(is_variable_of_configuration(name), name != "checksumConfig", "{name}");
        }
        for name in ["GIT_HASH", "PASSWORD_HASH", "SECRET_HASH", "SECRET_HASH_SALT", "CONFIG"] {
            assert!(!is_variable_of_configuration(name), "{name}");
        }
    }

    #[test]
    fn hashes() {
        for hash in ["8f2d0c5b1e", "e3b0c44298fc1c14"] {
            assert!(is_hash(hash), "{hash}");
        }
        for other in ["", "true", "1", "/etc/app.yaml", "sha256", "enabled"] {
            assert_eq!(is_hash(other), other == "sha256", "{other}");
        }
    }
}
