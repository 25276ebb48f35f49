//! What stands where something was redacted.

use crate::rules::trigger::checksum::is_hash;

/// Makes marks: of a text its length and a keyed hash, so that equal texts have equal marks.
pub(super) struct Marks<'h> {
    hash: &'h dyn Fn(&[u8]) -> u64,
}

impl<'h> Marks<'h> {
    pub(super) fn by(hash: &'h dyn Fn(&[u8]) -> u64) -> Self {
        Self { hash }
    }

    /// The mark of `text`. What looks like a hash keeps looking like one: rules ask.
    pub(super) fn of(&self, text: &str) -> String {
        match text {
            "" => String::new(),
            text if is_hash(text) => {
                format!("redacted{}x{:016x}", text.len(), (self.hash)(text.as_bytes()))
            }
            text => self.of_part(text),
        }
    }

    /// The mark of a part of a text.
    pub(super) fn of_part(&self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        format!("redacted:{}:{:016x}", text.len(), (self.hash)(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_tell_length_and_equality() {
        let marks = Marks::by(&|bytes| bytes.iter().map(|byte| u64::from(*byte)).sum());
        assert_eq!(marks.of("secret"), "redacted:6:0000000000000286");
        assert_eq!(marks.of("hunter2"), "redacted7x00000000000002c8");
        assert!(is_hash(&marks.of("hunter2")) && !is_hash(&marks.of("secret")));
        assert_eq!(marks.of(""), "");
    }
}
