//! What can be read from JSON, and how structs say which fields they have.

use super::{Failed, Fault, LIST_LIMIT, Reader};

/// What is read from JSON, in place.
pub(crate) trait Decode<'a>: Default {
    /// What must stand instead of `null` where it is no field: in a list, in a map, alone. `None`
    /// where `null` will do.
    const INSTEAD_OF_NULL: Option<&'static str> = Some("a mapping");

    /// Reads a value into `self`, which is as absent before, and stays so where there is `null`.
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed>;
}

/// A struct whose fields have names.
pub(crate) trait Fields<'a> {
    /// Reads the field `name`, whose value is next, and says which of its own it is; passes over an
    /// [`UNKNOWN`] one.
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<u32, Failed>;
}

/// The index of a field that a struct does not have.
pub(crate) const UNKNOWN: u32 = u32::MAX;

/// Says under which names the fields of a struct stand in JSON.
macro_rules! fields {
    ($type:ident $(<$part:ident>)? { $($name:literal => $field:ident),+ $(,)? }) => {
        impl<'a $(, $part: $crate::json::Decode<'a>)?> $crate::json::Decode<'a> for $type<'a $(, $part)?> {
            fn read(&mut self, reader: &mut $crate::json::Reader<'a>) -> Result<(), $crate::json::Failed> {
                reader.fields(self)
            }
        }

        impl<'a $(, $part: $crate::json::Decode<'a>)?> $crate::json::Fields<'a> for $type<'a $(, $part)?> {
            fn field(
                &mut self,
                name: &str,
                reader: &mut $crate::json::Reader<'a>,
            ) -> Result<u32, $crate::json::Failed> {
                #[allow(non_camel_case_types, reason = "called as the fields are")]
                #[repr(u32)]
                enum Index {
                    $($field),+
                }

                const { assert!([$($name),+].len() <= 32, "a bit for each field") };
                let (index, read) = match name {
                    $($name => (Index::$field as u32, $crate::json::Decode::read(&mut self.$field, reader)),)+
                    _ => ($crate::json::UNKNOWN, reader.pass_value()),
                };
                read.map(|()| index)
            }
        }
    };
}

pub(crate) use fields;

/// A value of which nothing but its presence counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped;

impl<'a> Decode<'a> for Skipped {
    const INSTEAD_OF_NULL: Option<&'static str> = None;

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        reader.pass_value()
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Option<T> {
    const INSTEAD_OF_NULL: Option<&'static str> = None;

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        if reader.null()? { Ok(()) } else { self.insert(T::default()).read(reader) }
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Box<T> {
    const INSTEAD_OF_NULL: Option<&'static str> = T::INSTEAD_OF_NULL;

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        T::read(self, reader)
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Vec<T> {
    const INSTEAD_OF_NULL: Option<&'static str> = None;

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        let mut more = reader.begin_list()?;
        while more {
            if self.len() == LIST_LIMIT {
                return Err(reader.fail(Fault::Broken("too many entries")));
            }
            let index = self.len();
            let entry = self.push_mut(T::default());
            more = reader.list_entry(index, entry)?;
        }
        Ok(())
    }
}

impl<'a> Decode<'a> for bool {
    const INSTEAD_OF_NULL: Option<&'static str> = Some("true or false");

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        match reader.peek() {
            Some(b't' | b'f') => *self = reader.truth()?,
            _ if reader.null()? => {}
            _ => return Err(reader.expected("true or false")),
        }
        Ok(())
    }
}

macro_rules! integers {
    ($($type:ty),+) => {
        $(impl<'a> Decode<'a> for $type {
            const INSTEAD_OF_NULL: Option<&'static str> = Some("a whole number");

            fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
                if !reader.null()? {
                    *self = reader.integer()?;
                }
                Ok(())
            }
        })+
    };
}

integers!(i32, i64);
