//! Lines of any size, one at a time.

use std::io::{self, BufRead, Read as _};

/// What was read into the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A whole line, without its end.
    Whole,
    /// A line that no line break ends: the last one.
    Unended,
    /// One that is longer than the limit; nothing of it is kept.
    TooLong,
    /// There is none left.
    None,
}

/// Reads the next line into `buffer`, which is emptied first; one that is too long is read to its
/// end.
///
/// # Errors
///
/// Where it cannot be read.
pub(crate) fn next_line(
    reader: &mut (impl BufRead + ?Sized),
    buffer: &mut Vec<u8>,
    limit: usize,
) -> io::Result<Line> {
    let line = next_within(reader, buffer, limit)?;
    if line == Line::TooLong {
        reader.skip_until(b'\n')?;
    }
    Ok(line)
}

/// As [`next_line`], and stops within a line that is too long: its end may never come.
///
/// # Errors
///
/// Where it cannot be read.
pub(super) fn next_within(
    reader: &mut (impl BufRead + ?Sized),
    buffer: &mut Vec<u8>,
    limit: usize,
) -> io::Result<Line> {
    buffer.clear();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    (&mut *reader).take(most).read_until(b'\n', buffer)?;
    if buffer.is_empty() {
        return Ok(Line::None);
    }
    if buffer.pop_if(|last| *last == b'\n').is_some() {
        return Ok(Line::Whole);
    }
    if buffer.len() <= limit {
        return Ok(Line::Unended);
    }
    buffer.clear();
    buffer.shrink_to(limit.min(1024 * 1024));
    Ok(Line::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_too_long_or_without_an_end() {
        let text = format!("one\n\n{}\n12345678\nlast", "x".repeat(100));
        let (mut reader, mut buffer, mut read) = (text.as_bytes(), Vec::new(), Vec::new());
        loop {
            let line = next_line(&mut reader, &mut buffer, 8).unwrap();
            read.push((line, String::from_utf8(buffer.clone()).unwrap()));
            if line == Line::None {
                break;
            }
        }
        let expected = [
            (Line::Whole, "one"),
            (Line::Whole, ""),
            (Line::TooLong, ""),
            (Line::Whole, "12345678"),
            (Line::Unended, "last"),
            (Line::None, ""),
        ];
        assert_eq!(read, expected.map(|(line, text)| (line, text.to_owned())));
    }
}
