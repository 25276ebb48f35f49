//! Pages for a browser: one file each, which loads nothing.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::terminal::plain;

/// `page` with a value for each `{{name}}`. Only the page's own text is looked through for them.
pub(crate) fn filled(page: &str, values: &[(&str, &str)]) -> String {
    let room = values.iter().fold(page.len(), |sum, (_, value)| sum.saturating_add(value.len()));
    let mut text = String::with_capacity(room);
    for piece in page.split("{{") {
        let (name, rest) = piece.split_once("}}").unwrap_or(("", piece));
        let value = values.iter().find(|(known, _)| *known == name);
        text.push_str(value.map_or("", |(_, value)| value));
        text.push_str(rest);
    }
    text
}

/// A Content-Security-Policy under which nothing loads, and only these texts style and run.
pub(crate) fn security_policy(style: &str, script: Option<&str>) -> String {
    let style = hash(style);
    let script = script.map(|script| format!("; script-src {}", hash(script))).unwrap_or_default();
    format!("default-src 'none'; base-uri 'none'; form-action 'none'; style-src {style}{script}")
}

/// `text` as text of HTML or SVG, or within quotes of an attribute there. Letters that turn the
/// direction of writing are shown as escapes.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in plain(text).chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// How a policy names a text.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_looked_through_for_names() {
        let values = [("a", "{{b}}"), ("b", "}}{{a}}")];
        assert_eq!(filled("<{{a}}|{{b}}|{{c}}>", &values), "<{{b}}|}}{{a}}|>");
        assert_eq!(filled("{{a", &values), "a");
    }

    #[test]
    fn a_policy_lets_nothing_run_that_it_does_not_name() {
        let policy = security_policy("", None);
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        // of no bytes
        let hash = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
        assert!(policy.ends_with(&format!("style-src {hash}")), "{policy}");
        let policy = security_policy("a", Some(""));
        assert!(policy.ends_with(&format!("; script-src {hash}")), "{policy}");
    }

    #[test]
    fn text_stays_text() {
        let hostile = "<b a='1' b=\"2\">&amp;\u{202e}\n";
        let expected = "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;amp;\\u{202e}\\n";
        assert_eq!(escaped(hostile), expected);
    }
}
