//! TOML.

use ::toml::de::DeTable;

use super::DEEPEST;
use super::flaw::Flaw;

/// The most marks that part values, a limit that no text can use to keep the reader busy.
const MOST_MARKS: usize = 100_000;

/// The first fault of `text`.
pub(super) fn flaw(text: &str) -> Option<Flaw> {
    let marks = text.bytes().filter(|byte| b"=,[]{}.\n".contains(byte)).count();
    if marks > MOST_MARKS || has_long_key(text) {
        return None;
    }
    let error = DeTable::parse(text).err()?;
    // a limit of the reader, not of the language
    if error.message().contains("recurs") {
        return None;
    }
    let offset = error.span().map_or(0, |span| span.start);
    // the messages are the reader's own and have nothing of the text in them
    Some(Flaw::broken(offset, error.message().replace('`', "\"")))
}

/// Whether there may be a key of so many parts that tables are nested too deeply, which the reader
/// does not bound.
fn has_long_key(text: &str) -> bool {
    let mut dots = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'.' => dots = dots.saturating_add(1),
            b'=' | b',' | b'{' | b'}' | b'[' | b']' | b'\n' => dots = 0,
            _ => {}
        }
        dots > DEEPEST
    })
}

#[cfg(test)]
mod tests {
    use crate::config_file::Severity;

    use super::*;

    #[test]
    fn toml_is_read() {
        for text in [
            "a = 1\n[b]\nc.d = \"e\"\n[[f]]\ng = [1, \"h\", {i = 1979-05-27T07:32:00Z}]\n",
            "\u{feff}a = '''\nb'''\r\n",
            "# nothing\n",
        ] {
            assert_eq!(flaw(text), None, "{text}");
        }
    }

    #[test]
    fn faults_have_places() {
        for (text, offset) in [
            ("a = 1\na = 2\n", 6),
            ("[a]\n[a]\n", 5),
            ("a = b\n", 4),
            ("a: 1\n", 3),
            ("a = \"b\n", 6),
            ("a = [1\nb = 2\n", 7),
            ("a = 01\n", 4),
            ("a b\n", 2),
        ] {
            let found = flaw(text).expect(text);
            assert_eq!(
                (found.offset, found.severity),
                (offset, Severity::Broken),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn what_is_nested_too_deeply_or_too_long_is_not_looked_at() {
        for text in [
            format!("a = {}", "[".repeat(200)),
            format!("a{} = @", ".a".repeat(100_000)),
            format!("[a{}", ".\"a\"".repeat(100_000)),
            "[[a.b.c.d.e]]\n".repeat(30_000),
        ] {
            assert_eq!(flaw(&text), None);
        }
    }
}
