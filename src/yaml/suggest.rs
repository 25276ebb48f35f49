//! Words in messages: quoting them, and finding the one that was meant.

/// The longest word that messages show whole, in characters.
const LONGEST_WORD: usize = 64;

/// `word` in double quotes, in one line.
pub(crate) fn quoted(word: &str) -> String {
    match word.char_indices().nth(LONGEST_WORD) {
        Some((end, _)) => format!("{:?}...", word.get(..end).unwrap_or_default()),
        None => format!("{word:?}"),
    }
}

/// What to say of `word`, which is none of the `known` ones: `subject` names it.
pub(crate) fn unknown(subject: &str, word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("unknown {subject}, did you mean {near:?}?"),
        None if known.is_empty() => format!("unknown {subject}, there are none"),
        None => format!("unknown {subject}, known are {}", listed(known)),
    }
}

/// All of `words`, quoted.
pub(crate) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

/// The known word that was probably meant: at most every third character is wrong, cases aside.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let length = word.chars().count();
    if length > LONGEST_WORD {
        return None;
    }
    let lower = word.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&lower, &known.to_lowercase());
    let (near, distance) = known
        .iter()
        .map(|known| (*known, distance(known)))
        .min_by_key(|(_, distance)| *distance)?;
    (distance <= length.max(3) / 3).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_word_that_was_meant() {
        let known = ["except", "names", "selector"];
        assert_eq!(nearest("name", &known), Some("names"));
        assert_eq!(nearest("nmaes", &known), Some("names"));
        assert_eq!(nearest("SELECTOR", &known), Some("selector"));
        assert_eq!(nearest("labels", &known), None);
        assert_eq!(nearest("", &known), None);
        let words = [LONGEST_WORD, LONGEST_WORD + 1].map(|length| "s".repeat(length));
        assert_eq!(nearest(&words[0], &[&words[0]]), Some(&*words[0]));
        assert_eq!(nearest(&words[1], &[&words[1]]), None, "too long to be compared");
    }

    #[test]
    fn quotes_in_one_short_line() {
        assert_eq!(quoted("a\n\"b\""), r#""a\n\"b\"""#);
        assert_eq!(quoted(&"é".repeat(64)), format!("\"{}\"", "é".repeat(64)));
        assert_eq!(quoted(&"é".repeat(65)), format!("\"{}\"...", "é".repeat(64)));
    }
}
