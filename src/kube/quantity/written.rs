//! The parts of a quantity's text.

/// A quantity's text taken apart, before any arithmetic. Digits are ASCII.
pub(super) struct Written<'t> {
    pub(super) negative: bool,
    /// The digits before the point, without leading zeros.
    pub(super) whole: &'t [u8],
    /// The digits after the point, all of them.
    pub(super) fraction: &'t [u8],
    pub(super) suffix: Suffix,
}

/// What stands behind the digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suffix {
    /// `n` to `E`, or nothing: a power of ten.
    Decimal(i32),
    /// `e` or `E` and an integer: a power of ten.
    Exponent(i32),
    /// `Ki` to `Ei`: a power of two.
    Binary(u32),
}

impl<'t> Written<'t> {
    /// Takes a text apart, or nothing if it is no quantity.
    pub(super) fn scan(text: &'t str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let (negative, unsigned) = split_sign(text.as_bytes());
        let (integer, rest) = split_where(unsigned, |byte| !byte.is_ascii_digit());
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => split_where(rest, |byte| !byte.is_ascii_digit()),
            _ => (&[][..], rest),
        };
        let suffix = Suffix::scan(rest)?;
        if integer.is_empty() && fraction.is_empty() && !suffix.stands_alone() {
            return None;
        }
        let (_, whole) = split_where(integer, |byte| byte != b'0');
        Some(Self { negative, whole, fraction, suffix })
    }
}

impl Suffix {
    fn scan(suffix: &[u8]) -> Option<Self> {
        Some(match suffix {
            b"" => Self::Decimal(0),
            b"n" => Self::Decimal(-9),
            b"u" => Self::Decimal(-6),
            b"m" => Self::Decimal(-3),
            b"k" => Self::Decimal(3),
            b"M" => Self::Decimal(6),
            b"G" => Self::Decimal(9),
            b"T" => Self::Decimal(12),
            b"P" => Self::Decimal(15),
            b"E" => Self::Decimal(18),
            b"Ki" => Self::Binary(10),
            b"Mi" => Self::Binary(20),
            b"Gi" => Self::Binary(30),
            b"Ti" => Self::Binary(40),
            b"Pi" => Self::Binary(50),
            b"Ei" => Self::Binary(60),
            [b'e' | b'E', exponent @ ..] => Self::Exponent(integer(exponent)?),
            _ => return None,
        })
    }

    /// Whether a quantity may have no digit at all before it and is then zero. Go reads small
    /// numbers in one way, which takes no digits for zero, and the rest in another, which wants
    /// some.
    fn stands_alone(self) -> bool {
        match self {
            Self::Decimal(power) | Self::Exponent(power) => power >= -9,
            Self::Binary(bits) => bits <= 40,
        }
    }
}

/// An exponent; nothing if it is not all digits or outside ±`i32::MAX`.
fn integer(exponent: &[u8]) -> Option<i32> {
    let (negative, digits) = split_sign(exponent);
    if digits.is_empty() {
        return None;
    }
    let size = digits.iter().try_fold(0_i32, |size, byte| match byte {
        b'0'..=b'9' => size.checked_mul(10)?.checked_add(i32::from(byte.saturating_sub(b'0'))),
        _ => None,
    })?;
    Some(if negative { size.saturating_neg() } else { size })
}

/// Whether there is a minus, and what follows the sign.
fn split_sign(bytes: &[u8]) -> (bool, &[u8]) {
    match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    }
}

/// The bytes before and from the first one that ends the run.
fn split_where(bytes: &[u8], ends: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| ends(*byte)).unwrap_or(bytes.len());
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}
