//! The text, and where in it reading is.

use std::borrow::Cow;
use std::str::FromStr;

use serde::de::IgnoredAny;

use super::error::{Failure, PathStep};
use super::scan::{self, Stop};
use super::{DEPTH_LIMIT, Decode, ENTRY_LIMIT, Error, Failed, Fault, Fields, escape};

/// Where reading is, and what it may still read.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
    /// What is left of [`ENTRY_LIMIT`].
    left: usize,
    leaves_lists: bool,
    failure: Option<Failure>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self::starting(text, 0)
    }

    /// For what leaves lists to be read [`Later`](super::Later).
    pub(super) fn leaving_lists(text: &'a str) -> Self {
        Self { leaves_lists: true, ..Self::new(text) }
    }

    /// At the index `at`.
    pub(super) fn starting(text: &'a str, at: usize) -> Self {
        Self { text, at, depth: 0, left: ENTRY_LIMIT, leaves_lists: false, failure: None }
    }

    /// Nothing but blanks may follow.
    pub(super) fn end(&mut self) -> Result<(), Failed> {
        if self.peek().is_none() { Ok(()) } else { Err(self.fail(Fault::NoJson)) }
    }

    /// Why reading failed.
    pub(super) fn error(self) -> Error {
        let stopped = Failure { fault: Fault::NoJson, offset: self.at, path: Vec::new() };
        Error::of(self.text, self.failure.unwrap_or(stopped))
    }

    /// The next byte that is no blank.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let byte = self.text.as_bytes().get(self.at).copied();
        if matches!(byte, Some(b' ' | b'\n' | b'\t' | b'\r')) { self.after_blanks() } else { byte }
    }

    #[cold]
    fn after_blanks(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at).copied() {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.pass(),
                byte => return byte,
            }
        }
    }

    /// Whether lists are left that may be read [`Later`](super::Later).
    #[inline]
    pub(super) fn leaves_lists(&self) -> bool {
        self.leaves_lists
    }

    /// Goes back to a list at `index` that was left, which itself is read whole.
    pub(super) fn go_back(&mut self, index: usize) {
        self.at = index;
        self.leaves_lists = false;
    }

    /// The index of what is next.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Goes on by a byte.
    #[inline]
    fn pass(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// From `start` to `end`.
    #[inline]
    fn piece(&mut self, start: usize, end: usize) -> Result<&'a str, Failed> {
        let text = self.text;
        text.get(start..end).ok_or_else(|| self.fail(Fault::NoJson))
    }

    /// An entry of something, or all there is: `null` is not good for everything there.
    #[inline]
    pub(super) fn whole<T: Decode<'a>>(&mut self, value: &mut T) -> Result<(), Failed> {
        match (T::INSTEAD_OF_NULL, self.peek()) {
            (Some(what), Some(b'n')) => Err(self.expected(what)),
            _ => value.read(self),
        }
    }

    /// Passes over `null`, where that is next.
    #[inline]
    pub(crate) fn null(&mut self) -> Result<bool, Failed> {
        if self.peek() == Some(b'n') { self.pass_null() } else { Ok(false) }
    }

    #[inline(never)]
    fn pass_null(&mut self) -> Result<bool, Failed> {
        if self.word() == "null" { Ok(true) } else { Err(self.fail(Fault::NoJson)) }
    }

    /// The text that is next.
    #[inline]
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, Failed> {
        if self.peek() == Some(b'"') { self.quoted() } else { Err(self.expected("a string")) }
    }

    /// The text whose opening quote is next.
    #[inline]
    fn quoted(&mut self) -> Result<Cow<'a, str>, Failed> {
        match self.short_text() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.any_text(),
        }
    }

    /// The text whose opening quote is next, where it is short and has no escapes, as most are.
    #[inline]
    fn short_text(&mut self) -> Option<&'a str> {
        let start = self.at.checked_add(1)?;
        let length = scan::length_of_short(self.text.as_bytes().get(start..)?.first_chunk()?)?;
        let end = start.checked_add(length)?;
        let text = self.text.get(start..end)?;
        self.at = end.checked_add(1)?;
        Some(text)
    }

    /// The same, however long and with whatever escapes.
    #[inline(never)]
    fn any_text(&mut self) -> Result<Cow<'a, str>, Failed> {
        self.pass();
        let start = self.at;
        match scan::end_of_plain(self.text.as_bytes(), start) {
            Stop::Quote(end) => {
                self.at = end.saturating_add(1);
                self.piece(start, end).map(Cow::Borrowed)
            }
            Stop::Escape => self.escaped(start).map(Cow::Owned),
            Stop::Fault => Err(self.fail(Fault::NoJson)),
        }
    }

    #[inline(never)]
    fn escaped(&mut self, start: usize) -> Result<String, Failed> {
        self.pass_text()?;
        let written = self.piece(start, self.at.saturating_sub(1))?;
        escape::unescaped(written).ok_or_else(|| self.fail(Fault::NoJson))
    }

    /// Passes over the rest of a text.
    fn pass_text(&mut self) -> Result<(), Failed> {
        self.go_to(scan::end_of_text(self.text.as_bytes(), self.at))
    }

    /// Goes on at the end that was found.
    fn go_to(&mut self, end: Option<usize>) -> Result<(), Failed> {
        self.at = end.ok_or_else(|| self.fail(Fault::NoJson))?;
        Ok(())
    }

    /// Passes over a value.
    pub(crate) fn pass_value(&mut self) -> Result<(), Failed> {
        match self.peek() {
            Some(b'"') => {
                self.pass();
                self.pass_text()
            }
            Some(b'{' | b'[') => {
                self.pass();
                self.go_to(scan::end_of_nested(self.text.as_bytes(), self.at))
            }
            _ if self.word().is_empty() => Err(self.fail(Fault::NoJson)),
            _ => Ok(()),
        }
    }

    /// The JSON of the value that is next.
    pub(crate) fn raw(&mut self) -> Result<&'a str, Failed> {
        self.peek();
        let start = self.at;
        self.pass_value()?;
        self.piece(start, self.at)
    }

    /// The number that is next, as it is written.
    pub(crate) fn number(&mut self) -> Result<&'a str, Failed> {
        self.peek();
        let number = self.word();
        if is_json(number) { Ok(number) } else { Err(self.fail(Fault::NoJson)) }
    }

    /// What could be a number or one of the three words.
    fn word(&mut self) -> &'a str {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let length = rest.iter().position(
            |byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'-' | b'+' | b'.'),
        );
        self.at = start.saturating_add(length.unwrap_or(rest.len()));
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// `true` or `false`, of which the first letter is next.
    pub(super) fn truth(&mut self) -> Result<bool, Failed> {
        match self.word() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.fail(Fault::NoJson)),
        }
    }

    /// The whole number that is next.
    pub(super) fn integer<T: FromStr>(&mut self) -> Result<T, Failed> {
        self.peek();
        let start = self.at;
        let digits = self.word();
        let plain = matches!(
            digits.strip_prefix('-').unwrap_or(digits).as_bytes(),
            [b'0'] | [b'1'..=b'9', ..]
        );
        digits.parse().ok().filter(|_| plain).ok_or_else(|| {
            self.at = start;
            self.expected("a whole number")
        })
    }

    /// Reads the fields of a struct.
    pub(crate) fn fields(&mut self, into: &mut dyn Fields<'a>) -> Result<(), Failed> {
        let mut more = self.open(b'{', b'}', "a mapping")?;
        let mut seen = 0u32;
        while more {
            let start = self.at;
            let index = match self.name()? {
                Cow::Borrowed(name) => into.field(name, self),
                Cow::Owned(name) => into.field(&name, self),
            };
            let index = index.or_else(|failed| self.on_the_way(PathStep::Field(start), failed))?;
            let bit = 1u32.unbounded_shl(index);
            if seen & bit != 0 {
                return Err(self.fail_at(start, Fault::Broken("a field is repeated")));
            }
            seen |= bit;
            more = self.further(b'}')?;
        }
        Ok(())
    }

    /// The name of a field or entry; its value is next.
    #[inline]
    fn name(&mut self) -> Result<Cow<'a, str>, Failed> {
        if self.peek() != Some(b'"') {
            return Err(self.fail(Fault::NoJson));
        }
        let name = self.quoted()?;
        if self.peek() != Some(b':') {
            return Err(self.fail(Fault::NoJson));
        }
        self.pass();
        Ok(name)
    }

    /// Begins a map; whether it has an entry.
    pub(crate) fn begin_map(&mut self) -> Result<bool, Failed> {
        self.open(b'{', b'}', "a mapping")
    }

    /// The value of an entry of a map, whose name is next, and that name; whether there is one
    /// more.
    pub(crate) fn map_entry<T: Decode<'a>>(
        &mut self,
        value: &mut T,
    ) -> Result<(Cow<'a, str>, bool), Failed> {
        self.spend()?;
        self.peek();
        let start = self.at;
        let name = self.name()?;
        self.whole(value).or_else(|failed| self.on_the_way(PathStep::Field(start), failed))?;
        Ok((name, self.further(b'}')?))
    }

    /// Begins a list; whether it has an entry.
    pub(super) fn begin_list(&mut self) -> Result<bool, Failed> {
        self.open(b'[', b']', "a list")
    }

    /// Reads the entry of a list; whether there is one more.
    pub(super) fn list_entry<T: Decode<'a>>(
        &mut self,
        index: usize,
        value: &mut T,
    ) -> Result<bool, Failed> {
        self.spend()?;
        self.whole(value).or_else(|failed| self.on_the_way(PathStep::Entry(index), failed))?;
        self.further(b']')
    }

    /// Passes the opening bracket; whether there is anything before the closing one. There is
    /// nothing in `null`.
    fn open(&mut self, first: u8, last: u8, what: &'static str) -> Result<bool, Failed> {
        match self.peek() {
            Some(byte) if byte == first => {}
            Some(b'n') => return self.pass_null().map(|_| false),
            _ => return Err(self.expected(what)),
        }
        if self.depth == DEPTH_LIMIT {
            return Err(self.fail(Fault::Broken("too many values are within each other")));
        }
        self.pass();
        if self.peek() == Some(last) {
            self.pass();
            return Ok(false);
        }
        self.depth = self.depth.saturating_add(1);
        Ok(true)
    }

    /// Whether there is one more part; else passes the closing bracket.
    fn further(&mut self, last: u8) -> Result<bool, Failed> {
        match self.peek() {
            Some(b',') => {
                self.pass();
                self.peek();
                Ok(true)
            }
            Some(byte) if byte == last => {
                self.pass();
                self.depth = self.depth.saturating_sub(1);
                Ok(false)
            }
            _ => Err(self.fail(Fault::NoJson)),
        }
    }

    /// Takes note of one more entry.
    fn spend(&mut self) -> Result<(), Failed> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return Err(self.fail(Fault::Broken("there are too many entries"))),
        }
        Ok(())
    }

    /// Another value than `what` is next, or none.
    #[cold]
    pub(crate) fn expected(&mut self, what: &'static str) -> Failed {
        let next = self.peek();
        let offset = self.at;
        let is_value = matches!(next, Some(b'"' | b'{' | b'[')) || is_json(self.word());
        self.fail_at(offset, if is_value { Fault::Expected(what) } else { Fault::NoJson })
    }

    /// Reading ends here.
    #[cold]
    pub(crate) fn fail(&mut self, fault: Fault) -> Failed {
        self.fail_at(self.at, fault)
    }

    /// Reading ends with what is wrong at `place`.
    #[cold]
    pub(crate) fn fail_at(&mut self, offset: usize, fault: Fault) -> Failed {
        self.failure = Some(Failure { fault, offset, path: Vec::new() });
        Failed
    }

    /// Reading failed within what `step` leads to.
    #[cold]
    fn on_the_way<T>(&mut self, step: PathStep, failed: Failed) -> Result<T, Failed> {
        if let Some(failure) = &mut self.failure {
            failure.path.push(step);
        }
        Err(failed)
    }
}

/// Whether `word` is a number or one of the three words.
fn is_json(word: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(word).is_ok()
}
