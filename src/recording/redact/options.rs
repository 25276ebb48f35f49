//! Values that hold options: flags of memory stay, and the names of the others.

use crate::heap::FLAGS;

use super::mark::Marks;
use super::secrets::scrub;

/// `text` with its flags of memory; of the other words the names of flags, references and sizes are
/// left, and what `mark` leaves of the rest. No word is added or lost.
pub(super) fn options(marks: &Marks<'_>, mark: &dyn Fn(&str) -> String, text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut before = "";
    let mut rest = text;
    while !rest.is_empty() {
        let is_break = |letter: char| letter.is_whitespace() || "\"'\\".contains(letter);
        let length = rest.find(is_break).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if !word.is_empty() {
            redacted.push_str(&self::word((marks, mark), word, before));
            before = word;
        }
        let breaks = after.len().saturating_sub(after.trim_start_matches(is_break).len());
        redacted.push_str(after.get(..breaks).unwrap_or_default());
        rest = after.get(breaks..).unwrap_or_default();
    }
    redacted
}

fn word((marks, mark): (&Marks<'_>, &dyn Fn(&str) -> String), word: &str, before: &str) -> String {
    let of_memory = |word: &str| FLAGS.iter().any(|flag| word.starts_with(flag));
    if of_memory(word)
        || (of_memory(before) && !before.contains('=') && !before.starts_with("-X"))
        || word.starts_with('@')
        || is_size(word)
    {
        return scrub(marks, word);
    }
    match (word.starts_with('-'), word.split_once('=')) {
        (true, Some((name, value))) => format!("{name}={}", literals(mark, value)),
        (true, None) => word.to_owned(),
        (false, _) => literals(mark, word),
    }
}

/// Whether a word may be a size or a number.
fn is_size(word: &str) -> bool {
    const LONGEST: usize = 12;
    let digits = word.trim_end_matches(|unit: char| unit.is_ascii_alphabetic() || unit == '%');
    word.len() <= LONGEST
        && word.len().saturating_sub(digits.len()) <= 3
        && digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// `text` with nothing left but its references `$(NAME)`.
fn literals(mark: &dyn Fn(&str) -> String, text: &str) -> String {
    let mut redacted = String::new();
    let mut rest = text;
    while let Some((literal, reference)) = rest.split_once("$(") {
        let Some((name, after)) = reference.split_once(')') else { break };
        redacted.push_str(&mark(literal));
        redacted.push_str("$(");
        redacted.push_str(name);
        redacted.push(')');
        rest = after;
    }
    redacted.push_str(&mark(rest));
    redacted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_memory_stay() {
        let marks = Marks::by(&|_| 0);
        let redacted = |text: &str| {
            options(&marks, &|part| marks.of_part(part), text).replace(":0000000000000000", "")
        };
        for (text, expected) in [
            ("-Xmx1g -Dpw=hunter2", "-Xmx1g -Dpw=redacted:7"),
            ("-Xmx1g  -server\t-cp /app", "-Xmx1g  -server\t-cp redacted:4"),
            (
                "-Dx=\"a b\" -XX:MaxRAMPercentage=75",
                "-Dx=\"redacted:1 redacted:1\" -XX:MaxRAMPercentage=75",
            ),
            ("--max-old-space-size 512 --token x", "--max-old-space-size 512 --token redacted:1"),
            ("--max-old-space-size lots", "--max-old-space-size lots"),
            ("$(BASE) x$(MORE)y -Xms$(LEAST)", "$(BASE) redacted:1$(MORE)redacted:1 -Xms$(LEAST)"),
            ("2g @file", "2g @file"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }
}
