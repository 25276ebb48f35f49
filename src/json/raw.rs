//! Values that are left as they were written.

use super::{Decode, Failed, Reader};

/// JSON that is not decoded, or not yet. Whoever decodes it later meets its faults then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// The JSON.
    pub(crate) fn get(self) -> &'a str {
        self.0
    }
}

impl Default for Raw<'_> {
    fn default() -> Self {
        Self("null")
    }
}

impl<'a> Decode<'a> for Raw<'a> {
    const INSTEAD_OF_NULL: Option<&'static str> = None;

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        self.0 = reader.raw()?;
        Ok(())
    }
}
