//! Text with escapes.

/// The text that `written` means, which stands between quotes. `None` where JSON has no such text.
pub(super) fn unescaped(written: &str) -> Option<String> {
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((plain, escape)) = rest.split_once('\\') {
        push_plain(&mut text, plain)?;
        let mut characters = escape.chars();
        text.push(match characters.next()? {
            character @ ('"' | '\\' | '/') => character,
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (character, after) = by_number(characters.as_str())?;
                characters = after.chars();
                character
            }
            _ => return None,
        });
        rest = characters.as_str();
    }
    push_plain(&mut text, rest)?;
    Some(text)
}

fn push_plain(text: &mut String, plain: &str) -> Option<()> {
    plain.bytes().all(|byte| byte >= b' ').then(|| text.push_str(plain))
}

/// The character of one number of UTF-16, or of two, and what follows.
fn by_number(digits: &str) -> Option<(char, &str)> {
    let (first, rest) = number(digits)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, rest));
    }
    let (second, rest) = number(rest.strip_prefix("\\u")?)?;
    let both = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    Some((char::decode_utf16(both).next()?.ok()?, rest))
}

fn number(digits: &str) -> Option<(u32, &str)> {
    let (digits, rest) = digits.split_at_checked(4)?;
    let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    Some((u32::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn agrees_with_serde_json(written in "(\\\\[\"\\\\/bfnrtux]|\\\\u[0-9a-fA-FdD]{4}|\\\\u[dD][89a-fA-F][0-9a-f]{2}|[ -!#-\\[\\]-~é\u{1}]){0,8}") {
            prop_assert_eq!(unescaped(&written), serde_json::from_str(&format!("\"{written}\"")).ok());
        }
    }

    #[test]
    fn surrogates_come_in_pairs() {
        assert_eq!(unescaped("\\ud83d\\ude00").as_deref(), Some("\u{1f600}"));
        for lone in [
            "\\ud83d",
            "\\ude00",
            "\\ud83d\\u0041",
            "\\ude00\\ud83d",
            "\\ud83dx",
            "\\u+123",
            "\\u12",
        ] {
            assert_eq!(unescaped(lone), None, "{lone}");
        }
    }
}
