//! Files of sections. No two programs read them alike: what begins a comment, whether values go on
//! in the next line and how they are quoted is each one's own. All refuse a section whose name is
//! not closed.

use super::flaw::Flaw;

/// The first fault of `text`: a line with nothing but a bracket and a name. Anything more may be a
/// value, and so may a line that is indented or follows one that goes on.
pub(super) fn flaw(text: &str) -> Option<Flaw> {
    let mut offset = 0_usize;
    let mut goes_on = false;
    for line in text.split_inclusive('\n') {
        // of an open quote nobody knows how far it goes
        if has_open_quote(line) {
            return None;
        }
        if !goes_on && is_open_section(line.trim_end()) {
            let end = offset.saturating_add(line.trim_end().len());
            return Some(Flaw::broken(end, "expected \"]\" after the name of the section"));
        }
        goes_on = line.trim_end().ends_with(['\\', ',', '[', '{', '(', '=']);
        offset = offset.saturating_add(line.len());
    }
    None
}

fn is_open_section(line: &str) -> bool {
    let is_of_name = |letter: char| letter.is_alphanumeric() || " _-.:/".contains(letter);
    line.strip_prefix('[').is_some_and(|name| {
        name.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && name.chars().all(is_of_name)
    })
}

fn has_open_quote(line: &str) -> bool {
    let is_comment = line.trim_start().starts_with([';', '#']);
    let is_odd = |quote: u8| line.bytes().filter(|byte| *byte == quote).count() % 2 == 1;
    !is_comment && (is_odd(b'"') || is_odd(b'\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_that_is_not_closed_is_all_that_everyone_refuses() {
        for (text, expected) in [
            ("[a]\nb=1\n; c\n# d\n[e \"f\"]\ng", None),
            ("[a\nb=1", Some(2)),
            ("b=1\r\n[my section \r\nc=1", Some(16)),
            ("  [a\nb=1", None),
            ("list =\n[a\n", None),
            ("list = \\\n[a\n", None),
            ("list = [\n[a\n", None),
            ("text = \"\n[a\n\"", None),
            ("; don't\n[a", Some(10)),
            ("[a](!)", None),
            ("[a, b", None),
            ("[a = b", None),
            ("[1\n", None),
            ("[\n", None),
            ("<?php [a", None),
        ] {
            assert_eq!(flaw(text).map(|flaw| flaw.offset), expected, "{text}");
        }
    }
}
