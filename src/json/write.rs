//! JSON out of names and text, for answers: most of an answer is sentences, copied in pieces
//! without an escape. serde_json's writer takes 2 to 4 % more instructions for a whole review.

use super::scan::next_special;

/// Appends `text` as a JSON string.
pub(crate) fn text(json: &mut Vec<u8>, text: &str) {
    json.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    while let Some(at) = next_special(bytes, start) {
        json.extend_from_slice(bytes.get(start..at).unwrap_or_default());
        escape(json, bytes.get(at).copied().unwrap_or_default());
        start = at.saturating_add(1);
    }
    json.extend_from_slice(bytes.get(start..).unwrap_or_default());
    json.push(b'"');
}

/// The escape for a quote, a backslash or a control character.
fn escape(json: &mut Vec<u8>, special: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match special {
        b'"' | b'\\' => special,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
            json.extend_from_slice(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                digit(special >> 4),
                digit(special & 0xf),
            ]);
            return;
        }
    };
    json.extend_from_slice(&[b'\\', short]);
}

/// Appends an object of what `fields` gives it.
pub(crate) fn object(json: &mut Vec<u8>, fields: impl FnOnce(&mut ObjectWriter<'_>)) {
    json.push(b'{');
    fields(&mut ObjectWriter { json, first: true });
    json.push(b'}');
}

/// An object that is being written.
pub(crate) struct ObjectWriter<'j> {
    json: &'j mut Vec<u8>,
    first: bool,
}

impl ObjectWriter<'_> {
    /// The next field, whose value is to be appended to what this gives.
    pub(crate) fn field(&mut self, name: &str) -> &mut Vec<u8> {
        next(self.json, &mut self.first);
        text(self.json, name);
        self.json.push(b':');
        self.json
    }

    /// The next field, which is text.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        text(self.field(name), value);
    }
}

/// Appends a list with an entry for each of `entries`, which `write` appends.
pub(crate) fn list<T>(
    json: &mut Vec<u8>,
    entries: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    json.push(b'[');
    let mut first = true;
    for entry in entries {
        next(json, &mut first);
        write(json, entry);
    }
    json.push(b']');
}

/// The comma before what is not the first.
fn next(json: &mut Vec<u8>, first: &mut bool) {
    if !std::mem::take(first) {
        json.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn text_is_written_as_serde_json_writes_it(value in "([\"\\\\]|[a-z ]{0,40}|\\PC|[\u{0}-\u{20}]|\u{7f}){0,60}") {
            let mut written = Vec::new();
            text(&mut written, &value);
            prop_assert_eq!(written, serde_json::to_vec(&value).unwrap());
        }
    }

    #[test]
    fn every_control_character_is_escaped_as_serde_json_does() {
        let all: String = (0..=0x7f_u8).map(char::from).collect();
        let mut written = Vec::new();
        text(&mut written, &all);
        assert_eq!(written, serde_json::to_vec(&all).unwrap());
    }

    #[test]
    fn objects_and_lists_have_commas_between_alone() {
        let mut written = Vec::new();
        object(&mut written, |outer| {
            object(outer.field("none"), |_| ());
            outer.text("a \"name\"", "text");
            list(outer.field("list"), ["one", "two"], text);
            list(outer.field("empty"), [], text);
        });
        let read: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(
            read,
            json!({"none": {}, "a \"name\"": "text", "list": ["one", "two"], "empty": []})
        );
        assert_eq!(read.to_string().len(), written.len());
    }
}
