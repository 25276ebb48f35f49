//! A reader that goes on where programs differ, and remembers the first such place.

use crate::config_file::DEEPEST;
use crate::config_file::blanks::BYTE_ORDER_MARK;
use crate::config_file::flaw::{Flaw, Stop};

use super::{number, string};

/// The most values of a text that is not JSON, a limit that no text can use to keep the reader busy.
const MOST_VALUES: usize = 250_000;

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// A value.
    Value,
    /// The first element of a list, or its end.
    FirstElement,
    /// The first key of an object, or its end.
    FirstKey,
    /// What follows a value.
    Follower,
}

#[derive(Debug)]
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// The brackets that are open, and where.
    open: Vec<(char, usize)>,
    lenient: Option<Flaw>,
    /// How many values there are so far.
    values: usize,
}

impl<'t> Reader<'t> {
    /// Reads all of `text`, and says what a strict reader takes offence at first.
    pub(super) fn read(text: &'t str) -> Result<Option<Flaw>, Stop> {
        let mut reader = Self { text, at: 0, open: Vec::new(), lenient: None, values: 0 };
        if text.starts_with(BYTE_ORDER_MARK) {
            reader.tolerate(0, "expected no byte order mark");
            reader.at = BYTE_ORDER_MARK.len_utf8();
        }
        let mut next = Next::Value;
        loop {
            reader.skip_blanks()?;
            if reader.open.is_empty() && next == Next::Follower {
                if reader.peek().is_none() {
                    return Ok(reader.lenient);
                }
                next = reader.another_value()?;
                continue;
            }
            next = match next {
                Next::Value => reader.value()?,
                Next::FirstElement if reader.peek() == Some(']') => reader.close(),
                Next::FirstElement => reader.value()?,
                Next::FirstKey if reader.peek() == Some('}') => reader.close(),
                Next::FirstKey => reader.key()?,
                Next::Follower => reader.follower()?,
            };
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Remembers what many programs read.
    fn tolerate(&mut self, offset: usize, expected: &'static str) {
        // a comma is known to be one too many only behind the comments after it
        if self.lenient.as_ref().is_none_or(|known| known.offset > offset) {
            self.lenient = Some(Flaw::lenient(offset, expected));
        }
    }

    /// What comes instead of what is `expected`, here.
    fn unexpected(&self, expected: &str) -> Stop {
        let found = match self.peek() {
            None => return self.unfinished(expected).into(),
            // a mark tells nothing of a value
            Some(mark) if mark.is_ascii_punctuation() && mark != '"' => {
                format!(", found \"{mark}\"")
            }
            Some('"') => ", found a quote".to_owned(),
            Some(_) => String::new(),
        };
        Flaw::broken(self.at, format!("expected {expected}{found}")).into()
    }

    /// The end of the text instead of what is `expected`.
    fn unfinished(&self, expected: &str) -> Flaw {
        let end = self.text.trim_end().len();
        let open = self.open.last().map(|(bracket, offset)| {
            let line = crate::config_file::place::of(self.text, *offset).0;
            format!(": \"{bracket}\" of line {line} is not closed")
        });
        Flaw::broken(end, format!("expected {expected}{}", open.unwrap_or_default()))
    }

    fn skip_blanks(&mut self) -> Result<(), Stop> {
        loop {
            let blanks = self.rest().trim_start_matches([' ', '\t', '\r', '\n']);
            self.at = self.text.len().saturating_sub(blanks.len());
            let length = if blanks.starts_with("/*") {
                let end = blanks.find("*/").map(|end| end.saturating_add(2));
                end.ok_or_else(|| Flaw::broken(self.at, "expected \"*/\" after the comment"))?
            } else if blanks.starts_with("//") || blanks.starts_with('#') {
                blanks.find('\n').unwrap_or(blanks.len())
            } else {
                return Ok(());
            };
            self.tolerate(self.at, "expected no comment");
            self.advance(length);
        }
    }

    /// A value behind one that is complete, as in a file of JSON lines.
    fn another_value(&mut self) -> Result<Next, Stop> {
        if self.peek().is_some_and(|first| "{[\"-0123456789tfn".contains(first)) {
            self.tolerate(self.at, "expected nothing after the value");
            return Ok(Next::Value);
        }
        Err(self.unexpected("nothing after the value"))
    }

    fn value(&mut self) -> Result<Next, Stop> {
        self.values = self.values.saturating_add(1);
        if self.values > MOST_VALUES {
            return Err(Stop::TooMuch);
        }
        let length = match self.peek() {
            Some(bracket @ ('{' | '[')) => return self.open(bracket),
            Some('"' | '\'') => self.string()?,
            _ => self.word()?,
        };
        self.advance(length);
        Ok(Next::Follower)
    }

    fn open(&mut self, bracket: char) -> Result<Next, Stop> {
        if self.open.len() >= DEEPEST {
            return Err(Stop::TooMuch);
        }
        self.open.push((bracket, self.at));
        self.advance(1);
        Ok(if bracket == '{' { Next::FirstKey } else { Next::FirstElement })
    }

    fn close(&mut self) -> Next {
        self.open.pop();
        self.advance(1);
        Next::Follower
    }

    /// The length of the string here.
    fn string(&mut self) -> Result<usize, Stop> {
        let string = string::scan(self.rest()).map_err(|mut flaw| {
            flaw.offset = flaw.offset.saturating_add(self.at);
            flaw
        })?;
        if let Some((offset, expected)) = string.lenient {
            self.tolerate(self.at.saturating_add(offset), expected);
        }
        Ok(string.length)
    }

    /// The length of the number or the name here.
    fn word(&mut self) -> Result<usize, Stop> {
        let word = word(self.rest());
        if !matches!(word, "true" | "false" | "null") && !number::is_strict(word) {
            if !number::is_lenient(word) {
                return Err(self.unexpected("a value"));
            }
            self.tolerate(self.at, "expected a number of JSON");
        }
        Ok(word.len())
    }

    /// A key, the colon behind it, and what comes next.
    fn key(&mut self) -> Result<Next, Stop> {
        let length = match self.peek() {
            Some('"' | '\'') => self.string()?,
            Some(first) if first.is_alphabetic() || first == '_' || first == '$' => {
                self.tolerate(self.at, "expected a quote before the key");
                word(self.rest()).len()
            }
            _ => return Err(self.unexpected("a key in quotes")),
        };
        self.advance(length);
        self.skip_blanks()?;
        if self.peek() != Some(':') {
            return Err(self.unexpected("\":\" after the key"));
        }
        self.advance(1);
        Ok(Next::Value)
    }

    /// A comma and what comes next, or the end of what is open.
    fn follower(&mut self) -> Result<Next, Stop> {
        let is_object = self.open.last().is_some_and(|(bracket, _)| *bracket == '{');
        let (end, expected) =
            if is_object { ('}', "\",\" or \"}\"") } else { (']', "\",\" or \"]\"") };
        match self.peek() {
            Some(found) if found == end => Ok(self.close()),
            Some(',') => {
                let comma = self.at;
                self.advance(1);
                self.skip_blanks()?;
                if self.peek() == Some(end) {
                    self.tolerate(comma, "expected no comma before the end");
                    return Ok(self.close());
                }
                if is_object { self.key() } else { Ok(Next::Value) }
            }
            _ => Err(self.unexpected(expected)),
        }
    }
}

/// The letters and digits at the beginning of `text`.
fn word(text: &str) -> &str {
    let is_of_word = |letter: char| {
        letter.is_ascii_alphanumeric()
            || matches!(letter, '+' | '-' | '.' | '_' | '$')
            || (!letter.is_ascii() && letter.is_alphanumeric())
    };
    let end = text.find(|letter| !is_of_word(letter)).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}
