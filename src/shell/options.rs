//! Options of commands, taken apart as each program reads its own.
//!
//! Which options a program has, and which of them take a value, is a row of the table of programs
//! (`programs`). Words may be unknown; what they may be is part of the answer.

mod programs;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::slice::Iter;

use self::programs::{Listed, Row, Spelling};
use super::Word;

/// The arguments of a program, taken apart.
#[derive(Debug)]
pub(crate) struct Arguments<'a> {
    row: &'static Row,
    words: &'a [Word],
    /// The options in their order, without the values that are words of their own.
    pub(crate) given: Vec<Given<'a>>,
    /// The other words. Where the first of them starts another command, all words from it on.
    pub(crate) operands: Vec<&'a Word>,
    /// Whether no unknown word can be an option.
    pub(crate) certain: bool,
    /// The command that the program starts: its words from the first operand on.
    pub(crate) command: &'a [Word],
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
    pub(crate) value: Option<Cow<'a, Word>>,
    /// Whether it is switched on: a shell switches off with `+`.
    pub(crate) on: bool,
}

/// Where the options end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End<'a> {
    /// The words from the first operand on, where that starts another command, or else those
    /// behind `--`.
    pub(crate) rest: &'a [Word],
    /// Whether `--` ends them.
    pub(crate) by_dashes: bool,
    /// Whether no unknown word can be an option.
    pub(crate) certain: bool,
}

/// Reads the options in front of the command that `program` starts. Nothing is kept, for hardly a
/// container is without such a program.
pub(crate) fn in_front<'a>(
    program: &str,
    words: &'a [Word],
    mut option: impl FnMut(Given<'a>),
) -> End<'a> {
    Reading {
        row: Row::of(program),
        rest: words.iter(),
        certain: true,
        option: &mut option,
        operand: &mut |_| (),
    }
    .finish()
}

impl<'a> Arguments<'a> {
    /// Takes the arguments of `program` apart. A program that the table does not have takes
    /// options without values.
    pub(crate) fn of(program: &str, words: &'a [Word]) -> Self {
        Self::read(Row::of(program), words)
    }

    /// The same; `None` for a program that the table does not have.
    pub(super) fn of_listed(program: &str, words: &'a [Word]) -> Option<Self> {
        Row::listed_for(program).map(|row| Self::read(row, words))
    }

    fn read(row: &'static Row, words: &'a [Word]) -> Self {
        let (mut given, mut operands) = (Vec::new(), Vec::new());
        let option = &mut |one| given.push(one);
        let operand = &mut |word| operands.push(word);
        let end = Reading { row, rest: words.iter(), certain: true, option, operand }.finish();
        operands.extend(end.rest);
        Self { row, words, given, operands, certain: end.certain, command: end.rest }
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
        self.all(name).map(|given| given.value.as_deref().and_then(Word::known))
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
        let complete = self.words.iter().all(|word| word.known().is_some());
        let known = self.operands.iter().filter(|_| complete).filter_map(|word| word.known());
        known.collect()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &Given<'a>> {
        debug_assert!(self.row.names(name), "{name} is no option of the program");
        self.given.iter().filter(move |given| given.name == Some(name))
    }
}

/// Arguments that are being read.
struct Reading<'a, 'f> {
    row: &'static Row,
    rest: Iter<'a, Word>,
    certain: bool,
    option: &'f mut dyn FnMut(Given<'a>),
    operand: &'f mut dyn FnMut(&'a Word),
}

impl<'a> Reading<'a, '_> {
    /// Reads on to the end of the options.
    fn finish(mut self) -> End<'a> {
        let mut by_dashes = false;
        loop {
            let from_here = self.rest.as_slice();
            let Some(word) = self.rest.next() else { break };
            by_dashes = word.known() == Some("--");
            if by_dashes {
                break;
            }
            match self.read(word) {
                Next::Word => {}
                Next::Rest => break,
                Next::Operand if self.row.starts_command => {
                    return End { rest: from_here, by_dashes, certain: self.certain };
                }
                Next::Operand => (self.operand)(word),
            }
        }
        End { rest: self.rest.as_slice(), by_dashes, certain: self.certain }
    }

    /// Reads a word, and what it takes of the rest.
    fn read(&mut self, word: &'a Word) -> Next {
        let text = word.prefix();
        match self.row.spelling {
            Spelling::Words if text.starts_with('-') || self.row.may_stand_for_option(word) => {
                self.whole_word(word)
            }
            Spelling::Shell if word.known().is_none() => {
                self.certain = false;
                self.operand(word)
            }
            Spelling::Shell if text.starts_with(['-', '+']) && !text.starts_with("--") => {
                self.shell_letters(word)
            }
            Spelling::Getopt | Spelling::Shell if text.starts_with("--") => self.long(word),
            Spelling::Getopt if text.starts_with('-') && text.len() > 1 => self.letters(word),
            _ if self.row.is_assignment(word) => Next::Word,
            _ => self.operand(word),
        }
    }

    fn operand(&mut self, word: &'a Word) -> Next {
        self.certain &= word.known().is_some() || !matches!(word.prefix(), "" | "-");
        Next::Operand
    }

    /// `--name`, `--name VALUE`, `--name=VALUE`.
    fn long(&mut self, word: &'a Word) -> Next {
        let name = word.prefix().trim_start_matches('-');
        if name.split_once('=').is_none() && word.known().is_none() {
            self.certain = false;
            return Next::Word;
        }
        self.named(word, name, |row, name| row.long(name))
    }

    /// `-name`, `--name`, with its value in the next word or behind `=`.
    fn whole_word(&mut self, word: &'a Word) -> Next {
        let text = word.prefix();
        if word.known().is_none() {
            self.certain = false;
            return self.push(None, word, None);
        }
        let name = text.strip_prefix('-').map(|name| name.strip_prefix('-').unwrap_or(name));
        self.named(word, name.unwrap_or_default(), |row, name| row.whole_word(name))
    }

    fn named(
        &mut self,
        word: &'a Word,
        text: &str,
        find: fn(&Row, &str) -> Option<Listed>,
    ) -> Next {
        let (name, inline) =
            text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let option = find(self.row, name);
        let value = match (inline, word.known()) {
            // nobody asks for it
            _ if option.is_none() => None,
            (Some(value), Some(_)) => Some(Cow::Owned(Word::Known(value.to_owned()))),
            (Some(_), None) => Some(Cow::Owned(Word::unknown())),
            (None, _) if option.is_some_and(|option| option.takes_value) => {
                self.rest.next().map(Cow::Borrowed)
            }
            (None, _) => None,
        };
        self.push(option, word, value)
    }

    /// `-m`, `-mr`, `-e VALUE`, `-eVALUE`, `-mreVALUE`.
    fn letters(&mut self, word: &'a Word) -> Next {
        let mut letters = word.prefix().chars();
        letters.next();
        while let Some(letter) = letters.next() {
            let option = self.row.letter(letter);
            if option.is_none_or(|option| !option.takes_value) {
                self.push(option, word, None);
                continue;
            }
            let value = match (letters.as_str(), word.known()) {
                (_, None) => Some(Cow::Owned(Word::unknown())),
                ("", _) => self.rest.next().map(Cow::Borrowed),
                (value, _) => Some(Cow::Owned(Word::Known(value.to_owned()))),
            };
            return self.push(option, word, value);
        }
        self.certain &= word.known().is_some();
        Next::Word
    }

    /// `-e`, `+e`, `-euo pipefail`: values are words of their own, whatever follows the letter.
    fn shell_letters(&mut self, word: &'a Word) -> Next {
        if word.prefix().len() == 1 {
            return self.operand(word);
        }
        let on = word.prefix().starts_with('-');
        for letter in word.prefix().chars().skip(1) {
            let option = self.row.letter(letter);
            let valued = option.is_some_and(|option| option.takes_value);
            let value = if valued { self.rest.next().map(Cow::Borrowed) } else { None };
            let name = option.map(|option| option.name);
            (self.option)(Given { name, word, value, on });
        }
        Next::Word
    }

    /// Takes note of an option.
    fn push(
        &mut self,
        option: Option<Listed>,
        word: &'a Word,
        value: Option<Cow<'a, Word>>,
    ) -> Next {
        let name = option.map(|option| option.name);
        (self.option)(Given { name, word, value, on: true });
        if option.is_some_and(|option| option.ends) { Next::Rest } else { Next::Word }
    }
}

/// What comes after a word that was read.
enum Next {
    /// Another one.
    Word,
    /// It is no option, but an operand.
    Operand,
    /// The options end with it.
    Rest,
}
