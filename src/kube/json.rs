//! JSON, read once into what borrows from it.
//!
//! A serde decoder for what the API server writes: large objects of which little is read. What no type asks for is
//! passed over many bytes at a time (`scan`) and checked only for where it ends; what is read is read as strictly as
//! serde_json reads it, which reads the numbers. Stricter in two things: a list is never taken for a struct, nor an
//! object for a word.

mod error;
mod escape;
mod raw;
mod scan;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

pub use error::{Error, Kind};
pub use raw::Raw;
use scan::Stop;

/// The deepest nesting of what is read: far beyond any type here, and far from the end of the stack.
const DEPTH_LIMIT: u8 = 100;

/// Reads all of `text`.
///
/// # Errors
///
/// Where it is not JSON, or JSON of another shape.
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Error> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = T::deserialize(&mut reader).and_then(|value| match reader.peek() {
        None => Ok(value),
        Some(_) => Err(Error::syntax()),
    });
    value.map_err(|error| error.at(text, reader.at))
}

/// Where reading is.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
}

/// Text as it is read.
enum Read<'a> {
    Plain(&'a str),
    Escaped(String),
}

impl<'a> Reader<'a> {
    /// The next byte that is no blank.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = self.text.as_bytes().get(self.at).copied();
            if !matches!(byte, Some(b' ' | b'\n' | b'\t' | b'\r')) {
                return byte;
            }
            self.pass();
        }
    }

    /// Goes on by a byte.
    #[inline]
    fn pass(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// From `start` to `end`.
    #[inline]
    fn piece(&self, start: usize, end: usize) -> Result<&'a str, Error> {
        self.text.get(start..end).ok_or_else(Error::syntax)
    }

    /// The text whose opening quote is next.
    #[inline]
    fn text(&mut self) -> Result<Read<'a>, Error> {
        self.pass();
        let start = self.at;
        match scan::end_of_plain(self.text.as_bytes(), start) {
            Stop::Quote(end) => {
                let plain = self.piece(start, end)?;
                self.at = end.saturating_add(1);
                Ok(Read::Plain(plain))
            }
            Stop::Escape => {
                self.pass_text()?;
                let written = self.piece(start, self.at.saturating_sub(1))?;
                escape::unescaped(written).map(Read::Escaped).ok_or_else(Error::syntax)
            }
            Stop::Fault => Err(Error::syntax()),
        }
    }

    /// Passes over the rest of a text.
    fn pass_text(&mut self) -> Result<(), Error> {
        self.at = scan::end_of_text(self.text.as_bytes(), self.at).ok_or_else(Error::syntax)?;
        Ok(())
    }

    /// Passes over a value.
    #[inline]
    fn pass_value(&mut self) -> Result<(), Error> {
        match self.peek() {
            Some(b'"') => {
                self.pass();
                self.pass_text()
            }
            Some(b'{' | b'[') => {
                self.pass();
                self.at = scan::end_of_nested(self.text.as_bytes(), self.at).ok_or_else(Error::syntax)?;
                Ok(())
            }
            _ => self.word().map(drop),
        }
    }

    /// A number, or one of the three words.
    fn word(&mut self) -> Result<&'a str, Error> {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let length = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'-' | b'+' | b'.'));
        self.at = start.saturating_add(length.unwrap_or(rest.len()));
        if self.at == start { Err(Error::syntax()) } else { self.piece(start, self.at) }
    }

    fn word_into<V: Visitor<'a>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        match self.word()? {
            "null" => visitor.visit_unit(),
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            number => {
                let mut reader = serde_json::Deserializer::from_str(number);
                let read = reader.deserialize_any(visitor).and_then(|value| reader.end().map(|()| value));
                read.map_err(|error| if error.is_data() { Error::custom(error) } else { Error::syntax() })
            }
        }
    }

    fn text_into<V: Visitor<'a>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        match self.text()? {
            Read::Plain(text) => visitor.visit_borrowed_str(text),
            Read::Escaped(text) => visitor.visit_string(text),
        }
    }

    /// The fields or entries up to `last`, whose opening bracket is next.
    fn parts<T>(&mut self, last: u8, visit: impl FnOnce(&mut Parts<'_, 'a>) -> Result<T, Error>) -> Result<T, Error> {
        self.pass();
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= DEPTH_LIMIT).ok_or_else(|| Error::custom("too deep"))?;
        let mut parts = Parts { reader: self, last, state: State::First };
        let value = visit(&mut parts)?;
        if parts.state != State::Ended {
            return Err(Error::custom("parts are left"));
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn map_into<V: Visitor<'a>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.parts(b'}', |parts| visitor.visit_map(parts))
    }

    fn list_into<V: Visitor<'a>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.parts(b']', |parts| visitor.visit_seq(parts))
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            Some(b'"') => self.text_into(visitor),
            Some(b'{') => self.map_into(visitor),
            Some(b'[') => self.list_into(visitor),
            _ => self.word_into(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            Some(b'n') => match self.word()? {
                "null" => visitor.visit_none(),
                _ => Err(Error::syntax()),
            },
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            Some(b'{') => self.map_into(visitor),
            Some(b'[') => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            Some(b'"') => match self.text()? {
                Read::Plain(word) => visitor.visit_enum(word.into_deserializer()),
                Read::Escaped(word) => visitor.visit_enum(word.into_deserializer()),
            },
            _ => Err(Error::custom("no word")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name != raw::NAME {
            return visitor.visit_newtype_struct(self);
        }
        self.peek();
        let start = self.at;
        self.pass_value()?;
        visitor.visit_borrowed_str(self.piece(start, self.at)?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.pass_value()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

/// The fields of an object or the entries of a list.
struct Parts<'r, 'a> {
    reader: &'r mut Reader<'a>,
    /// The bracket that ends them.
    last: u8,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    First,
    Further,
    Ended,
}

impl Parts<'_, '_> {
    /// Whether there is one more; reading is at its beginning then.
    #[inline]
    fn more(&mut self) -> Result<bool, Error> {
        match (self.reader.peek(), self.state) {
            (_, State::Ended) => return Ok(false),
            (Some(byte), _) if byte == self.last => {
                self.reader.pass();
                self.state = State::Ended;
                return Ok(false);
            }
            (Some(b','), State::Further) => {
                self.reader.pass();
                self.reader.peek();
            }
            (Some(_), State::First) => self.state = State::Further,
            _ => return Err(Error::syntax()),
        }
        Ok(true)
    }
}

impl<'de> MapAccess<'de> for &mut Parts<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if !self.more()? {
            return Ok(None);
        }
        match self.reader.peek() {
            Some(b'"') => seed.deserialize(Key(self.reader)).map(Some),
            _ => Err(Error::syntax()),
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.reader.peek() {
            Some(b':') => self.reader.pass(),
            _ => return Err(Error::syntax()),
        }
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> SeqAccess<'de> for &mut Parts<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.more()? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

/// The name of a field, at its opening quote.
struct Key<'r, 'a>(&'r mut Reader<'a>);

impl<'de> Deserializer<'de> for Key<'_, 'de> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.text_into(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests;
