//! Messages: one line, short enough for a warning, with names that give way before the sentence does.

use std::fmt::{self, Display, Write};

use crate::kube::part::Part;

/// The longest warning, in characters, the name of the rule included: the API server cuts all
/// warnings of a reply when they exceed its header budget together. A message without the name of
/// its rule is shorter by that.
pub const WARNING_LIMIT: usize = 120;

/// How names are written in a message: in quotes, with the middle left out of those that are too
/// long for it.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    longest: usize,
}

impl Names {
    /// The widths to try, in characters.
    const WIDTHS: [usize; 11] = [63, 48, 40, 32, 28, 24, 20, 16, 12, 10, 8];

    /// What `part` is.
    pub fn part(self, part: Part<'_>) -> String {
        match part {
            Part::Pod => part.to_string(),
            Part::Container(name) => format!("container {}", self.quoted(name)),
        }
    }

    /// `name` in quotes.
    pub fn quoted(self, name: &str) -> impl Display {
        fmt::from_fn(move |text| {
            let length = name.chars().count();
            if length <= self.longest {
                return write!(text, "\"{name}\"");
            }
            let head = self.longest / 2;
            let tail = self.longest.saturating_sub(head).saturating_sub(1);
            text.write_char('"')?;
            let shortened = name
                .chars()
                .take(head)
                .chain(['…'])
                .chain(name.chars().skip(length.saturating_sub(tail)));
            shortened.chain(['"']).try_for_each(|character| text.write_char(character))
        })
    }
}

/// `message` with names as long as leave it within `width` characters; with the shortest where none
/// do.
pub(super) fn composed(message: &dyn Fn(Names) -> String, width: usize) -> String {
    let of_width = |longest: &usize| message(Names { longest: *longest });
    let too_long = |text: &str| text.len() > width && text.chars().count() > width;
    let [widest, narrower @ ..] = &Names::WIDTHS;
    let text = of_width(widest);
    if !too_long(&text) {
        return text;
    }
    // a message gets no longer with shorter names
    let widths = narrower.partition_point(|width| too_long(&of_width(width)));
    narrower.get(widths).or(narrower.last()).map_or(text, of_width)
}

/// `text` without control characters and no longer than `width` characters.
pub fn fit(text: impl Into<String>, width: usize) -> String {
    let text = text.into();
    if fits(&text, width) {
        return text;
    }
    let clean = |character: char| if character.is_control() { ' ' } else { character };
    match text.char_indices().nth(width) {
        None => text.chars().map(clean).collect(),
        Some(_) => text.chars().take(width.saturating_sub(1)).map(clean).chain(['…']).collect(),
    }
}

/// Whether `text` is without control characters and no longer than `width` characters.
fn fits(text: &str, width: usize) -> bool {
    // mostly it is short, and bytes tell
    let plain = text.len() <= width
        && text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    plain || !(text.contains(char::is_control) || text.chars().count() > width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_clean() {
        assert_eq!(fit("one\ntwo", 120), "one two");
        assert_eq!(fit("é".repeat(120), 120), "é".repeat(120));
        assert_eq!(fit("é".repeat(121), 120), format!("{}…", "é".repeat(119)));
    }

    #[test]
    fn names_are_as_long_as_the_room_allows() {
        let name = "é".repeat(70);
        for length in 0..150 {
            let message = |names: Names| format!("{}{}", "a".repeat(length), names.quoted(&name));
            let fitting = Names::WIDTHS.into_iter().find(|longest| length + longest + 2 <= 120);
            let expected = message(Names { longest: fitting.unwrap_or(8) });
            assert_eq!(composed(&message, 120), expected, "{length}");
        }
    }
}
