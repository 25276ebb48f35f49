//! Lists that a reading may leave as they are written.

use std::ops::Deref;

use super::{Decode, Failed, Reader};

/// A list that a reading in steps leaves as it is written until it is told to read it; any other
/// reading reads it at once. Left, it is passed over like everything that nobody asks for.
#[derive(Clone, Debug)]
pub struct Later<T> {
    list: Vec<T>,
    /// The index in the JSON of a list that was left; 0, where none can be, if none was.
    left: usize,
}

impl<T> Default for Later<T> {
    fn default() -> Self {
        Self { list: Vec::new(), left: 0 }
    }
}

impl<T> Deref for Later<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        debug_assert!(self.left == 0, "a list is asked for that was left unread");
        &self.list
    }
}

impl<T> FromIterator<T> for Later<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        Self { list: entries.into_iter().collect(), left: 0 }
    }
}

impl<T> Later<T> {
    /// Reads the list now, where it was left.
    pub(crate) fn read_now<'a>(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed>
    where
        T: Decode<'a>,
    {
        match std::mem::take(&mut self.left) {
            0 => Ok(()),
            index => {
                reader.go_back(index);
                self.list.read(reader)
            }
        }
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Later<T> {
    const INSTEAD_OF_NULL: Option<&'static str> = None;

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        if reader.leaves_lists() && reader.peek() == Some(b'[') {
            self.left = reader.at();
            reader.pass_value()
        } else {
            self.list.read(reader)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{read, read_in_steps};

    type Numbers = Vec<Later<i64>>;

    #[test]
    fn a_list_is_read_when_the_reading_says_so() {
        let text = "[[1, 2], [3], null, []]";
        let lengths = |lists: &Numbers| lists.iter().map(|list| list.len()).collect::<Vec<_>>();
        let lists: Numbers = read(text).unwrap();
        assert_eq!(lengths(&lists), [2, 1, 0, 0]);
        let lists: Numbers = read_in_steps(text, |lists: &mut Numbers, reader| {
            lists.iter_mut().try_for_each(|list| list.read_now(reader))
        })
        .unwrap();
        assert_eq!(lengths(&lists), [2, 1, 0, 0]);
    }

    #[test]
    fn a_fault_shows_where_the_list_is_read() {
        let text = "[[1],\n [\"x\"]]";
        let second = |lists: &mut Numbers, reader: &mut Reader<'_>| lists[1].read_now(reader);
        let later = read_in_steps(text, second).unwrap_err();
        let at_once = read::<Numbers>(text).unwrap_err();
        assert_eq!((later.line(), later.column()), (at_once.line(), at_once.column()));
        let first = |lists: &mut Numbers, reader: &mut Reader<'_>| lists[0].read_now(reader);
        assert!(read_in_steps(text, first).is_ok(), "what was left is passed over");
        assert!(read_in_steps("[1]", first).is_err(), "a number is no list");
    }

    #[test]
    #[should_panic(expected = "left unread")]
    fn nobody_asks_for_what_was_left() {
        let lists: Numbers = read_in_steps("[[1]]", |_, _| Ok(())).unwrap();
        assert!(lists[0].is_empty());
    }
}
