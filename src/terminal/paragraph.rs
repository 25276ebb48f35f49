//! Text for people in lines that fit.

use std::fmt::Write;

use super::plain;

/// The width of text for people, in characters.
const WIDTH: usize = 110;

/// Adds `sentence` under `label`, in lines that fit; nothing where it is empty. Commands stay in one
/// line.
pub(crate) fn paragraph(text: &mut String, label: &str, sentence: &str) {
    if sentence.is_empty() {
        return;
    }
    let (sentence, is_command) = (plain(sentence), label == "do");
    let mut line = format!("  {label}:");
    let indent = " ".repeat(line.chars().count().min(6));
    for part in sentence.split(' ') {
        let length = line.chars().count().saturating_add(part.chars().count());
        if length >= WIDTH && !is_command {
            let _ = writeln!(text, "{line}"); // writing to memory cannot fail
            line.clone_from(&indent);
        }
        line.push(' ');
        line.push_str(part);
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_are_broken_and_commands_are_not() {
        let mut text = String::new();
        paragraph(&mut text, "why", &"word ".repeat(50));
        assert!(
            text.lines().count() > 1 && text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
        assert!(
            text.starts_with("  why: word")
                && text.lines().nth(1).unwrap().starts_with("       word"),
            "{text}"
        );
        let mut text = String::new();
        paragraph(&mut text, "do", &format!("`{}`", "word ".repeat(50)));
        paragraph(&mut text, "do", "");
        assert_eq!(text.lines().count(), 1);
    }
}
