//! From a byte to a line and a column.

/// The line and the column, in characters and both from 1, of the byte at `offset`; of what lies
/// behind the text, its end.
pub(super) fn of(text: &str, offset: usize) -> (usize, usize) {
    let offset = text.floor_char_boundary(offset);
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1);
    let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let column = before.get(start..).unwrap_or_default().chars().count().saturating_add(1);
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "äb\r\nc\n";
        for (offset, expected) in [
            (0, (1, 1)),
            (1, (1, 1)),
            (2, (1, 2)),
            (3, (1, 3)),
            (5, (2, 1)),
            (6, (2, 2)),
            (7, (3, 1)),
            (700, (3, 1)),
        ] {
            assert_eq!(of(text, offset), expected, "{offset}");
        }
        assert_eq!(of("", 0), (1, 1));
    }
}
