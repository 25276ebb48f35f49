//! Numbers.

/// Whether it is a number of JSON.
pub(super) fn is_strict(word: &str) -> bool {
    let word = word.strip_prefix('-').unwrap_or(word);
    let Some((whole, rest)) = digits(word) else { return false };
    if whole.len() > 1 && whole.starts_with('0') {
        return false;
    }
    let rest = match rest.strip_prefix('.').map(digits) {
        Some(None) => return false,
        Some(Some((_, rest))) => rest,
        None => rest,
    };
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            matches!(digits(exponent), Some((_, "")))
        }
        None => rest.is_empty(),
    }
}

/// Whether it is a number of JSON5, or of JavaScript.
pub(super) fn is_lenient(word: &str) -> bool {
    let word = word.strip_prefix(['-', '+']).unwrap_or(word);
    if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let (mantissa, exponent) = word.split_once(['e', 'E']).unwrap_or((word, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_padded = is_strict(&format!("0{}", mantissa.trim_end_matches('.')))
        || is_strict(mantissa.trim_end_matches('.'));
    matches!(word, "NaN" | "Infinity")
        || (is_padded
            && mantissa.bytes().any(|byte| byte.is_ascii_digit())
            && matches!(digits(exponent), Some((_, ""))))
}

/// The digits at the beginning, if there are any, and the rest.
fn digits(word: &str) -> Option<(&str, &str)> {
    let end = word.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(word.len());
    word.split_at_checked(end).filter(|(digits, _)| !digits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_of_json_or_of_json5() {
        for (word, strict, lenient) in [
            ("0", true, true),
            ("-1.5e+10", true, true),
            ("1E5", true, true),
            ("-", false, false),
            ("", false, false),
            ("01", false, false),
            ("1.", false, true),
            (".5", false, true),
            (".", false, false),
            ("+1", false, true),
            ("0x1F", false, true),
            ("0x", false, false),
            ("NaN", false, true),
            ("-Infinity", false, true),
            ("1e", false, false),
            ("10m", false, false),
            ("1.2.3", false, false),
        ] {
            assert_eq!(is_strict(word), strict, "{word}");
            assert_eq!(is_strict(word) || is_lenient(word), lenient, "{word}");
        }
    }
}
