//! Options of commands, taken apart as each program reads its own.
//!
//! Which options a program has, and which of them take a value, is a row of the table of programs
//! (`programs`). Words may be unknown; what they may be is part of the answer.

mod programs;
#[cfg(test)]
mod tests;

use std::slice::Iter;

use self::programs::{Listed, Row, Spelling};
use super::Word;

/// The arguments of a program, taken apart.
#[derive(Debug)]
pub(crate) struct Arguments<'a> {
    row: &'static Row,
    arguments: &'a [Word],
    /// The options in their order, without the values that are words of their own.
    pub(crate) given: Vec<Given<'a>>,
    /// The other words. Where the first of them starts another command, all words from it on.
    pub(crate) operands: Vec<&'a Word>,
    /// Whether `--` ends the options.
    pub(crate) ended: bool,
    /// Whether no unknown word can be an option.
    pub(crate) certain: bool,
}

/// An option of a command.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    /// Its long name without dashes, or else its letter; `None` for one that the table does not
    /// have.
    pub(crate) name: Option<&'static str>,
    /// The word it stands in.
    pub(crate) word: &'a Word,
    /// Its value, where it has one.
    pub(crate) value: Option<Word>,
    /// Whether it is switched on: a shell switches off with `+`.
    pub(crate) on: bool,
}

impl<'a> Arguments<'a> {
    /// Takes the arguments of `program` apart. A program that the table does not have takes
    /// options without values.
    pub(crate) fn of(program: &str, arguments: &'a [Word]) -> Self {
        let row = Row::of(program);
        let (given, operands) = (Vec::new(), Vec::new());
        let mut options = Self { row, arguments, given, operands, ended: false, certain: true };
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            options.ended = word.known() == Some("--");
            if options.ended || options.read(word, &mut rest) {
                break;
            }
        }
        options.operands.extend(rest);
        options
    }

    /// Whether this option is given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Whether one of these options is given.
    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    /// Whether this option is given, or an unknown word may be it.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        !self.certain || self.has(name)
    }

    /// The values of this option, in order; `None` for one that is missing or unknown.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = Option<&str>> {
        self.all(name).map(|given| given.value.as_ref().and_then(Word::known))
    }

    /// The first value of this option that is known.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values(name).flatten().next()
    }

    /// Whether the table has every option that is given.
    pub(crate) fn all_listed(&self) -> bool {
        self.given.iter().all(|given| given.name.is_some())
    }

    /// The operands; none where any word is unknown, because it may be several words or none.
    pub(crate) fn known_operands(&self) -> Vec<&'a str> {
        let complete = self.arguments.iter().all(|word| word.known().is_some());
        let known = self.operands.iter().filter(|_| complete).filter_map(|word| word.known());
        known.collect()
    }

    /// The words from the first operand on, where that starts another command.
    pub(crate) fn command(&self) -> &'a [Word] {
        let options = self.arguments.len().saturating_sub(self.operands.len());
        self.arguments.get(options..).filter(|_| self.row.starts_command).unwrap_or_default()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &Given<'a>> {
        debug_assert!(self.row.names(name), "{name} is no option of {}", self.row.programs);
        self.given.iter().filter(move |given| given.name == Some(name))
    }

    /// Reads a word, and what it takes of the rest. Whether it ends the options.
    fn read(&mut self, word: &'a Word, rest: &mut Iter<'a, Word>) -> bool {
        let text = word.prefix();
        match self.row.spelling {
            Spelling::Words if text.starts_with('-') || self.row.may_stand_for_option(word) => {
                self.whole_word(word, rest)
            }
            Spelling::Shell if word.known().is_none() => {
                self.certain = false;
                self.operand(word)
            }
            Spelling::Shell if text.starts_with(['-', '+']) && !text.starts_with("--") => {
                self.shell_letters(word, rest)
            }
            Spelling::Getopt | Spelling::Shell if text.starts_with("--") => self.long(word, rest),
            Spelling::Getopt if text.starts_with('-') && text.len() > 1 => self.letters(word, rest),
            _ if self.row.is_assignment(word) => false,
            _ => self.operand(word),
        }
    }

    fn operand(&mut self, word: &'a Word) -> bool {
        self.certain &= word.known().is_some() || !matches!(word.prefix(), "" | "-");
        self.operands.push(word);
        self.row.starts_command
    }

    /// `--name`, `--name VALUE`, `--name=VALUE`.
    fn long(&mut self, word: &'a Word, rest: &mut Iter<'a, Word>) -> bool {
        let name = word.prefix().trim_start_matches('-');
        if name.split_once('=').is_none() && word.known().is_none() {
            self.certain = false;
            return false;
        }
        self.named(word, name, |row, name| row.long(name), rest)
    }

    /// `-name`, `--name`, with its value in the next word or behind `=`.
    fn whole_word(&mut self, word: &'a Word, rest: &mut Iter<'a, Word>) -> bool {
        let text = word.prefix();
        if word.known().is_none() {
            self.certain = false;
            self.push(None, word, None);
            return false;
        }
        let name = text.strip_prefix('-').map(|name| name.strip_prefix('-').unwrap_or(name));
        self.named(word, name.unwrap_or_default(), |row, name| row.whole_word(name), rest)
    }

    fn named(
        &mut self,
        word: &'a Word,
        text: &str,
        find: fn(&Row, &str) -> Option<Listed>,
        rest: &mut Iter<'a, Word>,
    ) -> bool {
        let (name, inline) =
            text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let option = find(self.row, name);
        let value = match (inline, word.known()) {
            (Some(value), Some(_)) => Some(Word::Known(value.to_owned())),
            (Some(_), None) => Some(Word::unknown()),
            (None, _) if option.is_some_and(|option| option.takes_value) => rest.next().cloned(),
            (None, _) => None,
        };
        self.push(option, word, value)
    }

    /// `-m`, `-mr`, `-e VALUE`, `-eVALUE`, `-mreVALUE`.
    fn letters(&mut self, word: &'a Word, rest: &mut Iter<'a, Word>) -> bool {
        let mut letters = word.prefix().chars();
        letters.next();
        while let Some(letter) = letters.next() {
            let option = self.row.letter(letter);
            if option.is_none_or(|option| !option.takes_value) {
                self.push(option, word, None);
                continue;
            }
            let value = match (letters.as_str(), word.known()) {
                (_, None) => Some(Word::unknown()),
                ("", _) => rest.next().cloned(),
                (value, _) => Some(Word::Known(value.to_owned())),
            };
            return self.push(option, word, value);
        }
        self.certain &= word.known().is_some();
        false
    }

    /// `-e`, `+e`, `-euo pipefail`: values are words of their own, whatever follows the letter.
    fn shell_letters(&mut self, word: &'a Word, rest: &mut Iter<'a, Word>) -> bool {
        if word.prefix().len() == 1 {
            return self.operand(word);
        }
        let on = word.prefix().starts_with('-');
        for letter in word.prefix().chars().skip(1) {
            let option = self.row.letter(letter);
            let valued = option.is_some_and(|option| option.takes_value);
            let value = if valued { rest.next().cloned() } else { None };
            let name = option.map(|option| option.name);
            self.given.push(Given { name, word, value, on });
        }
        false
    }

    /// Takes note of an option. Whether it ends the options.
    fn push(&mut self, option: Option<Listed>, word: &'a Word, value: Option<Word>) -> bool {
        let name = option.map(|option| option.name);
        self.given.push(Given { name, word, value, on: true });
        option.is_some_and(|option| option.ends)
    }
}
