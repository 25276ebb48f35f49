//! Heaps: a container as JSON, or text as the options of each runtime.

use restraint::heap::{Size, heaps, removed_flags};
use restraint::kube::container::Container;
use serde_json::json;

pub(crate) fn run(text: &str) {
    if let Ok(container) = Container::from_json(text) {
        read(&container);
        return;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let variables: Vec<_> =
        ["JAVA_TOOL_OPTIONS", "JAVA_OPTS", "NODE_OPTIONS", "GOMEMLIMIT", "_JAVA_OPTIONS"]
            .iter()
            .map(|name| json!({"name": name, "value": text}))
            .collect();
    for container in [
        json!({"command": ["java"], "args": words}),
        json!({"command": words}),
        json!({"command": ["sh", "-c", text], "env": variables}),
        json!({"args": ["$(JAVA_OPTS)"], "env": variables}),
    ] {
        read(&Container::from_json(&container.to_string()).expect("a container"));
    }
}

fn read(container: &Container<'_>) {
    for heap in heaps(container) {
        assert!(!heap.setting.is_empty() && is_field(&heap.field), "{heap:?}");
        if let Size::Share(percent) = heap.size {
            assert!(percent.is_finite(), "{heap:?}");
        }
        // what fills a limit fills a smaller one
        assert!(!heap.fills(1 << 40) || heap.fills(1 << 20), "{heap:?}");
    }
    for (removed, field) in removed_flags(container).list {
        assert!(removed.option.contains(removed.name) && is_field(&field), "{removed:?}");
    }
}

/// Whether a heap may stand in this field.
fn is_field(field: &str) -> bool {
    let list = field.split('/').next().unwrap_or_default();
    matches!(list, "args" | "command" | "env")
}
