//! What names look like in Kubernetes: a name that cannot exist would switch a policy off unseen.

/// Whether `text` is an RFC 1123 label: what namespaces are called.
pub(super) fn is_dns_label(text: &str) -> bool {
    let plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    text.len() <= 63
        && text.starts_with(plain)
        && text.ends_with(plain)
        && text.chars().all(|character| plain(character) || character == '-')
}

/// Whether `text` may be the key of a label or an annotation: a name, perhaps after a domain and a
/// slash.
pub(super) fn is_qualified_name(text: &str) -> bool {
    let (domain, name) =
        text.split_once('/').map_or((None, text), |(domain, name)| (Some(domain), name));
    let domain_fits = |domain: &str| domain.len() <= 253 && domain.split('.').all(is_dns_label);
    domain.is_none_or(domain_fits) && !name.is_empty() && is_label_value(name)
}

/// Whether `text` may be the value of a label: empty, or up to 63 letters, digits, `-`, `_` and
/// `.`.
pub(super) fn is_label_value(text: &str) -> bool {
    let edge = |character: char| character.is_ascii_alphanumeric();
    let inner = |character: char| edge(character) || matches!(character, '-' | '_' | '.');
    text.is_empty()
        || text.len() <= 63
            && text.starts_with(edge)
            && text.ends_with(edge)
            && text.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_what_cannot_be_one() {
        for name in ["a", "team-1", "0"] {
            assert!(is_dns_label(name), "{name}");
        }
        for name in ["", "-a", "a-", "A", "a.b", "a_b", "é", &"a".repeat(64)] {
            assert!(!is_dns_label(name), "{name}");
        }
        for key in ["app", "App_1.x", "example.com/app", "a/b"] {
            assert!(is_qualified_name(key), "{key}");
        }
        for key in [
            "",
            "/",
            "a/",
            "/a",
            "a/b/c",
            "Example.com/app",
            "-a",
            "a b",
            "exa..mple/a",
            &"a".repeat(64),
        ] {
            assert!(!is_qualified_name(key), "{key}");
        }
        assert!(
            is_label_value("")
                && is_label_value("v1.2_x-3")
                && !is_label_value("a b")
                && !is_label_value("*")
        );
    }
}
