//! From bytes to text, as kubectl decodes them.

use std::io::{self, Read};

/// The largest text that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// The text of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    /// Whether the text has the very bytes that were read. Otherwise it cannot be written back.
    pub(crate) is_utf8: bool,
}

/// Reads the whole of a file.
///
/// # Errors
///
/// Where it cannot be read, or is larger than any manifest.
pub(crate) fn read(source: impl Read) -> io::Result<Decoded> {
    let mut bytes = Vec::new();
    source.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        let message = format!("larger than {} MiB", LARGEST >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(decode(bytes))
}

/// A byte order mark tells UTF-16; otherwise it is UTF-8, and what is none becomes U+FFFD.
pub(crate) fn decode(bytes: Vec<u8>) -> Decoded {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => match String::from_utf8(bytes) {
            Ok(text) => Decoded { text, is_utf8: true },
            Err(error) => {
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                Decoded { text, is_utf8: false }
            }
        },
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Decoded {
    let (units, rest) = bytes.as_chunks::<2>();
    let letters = char::decode_utf16(units.iter().map(|bytes| unit(*bytes)));
    let letters = letters.map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    // half a letter is none
    let half = (!rest.is_empty()).then_some(char::REPLACEMENT_CHARACTER);
    Decoded { text: letters.chain(half).collect(), is_utf8: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, bool) {
        let Decoded { text, is_utf8 } = decode(bytes.to_vec());
        (text, is_utf8)
    }

    #[test]
    fn marks_tell_the_encoding() {
        assert_eq!(decoded("ä: 1".as_bytes()), ("ä: 1".to_owned(), true));
        assert_eq!(decoded(b"\xff\xfea\0\xe4\0"), ("aä".to_owned(), false));
        assert_eq!(decoded(b"\xfe\xff\0a\xd8\x3d\xde\0"), ("a😀".to_owned(), false));
        assert_eq!(decoded(b"\xff\xfea\0\x3d\xd8b"), ("a\u{fffd}\u{fffd}".to_owned(), false));
        // the mark stays: it is written back
        assert_eq!(decoded(b"\xef\xbb\xbfa"), ("\u{feff}a".to_owned(), true));
    }

    #[test]
    fn what_is_no_utf8_becomes_a_mark_of_replacement() {
        assert_eq!(
            decoded(b"# Gr\xfc\xdfe\na: 1"),
            ("# Gr\u{fffd}\u{fffd}e\na: 1".to_owned(), false)
        );
    }

    #[test]
    fn there_is_a_largest_text() {
        assert!(read(io::repeat(b' ').take(LARGEST)).is_ok());
        let error = read(io::repeat(b' ')).unwrap_err().to_string();
        assert_eq!(error, "larger than 64 MiB");
    }
}
