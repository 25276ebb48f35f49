//! Texts with nothing in them.

/// What some editors put at the beginning of a text.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Whether there is nothing in `text` but blanks and a byte order mark.
pub(super) fn is_blank(text: &str) -> bool {
    text.trim_start_matches(BYTE_ORDER_MARK).trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_nothing() {
        for (text, expected) in
            [("", true), (" \r\n\t\n", true), ("\u{feff}\n", true), ("\0", false), ("x", false)]
        {
            assert_eq!(is_blank(text), expected, "{text:?}");
        }
    }
}
