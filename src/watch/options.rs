//! Options as `getopt_long` reads them, with words that may be unknown.

use crate::shell::Word;

/// Which options of a program take a value.
pub(super) struct Grammar {
    /// One letter each.
    pub(super) short: &'static str,
    pub(super) long: &'static [&'static str],
    /// Whether the first operand ends the options, because it starts another command.
    pub(super) strict: bool,
}

/// Arguments taken apart.
#[derive(Debug)]
pub(super) struct Options<'a> {
    /// Names without dashes, each with its value where it has one.
    pub(super) options: Vec<(String, Option<Word>)>,
    pub(super) operands: Vec<&'a Word>,
    /// Whether no unknown word can be an option.
    pub(super) certain: bool,
}

impl Options<'_> {
    /// Whether one of these options is given.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(name, _)| names.contains(&name.as_str()))
    }

    /// The values of these options, in order.
    pub(super) fn values(&self, names: &[&str]) -> impl Iterator<Item = Option<&str>> {
        self.options
            .iter()
            .filter(move |(name, _)| names.contains(&name.as_str()))
            .map(|(_, value)| value.as_ref().and_then(Word::known))
    }

    /// Whether every option is one of these.
    pub(super) fn only(&self, names: &[&str]) -> bool {
        self.options.iter().all(|(name, _)| names.contains(&name.as_str()))
    }
}

/// Takes arguments apart.
pub(super) fn parse<'a>(arguments: &'a [Word], grammar: &Grammar) -> Options<'a> {
    let mut found = Options { options: Vec::new(), operands: Vec::new(), certain: true };
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let text = word.prefix();
        if word.known() == Some("--") {
            found.operands.extend(rest);
            return found;
        }
        if let Some(long) = text.strip_prefix("--") {
            match (long.split_once('='), word.known()) {
                (Some((name, value)), known) => {
                    let value = known.map_or_else(Word::unknown, |_| Word::Known(value.to_owned()));
                    found.options.push((name.to_owned(), Some(value)));
                }
                (None, None) => found.certain = false,
                (None, Some(_)) => {
                    let valued = grammar.long.contains(&long);
                    let value = if valued { rest.next().cloned() } else { None };
                    found.options.push((long.to_owned(), value));
                }
            }
        } else if let Some(short) = text.strip_prefix('-').filter(|short| !short.is_empty()) {
            let at = short.find(|letter| grammar.short.contains(letter));
            let (flags, valued) =
                short.split_at_checked(at.unwrap_or(short.len())).unwrap_or((short, ""));
            let flags = flags.chars().map(|letter| (letter.to_string(), None));
            found.options.extend(flags);
            let mut letters = valued.chars();
            match letters.next() {
                Some(letter) => {
                    let value = match (letters.as_str(), word.known()) {
                        (_, None) => Some(Word::unknown()),
                        ("", _) => rest.next().cloned(),
                        (value, _) => Some(Word::Known(value.to_owned())),
                    };
                    found.options.push((letter.to_string(), value));
                }
                None => found.certain &= word.known().is_some(),
            }
        } else {
            found.certain &= word.known().is_some() || !matches!(text, "" | "-");
            found.operands.push(word);
            if grammar.strict {
                found.operands.extend(rest);
                return found;
            }
        }
    }
    found
}
