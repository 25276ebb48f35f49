//! Strings.

use crate::config_file::flaw::Flaw;

/// A string that ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    /// Its length with the quotes, in bytes.
    pub(super) length: usize,
    /// What a strict reader takes offence at first, and where in it.
    pub(super) lenient: Option<(usize, &'static str)>,
}

/// The string at the beginning of `text`, in quotes of either kind.
pub(super) fn scan(text: &str) -> Result<Scanned, Flaw> {
    let mut letters = text.char_indices();
    let quote = letters.next().map(|(_, quote)| quote);
    let mut lenient = (quote == Some('\'')).then_some((0, "expected a double quote"));
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if Some(letter) == quote => {
                return Ok(Scanned { length: at.saturating_add(1), lenient });
            }
            '\\' => {
                let rest = text.get(at.saturating_add(1)..).unwrap_or_default();
                for _ in
                    0..escape_length(rest, quote).map_err(|expected| Flaw::broken(at, expected))?
                {
                    letters.next();
                }
            }
            '\t' => lenient = lenient.or(Some((at, "expected \"\\t\" instead of a tab"))),
            '\n' | '\r' => {
                return Err(Flaw::broken(at, "expected a quote before the end of the line"));
            }
            '\0'..' ' => return Err(Flaw::broken(at, "expected no control character")),
            _ => {}
        }
    }
    Err(Flaw::broken(text.len(), "expected a quote before the end"))
}

/// How many characters of the escape stand behind its backslash.
fn escape_length(rest: &str, quote: Option<char>) -> Result<usize, &'static str> {
    let first = rest.chars().next();
    match first {
        Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => Ok(1),
        // of JSON5, as the quotes around it are
        Some('\'') if first == quote => Ok(1),
        Some('u') => match rest.get(1..5) {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(5),
            _ => Err("expected four hexadecimal digits after \"\\u\""),
        },
        _ => Err("expected an escape of JSON after the backslash"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_their_quote() {
        let tab = "expected \"\\t\" instead of a tab";
        for (text, length, lenient) in [
            (r#""" x"#, 2, None),
            (r#""a\"b\\" "x""#, 8, None),
            (r#""ä\u00e4""#, 10, None),
            (r#"'a"\'' "#, 6, Some((0, "expected a double quote"))),
            ("\"a\tb\t\"", 6, Some((2, tab))),
        ] {
            assert_eq!(scan(text), Ok(Scanned { length, lenient }), "{text}");
        }
        for (text, offset) in [
            ("\"abc", 4),
            ("\"a\nb\"", 2),
            ("\"a\u{1}\"", 2),
            (r#""\d""#, 1),
            (r#""\u12""#, 1),
            (r#""\u12ä4""#, 1),
            ("\"\\", 1),
            ("\"\\'\"", 1),
        ] {
            assert_eq!(scan(text).map_err(|flaw| flaw.offset), Err(offset), "{text}");
        }
    }
}
