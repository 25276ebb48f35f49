//! Names as the API server accepts them. What passes can be part of a URL's path and leads nowhere
//! else.

/// Whether `text` is a DNS label (RFC 1123): what namespaces and containers are called.
pub(crate) fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && is_part_of_dns_name(text)
}

/// Whether `text` is a DNS subdomain (RFC 1123): what pods, nodes, Secrets and most other objects
/// are called. As in Kubernetes its parts may be longer than 63 characters.
pub(crate) fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_part_of_dns_name)
}

/// Whether `text` can be a part of a URL's path: what roles and their bindings are called.
#[cfg(feature = "shell")]
pub(crate) fn is_path_segment(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'%' | b'?' | b'#');
    !matches!(text, "" | "." | "..") && text.bytes().all(inside)
}

/// An object as messages name it: `Kind namespace/name`, or `Kind name` where it is in none.
#[cfg(feature = "shell")]
pub(crate) fn describe(kind: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        format!("{kind} {name}")
    } else {
        format!("{kind} {namespace}/{name}")
    }
}

fn is_part_of_dns_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inside = text.bytes().all(|byte| letter(byte) || byte == b'-');
    inside
        && text.bytes().next().is_some_and(letter)
        && text.bytes().next_back().is_some_and(letter)
}

/// Whether `text` may be the key of a label or an annotation: a name, perhaps after a domain and a
/// slash.
pub(crate) fn is_qualified_name(text: &str) -> bool {
    let (domain, name) =
        text.split_once('/').map_or((None, text), |(domain, name)| (Some(domain), name));
    domain.is_none_or(is_dns_subdomain) && !name.is_empty() && is_label_value(name)
}

/// Whether `text` may be the value of a label: empty, or up to 63 letters, digits, `-`, `_` and
/// `.`.
pub(crate) fn is_label_value(text: &str) -> bool {
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
    fn only_names_that_can_exist_pass() {
        for name in ["a", "team-1", "0"] {
            assert!(is_dns_label(name), "{name}");
        }
        for name in ["", "-a", "a-", "A", "a.b", "a_b", "é", &"a".repeat(64)] {
            assert!(!is_dns_label(name), "{name}");
        }
        for name in ["a", "db-0", "web.v1", "0.1", &"a".repeat(253)] {
            assert!(is_dns_subdomain(name), "{name}");
        }
        for name in ["", ".", "..", "a.", ".a", "a..b", "a.-b", "A", "a/b", "a?b", "a%2f", "é"] {
            assert!(!is_dns_subdomain(name), "{name}");
        }
        assert!(!is_dns_subdomain(&"a".repeat(254)));
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
