//! Messages: one line, short enough for a warning, with names that give way before the sentence does.

use std::fmt::{self, Display, Write};

use crate::kube::part::Part;

/// The longest warning, in characters, the name of the rule included: the API server cuts all
/// warnings of a reply when they exceed its header budget together. A message without the name of
/// its rule is shorter by that.
pub const WARNING_LIMIT: usize = 120;

/// What stands around a name in a message that is not settled yet, in place of quotes. No text has
/// these: control characters are taken out.
const OPEN: char = '\u{2}';
const CLOSE: char = '\u{3}';

/// What stands between a message and a remark.
const REMARK: char = '\u{4}';

/// The longest name that is kept, in characters.
const LONGEST_NAME: usize = 512;

/// How names are written in a message: in quotes. Which of them are too long is not known before the
/// message is.
#[derive(Clone, Copy, Debug)]
pub struct Names(());

impl Names {
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
            text.write_char(OPEN)?;
            if name.len() <= LONGEST_NAME && !has_controls(name) {
                text.write_str(name)?;
            } else {
                shortened(name, LONGEST_NAME).map(clean).try_for_each(|c| text.write_char(c))?;
            }
            text.write_char(CLOSE)
        })
    }
}

/// Whether `text` has control characters.
fn has_controls(text: &str) -> bool {
    // mostly bytes tell
    let plain = text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    !plain && text.contains(char::is_control)
}

/// `name` with its middle left out where it is longer than `longest` characters.
fn shortened(name: &str, longest: usize) -> impl Iterator<Item = char> {
    let length = name.chars().count();
    let (head, tail, middle) = if length <= longest {
        (length, 0, None)
    } else {
        let head = longest / 2;
        (head, longest.saturating_sub(head).saturating_sub(1), Some('…'))
    };
    let end = name.chars().skip(length.saturating_sub(tail));
    name.chars().take(head).chain(middle).chain(end)
}

/// A message whose names are known as such.
pub(super) fn composed(message: impl FnOnce(Names) -> String) -> String {
    message(Names(()))
}

/// The widths of names to try, in characters.
const WIDTHS: [usize; 11] = [63, 48, 40, 32, 28, 24, 20, 16, 12, 10, 8];

/// Adds `remark` to `message`.
pub(super) fn add_remark(message: &mut String, remark: &str) {
    message.extend([&*REMARK.to_string(), "; ", remark]);
}

/// `message` with its names in quotes, whole.
pub(super) fn whole(message: String) -> String {
    match message.split_once(REMARK) {
        Some((message, remark)) => fit(in_quotes(message.to_owned()), usize::MAX) + remark,
        None => fit(in_quotes(message), usize::MAX),
    }
}

/// `message` with its names in quotes, as long as leave it within `width` characters; the shortest
/// where none do.
pub(super) fn narrow(message: String, width: usize) -> String {
    if is_short(&message, width) {
        return fit(in_quotes(message), width);
    }
    if let Some((message, remark)) = message.split_once(REMARK) {
        let room = width.saturating_sub(remark.chars().count());
        return fit(narrow(message.to_owned(), room) + remark, width);
    }
    let [widest, narrower @ ..] = WIDTHS;
    let length = |longest: usize| -> usize {
        parts(&message).map(|part| part.length().min(part.most(longest))).sum()
    };
    if parts(&message).all(|part| part.length() <= part.most(widest)) && length(widest) <= width {
        return fit(in_quotes(message), width);
    }
    let fits = |longest: &usize| length(*longest) <= width;
    let longest = [widest].into_iter().chain(narrower).find(fits).unwrap_or(8);
    let mut text = String::with_capacity(width);
    for part in parts(&message) {
        match part {
            MessagePart::Text(words) => text.push_str(words),
            MessagePart::Name(name) => {
                text.push('"');
                text.extend(shortened(name, longest));
                text.push('"');
            }
        }
    }
    fit(text, width)
}

/// Whether `message`, as most, needs nothing but its quotes: it is told from its bytes, of which
/// there are no fewer than characters.
fn is_short(message: &str, width: usize) -> bool {
    let [widest, ..] = WIDTHS;
    if message.len() > width {
        return false;
    }
    let mut since_mark = 0_usize;
    message.bytes().all(|byte| {
        since_mark = since_mark.saturating_add(1);
        match char::from(byte) {
            OPEN => since_mark = 0,
            CLOSE if since_mark > widest.saturating_add(1) => return false,
            REMARK => return false,
            _ => {}
        }
        true
    })
}

/// A part of a message that is not settled yet.
#[derive(Clone, Copy)]
enum MessagePart<'m> {
    Text(&'m str),
    Name(&'m str),
}

impl MessagePart<'_> {
    /// In characters, quotes included.
    fn length(self) -> usize {
        match self {
            Self::Text(text) => text.chars().count(),
            Self::Name(name) => name.chars().count().saturating_add(2),
        }
    }

    /// The most of it where names have at most `longest` characters.
    fn most(self, longest: usize) -> usize {
        match self {
            Self::Text(_) => usize::MAX,
            Self::Name(_) => longest.saturating_add(2),
        }
    }
}

fn parts(message: &str) -> impl Iterator<Item = MessagePart<'_>> {
    message.split(CLOSE).flat_map(|piece| {
        let (text, name) = match piece.split_once(OPEN) {
            Some((text, name)) => (text, Some(MessagePart::Name(name))),
            None => (piece, None),
        };
        std::iter::once(MessagePart::Text(text)).chain(name)
    })
}

/// `message` with quotes around its names: in place, because each is as long as what it replaces.
fn in_quotes(message: String) -> String {
    let mut bytes = message.into_bytes();
    for byte in &mut bytes {
        if [OPEN, CLOSE].iter().any(|mark| u32::from(*mark) == u32::from(*byte)) {
            *byte = b'"';
        }
    }
    String::from_utf8(bytes).unwrap_or_default() // one byte is as good as another below 128
}

fn clean(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

/// `text` without control characters and no longer than `width` characters.
pub fn fit(text: impl Into<String>, width: usize) -> String {
    let text = text.into();
    if fits(&text, width) {
        return text;
    }
    match text.char_indices().nth(width) {
        None => text.chars().map(clean).collect(),
        Some(_) => text.chars().take(width.saturating_sub(1)).map(clean).chain(['…']).collect(),
    }
}

/// Whether `text` is without control characters and no longer than `width` characters.
fn fits(text: &str, width: usize) -> bool {
    !has_controls(text) && (text.len() <= width || text.chars().count() <= width)
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
            let message =
                composed(|names: Names| format!("{}{}", "a".repeat(length), names.quoted(&name)));
            let fitting = WIDTHS.into_iter().find(|longest| length + longest + 2 <= 120);
            let short: String = shortened(&name, fitting.unwrap_or(8)).collect();
            let expected = fit(format!("{}\"{short}\"", "a".repeat(length)), 120);
            assert_eq!(narrow(message.clone(), 120), expected, "{length}");
            assert_eq!(whole(message), format!("{}\"{name}\"", "a".repeat(length)));
        }
    }

    #[test]
    fn names_are_clean_and_not_endless() {
        let said = |name: &str| whole(composed(|names| format!("a {} b", names.quoted(name))));
        assert_eq!(said("x\u{3}y\u{2}\n"), "a \"x y  \" b");
        assert_eq!(said(&"x".repeat(512)), format!("a \"{}\" b", "x".repeat(512)));
        let cut = format!("a \"{}…{}\" b", "x".repeat(256), "x".repeat(255));
        assert_eq!(said(&"x".repeat(5_000)), cut);
        // what is no name may hold anything, too
        let odd = |text: &str| narrow(text.to_owned(), 20);
        assert_eq!(odd("a\u{3}b\u{2}c"), "a\"b\"c");
        assert_eq!(odd("\u{2}\u{2}\u{3}").chars().count(), 3);
    }
}
