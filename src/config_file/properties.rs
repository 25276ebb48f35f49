//! Properties, as `java.util.Properties` reads them. All it ever refuses is `\u` without four
//! hexadecimal digits behind it.

use super::flaw::Flaw;

/// The first fault of `text`.
pub(super) fn flaw(text: &str) -> Option<Flaw> {
    // a return alone ends a line for Java and not for others
    if text.replace("\r\n", "").contains('\r') {
        return None;
    }
    let mut offset = 0_usize;
    let mut is_continued = false;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let trimmed = content.trim_start_matches([' ', '\t', '\u{c}']);
        let is_comment = trimmed.starts_with(['#', '!']);
        if is_continued || !is_comment {
            if let Some(at) = malformed_escape(content) {
                let expected = "expected four hexadecimal digits after \"\\u\"";
                return Some(Flaw::broken(offset.saturating_add(at), expected));
            }
            // what is empty so far may still become a comment
            is_continued =
                trailing_backslashes(content) % 2 == 1 && (is_continued || trimmed != "\\");
        }
        offset = offset.saturating_add(line.len());
    }
    None
}

/// Where a `\u` begins that has no four digits.
fn malformed_escape(line: &str) -> Option<usize> {
    let mut letters = line.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter != '\\' {
            continue;
        }
        if letters.next()?.1 == 'u' {
            let digits = line.get(at.saturating_add(2)..at.saturating_add(6));
            let is_hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !digits.is_some_and(is_hexadecimal) {
                let rest = line.get(at.saturating_add(2)..).unwrap_or_default();
                // the digits may go on in the next line
                let goes_on = rest.strip_suffix('\\').is_some_and(is_hexadecimal);
                return (!goes_on).then_some(at);
            }
        }
    }
    None
}

fn trailing_backslashes(line: &str) -> usize {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_escape_is_all_that_java_refuses() {
        for (text, expected) in [
            ("a=1\nb : 2\nc 3\n\n=x\nd", None),
            ("a=\\u0041\\u00e4", None),
            ("a=\\x\\q\\:", None),
            ("path=C:\\users\\me", Some(7)),
            ("path=C:\\\\users", None),
            ("# C:\\users\n  ! C:\\users\na=1", None),
            ("a=1\\\n  # C:\\users", Some(11)),
            ("a=1\\\\\n# C:\\users", None),
            ("a=1\\\r\n# C:\\users", Some(10)),
            ("\\\n# C:\\users", None),
            ("a=\\u00\\\ne4", None),
            ("a=1\\\n\n# C:\\users", None),
            ("a=1\r# C:\\users", None),
            ("a=\\u00", Some(2)),
            ("a=\\u00zz", Some(2)),
            ("a=\\u00ää", Some(2)),
            ("\\u=1", Some(0)),
            ("a=\\", None),
            ("a=\\uuuu", Some(2)),
        ] {
            assert_eq!(flaw(text).map(|flaw| flaw.offset), expected, "{text}");
        }
    }
}
