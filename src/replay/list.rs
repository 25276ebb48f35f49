//! Lists of events.

use crate::json::{self, Raw, fields};

#[derive(Default)]
struct List<'a> {
    items: Vec<Raw<'a>>,
}

fields!(List { "items" => items });

/// The events of the list in a line.
pub(super) fn items(line: &[u8]) -> Vec<Vec<u8>> {
    let text = str::from_utf8(line).unwrap_or_default();
    let list: Option<List<'_>> = json::read(text).ok();
    let items = list.into_iter().flat_map(|list| list.items);
    items.map(|item| item.get().as_bytes().to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_an_event() {
        assert_eq!(
            items(br#"{"items":[{"a":1},{"b":[2]}]}"#),
            [&br#"{"a":1}"#[..], br#"{"b":[2]}"#]
        );
        assert!(items(b"{}").is_empty() && items(b"{").is_empty());
    }
}
