//! Where JSON values end, found many bytes at a time.
//!
//! Most of a review is never read: managed fields, status, what controllers note about a pod. What
//! is skipped is looked at for quotes, escapes and brackets alone.

use wide::u8x16;

/// How many bytes are looked at together: as many as a mask has bits.
const BLOCK: usize = 64;

/// The index after the closing bracket of the object or list whose opening one stands before
/// `start`.
pub(super) fn end_of_nested(bytes: &[u8], start: usize) -> Option<usize> {
    let mut nested = Nested { texts: Texts::default(), depth: 1 };
    first(bytes, start, |block| nested.end(block))
}

/// The index after the closing quote of the text whose opening quote stands before `start`.
pub(super) fn end_of_text(bytes: &[u8], start: usize) -> Option<usize> {
    let mut escapes = Escapes::default();
    first(bytes, start, |block| {
        let quotes = block.mask(b'"') & !escapes.escaped(block);
        (quotes != 0).then(|| quotes.trailing_zeros())
    })
}

/// The index after what `find` finds in the first block where it finds anything; a block ends in
/// blanks where the bytes do.
fn first(bytes: &[u8], start: usize, mut find: impl FnMut(&Block) -> Option<u32>) -> Option<usize> {
    let (blocks, rest) = bytes.get(start..)?.as_chunks::<BLOCK>();
    let mut passed = start;
    for block in blocks {
        if let Some(found) = find(&Block::of(block)) {
            return after(passed, found);
        }
        passed = passed.saturating_add(BLOCK);
    }
    let mut last = [b' '; BLOCK];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    find(&Block::of(&last)).and_then(|found| after(passed, found))
}

fn after(passed: usize, found: u32) -> Option<usize> {
    passed.checked_add(usize::try_from(found).ok()?)?.checked_add(1)
}

/// What ends plain text, or makes it other than plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The closing quote, at this index.
    Quote(usize),
    /// A backslash.
    Escape,
    /// A control character, which JSON has as an escape only, or the end of the input.
    Fault,
}

/// How long the text that begins with `bytes` is, where it ends among them and is plain.
#[inline]
pub(super) fn length_of_short(bytes: &[u8; 16]) -> Option<usize> {
    let index = special(bytes).trailing_zeros() as usize;
    (bytes.get(index) == Some(&b'"')).then_some(index)
}

/// A bit for each quote, backslash and control character, the first byte lowest.
#[inline]
fn special(bytes: &[u8; 16]) -> u32 {
    let sixteen = u8x16::from(*bytes);
    let control = sixteen.min(u8x16::splat(0x1f)).simd_eq(sixteen);
    (sixteen.simd_eq(u8x16::splat(b'"')) | sixteen.simd_eq(u8x16::splat(b'\\')) | control)
        .to_bitmask()
}

/// Where the text that begins at `start` stops being plain.
pub(super) fn end_of_plain(bytes: &[u8], start: usize) -> Stop {
    let Some(at) = next_special(bytes, start) else { return Stop::Fault };
    match bytes.get(at) {
        Some(b'"') => Stop::Quote(at),
        Some(b'\\') => Stop::Escape,
        _ => Stop::Fault,
    }
}

/// The index of the first quote, backslash or control character from `start` on.
pub(super) fn next_special(bytes: &[u8], start: usize) -> Option<usize> {
    let (chunks, rest) = bytes.get(start..)?.as_chunks::<16>();
    let mut passed = start;
    for chunk in chunks {
        let mask = special(chunk);
        if mask != 0 {
            return passed.checked_add(mask.trailing_zeros() as usize);
        }
        passed = passed.saturating_add(16);
    }
    let index = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..=0x1f))?;
    passed.checked_add(index)
}

/// The bytes of a block, 16 in a register.
struct Block([u8x16; 4]);

impl Block {
    fn of(bytes: &[u8; BLOCK]) -> Self {
        let mut sixteens = [u8x16::ZERO; 4];
        sixteens
            .iter_mut()
            .zip(bytes.as_chunks::<16>().0)
            .for_each(|(register, chunk)| *register = u8x16::from(*chunk));
        Self(sixteens)
    }

    /// A bit for each byte that is `byte`, the first byte lowest.
    fn mask(&self, byte: u8) -> u64 {
        self.masked(|sixteen| sixteen.simd_eq(u8x16::splat(byte)))
    }

    /// A bit for each byte that is `byte` or differs from it in bit 0x20 alone: `{` and `[`, `}`
    /// and `]`.
    fn mask_either(&self, byte: u8) -> u64 {
        self.masked(|sixteen| (sixteen | u8x16::splat(0x20)).simd_eq(u8x16::splat(byte)))
    }

    fn masked(&self, test: impl Fn(u8x16) -> u8x16) -> u64 {
        let [a, b, c, d] = self.0.map(|sixteen| u64::from(test(sixteen).to_bitmask()));
        a | b << 16 | c << 32 | d << 48
    }
}

/// Every second bit, the lowest one included.
const EVEN: u64 = 0x5555_5555_5555_5555;

/// Which bytes are escaped, from block to block.
#[derive(Default)]
struct Escapes {
    /// 1 where the first byte of the next block is escaped.
    carried: u64,
}

impl Escapes {
    /// A bit for each byte that a backslash stands before which is not escaped itself.
    fn escaped(&mut self, block: &Block) -> u64 {
        let backslashes = block.mask(b'\\');
        if backslashes == 0 {
            return std::mem::take(&mut self.carried);
        }
        // the backslashes that count are the first, third, fifth of each run. Added to the run's
        // first bit, a carry runs to the bit after the run; whether that is an even or an odd one
        // says whether the run's length is
        let backslashes = backslashes & !self.carried;
        let follows = backslashes << 1 | self.carried;
        let (runs_from_odd, carried) =
            (backslashes & !EVEN & !follows).overflowing_add(backslashes);
        self.carried = u64::from(carried);
        (EVEN ^ runs_from_odd << 1) & follows
    }
}

/// Which bytes are text, from block to block.
#[derive(Default)]
struct Texts {
    escapes: Escapes,
    /// All ones where the next block begins within text.
    carried: u64,
}

impl Texts {
    /// A bit for each byte within text, its opening quote included.
    fn within(&mut self, block: &Block) -> u64 {
        let quotes = block.mask(b'"') & !self.escapes.escaped(block);
        // each bit becomes the parity of the bits up to it
        let within =
            [1u32, 2, 4, 8, 16, 32].into_iter().fold(quotes, |bits, shift| bits ^ bits << shift)
                ^ self.carried;
        self.carried = if within >> 63 == 1 { u64::MAX } else { 0 };
        within
    }
}

/// How deep the brackets are.
struct Nested {
    texts: Texts,
    depth: u32,
}

impl Nested {
    /// The bit of the bracket that closes the outermost, where it is in this block.
    fn end(&mut self, block: &Block) -> Option<u32> {
        let outside = !self.texts.within(block);
        let opening = block.mask_either(b'{') & outside;
        let mut closing = block.mask_either(b'}') & outside;
        // all that close come after all that open, or before: in either order not the outermost
        if closing.count_ones() < self.depth {
            self.depth = self
                .depth
                .saturating_add(opening.count_ones())
                .saturating_sub(closing.count_ones());
            return None;
        }
        let mut closed = 0u32;
        while closing != 0 {
            let bracket = closing & closing.wrapping_neg();
            closed = closed.saturating_add(1);
            let opened = (opening & bracket.wrapping_sub(1)).count_ones();
            if self.depth.saturating_add(opened) == closed {
                return Some(bracket.trailing_zeros());
            }
            closing ^= bracket;
        }
        self.depth = self.depth.saturating_add(opening.count_ones()).saturating_sub(closed);
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Byte by byte.
    fn slow_end(bytes: &[u8], start: usize, mut depth: i64) -> Option<usize> {
        let (mut text, mut escaped) = (depth == 0, false);
        for (index, byte) in bytes.iter().enumerate().skip(start) {
            let is_escaped = escaped;
            escaped = *byte == b'\\' && !is_escaped;
            match byte {
                b'"' if !is_escaped => {
                    text = !text;
                    if depth == 0 {
                        return Some(index + 1);
                    }
                }
                b'{' | b'[' if !text => depth += 1,
                b'}' | b']' if !text => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(index + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn slow_plain(bytes: &[u8], start: usize) -> Stop {
        let at = (start..bytes.len()).find(|at| matches!(bytes[*at], b'"' | b'\\' | 0..=0x1f));
        match at.map(|at| (bytes[at], at)) {
            Some((b'"', at)) => Stop::Quote(at),
            Some((b'\\', _)) => Stop::Escape,
            _ => Stop::Fault,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn ends_are_those_found_byte_by_byte(pieces in "([\\[\\]{}\"\\\\x ]|\\\\\\\\|\\PC|\u{1}|[a-z:,]{1,40}){0,120}", start in 0usize..70) {
            let bytes = pieces.as_bytes();
            prop_assert_eq!(end_of_nested(bytes, start), slow_end(bytes, start, 1));
            prop_assert_eq!(end_of_text(bytes, start), slow_end(bytes, start, 0));
            prop_assert_eq!(end_of_plain(bytes, start), slow_plain(bytes, start));
        }
    }

    #[test]
    fn a_bracket_or_quote_at_every_place_is_found() {
        for blanks in 0..200 {
            let padded = format!("{}}}]", " ".repeat(blanks));
            assert_eq!(end_of_nested(padded.as_bytes(), 0), Some(blanks + 1));
            let escaped = format!("{}\\\"\"", "\\\\".repeat(blanks));
            assert_eq!(end_of_text(escaped.as_bytes(), 0), Some(2 * blanks + 3));
            let plain = format!("{}\"", "x".repeat(blanks));
            assert_eq!(end_of_plain(plain.as_bytes(), 0), Stop::Quote(blanks));
        }
    }
}
