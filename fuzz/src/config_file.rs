//! Files of configuration: a fault lies in the text, is told without it, and is told again.

use restraint::config_file::fault;

/// One name for each format.
const KEYS: [&str; 6] = ["a.json", "a.yaml", "a.toml", "a.properties", "a.xml", "a.ini"];

pub(crate) fn run(text: &str) {
    for key in KEYS {
        let found = fault(key, text);
        assert_eq!(found, fault(key, text), "{key}");
        if key == "a.json" && serde_json::from_str::<serde_json::Value>(text).is_ok() {
            assert_eq!(found, None, "{key}");
        }
        let Some(found) = found else { continue };
        let line = text.split('\n').nth(found.line - 1).expect("a line of the text");
        assert!((1..=line.chars().count() + 1).contains(&found.column), "{key}: {found:?}");
        assert!(!found.expected.is_empty() && found.expected.len() < 120, "{key}: {found:?}");
        assert!(!found.expected.contains(char::is_control), "{key}: {found:?}");
    }
}
