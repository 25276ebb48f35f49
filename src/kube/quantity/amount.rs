//! The exact value of a quantity.

use std::cmp::Ordering;

use super::written::{Suffix, Written};

/// Billionths in a unit: nothing finer is kept.
pub(super) const NANOS_PER_UNIT: u32 = 1_000_000_000;
/// Billionths in a thousandth.
pub(super) const NANOS_PER_MILLI: u32 = 1_000_000;

/// Decimal digits in a billionth.
pub(super) const NANO_DIGITS: u8 = 9;

/// What a quantity with a binary suffix is capped at, in billionths: 2^63-1 units.
const BINARY_CAP: u128 = i64::MAX as u128 * NANOS_PER_UNIT as u128;

/// An exact number, with every number in one variant only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    /// In billionths.
    Nanos(i128),
    /// Beyond that, which is from 1.7e29 units on.
    Vast(Box<Vast>),
}

/// A number as `digits` times ten to the `exponent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vast {
    pub(super) negative: bool,
    /// ASCII, no zero at either end.
    pub(super) digits: Vec<u8>,
    pub(super) exponent: i64,
}

impl Amount {
    pub(super) fn of(written: &Written<'_>) -> Self {
        let unit = u128::from(NANOS_PER_UNIT);
        let (places, nanos) = match written.suffix {
            Suffix::Decimal(power) | Suffix::Exponent(power) => {
                let places = Places::of(written, power);
                let nanos = places.ceiling(unit);
                (places, nanos)
            }
            Suffix::Binary(bits) => {
                let places = Places::of(written, 0);
                let nanos = places.ceiling(unit << bits);
                (places, Some(nanos.map_or(BINARY_CAP, |nanos| nanos.min(BINARY_CAP))))
            }
        };
        match nanos.and_then(|nanos| i128::try_from(nanos).ok()) {
            Some(nanos) => {
                Self::Nanos(if written.negative { nanos.saturating_neg() } else { nanos })
            }
            None => Self::Vast(Box::new(places.vast(written.negative))),
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        matches!(self, Self::Nanos(0))
    }

    /// How many times so many billionths, rounded away from zero.
    pub(super) fn rounded(&self, nanos_each: u32) -> Option<i128> {
        match self {
            Self::Nanos(nanos) => {
                let each = i128::from(nanos_each);
                nanos.checked_div(each)?.checked_add(nanos.checked_rem(each)?.signum())
            }
            Self::Vast(_) => None,
        }
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Nanos(one), Self::Nanos(two)) => one.cmp(two),
            (Self::Vast(vast), Self::Nanos(_)) => vast.against_zero(),
            (Self::Nanos(_), Self::Vast(vast)) => vast.against_zero().reverse(),
            (Self::Vast(one), Self::Vast(two)) => match (one.negative, two.negative) {
                (false, false) => one.size().cmp(&two.size()),
                (true, true) => two.size().cmp(&one.size()),
                _ => one.against_zero().cmp(&two.against_zero()),
            },
        }
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Vast {
    fn against_zero(&self) -> Ordering {
        if self.negative { Ordering::Less } else { Ordering::Greater }
    }

    /// Where the first digit stands, and the digits. As neither end has a zero, these compare as
    /// the numbers do.
    fn size(&self) -> (i64, &[u8]) {
        (self.exponent.saturating_add(length(&self.digits)), &self.digits)
    }
}

/// The digits of a quantity to the left and the right of the point, once a power of ten has moved
/// the point.
struct Places<'t> {
    /// In two runs, because the point may have moved across digits that were written on its other
    /// side.
    units: [&'t [u8]; 2],
    zeros_after_units: u64,
    zeros_before_parts: u64,
    parts: [&'t [u8]; 2],
}

impl<'t> Places<'t> {
    fn of(written: &Written<'t>, power: i32) -> Self {
        let (whole, fraction) = (written.whole, written.fraction);
        let point = length(whole).saturating_add(power.into());
        let end = length(whole).saturating_add(length(fraction));
        let before_point = usize::try_from(point).unwrap_or(0);
        let (left, right) = split(whole, before_point);
        let (moved_left, far_right) = split(fraction, before_point.saturating_sub(whole.len()));
        Self {
            units: [left, moved_left],
            zeros_after_units: u64::try_from(point.saturating_sub(end)).unwrap_or(0),
            zeros_before_parts: u64::try_from(point.saturating_neg()).unwrap_or(0),
            parts: [right, far_right],
        }
    }

    /// The number times a factor of at most 2^90, rounded up; nothing if it leaves 128 bits.
    fn ceiling(&self, factor: u128) -> Option<u128> {
        let units = digits(self.units)
            .try_fold(0_u128, |sum, digit| sum.checked_mul(10)?.checked_add(value(digit)))?;
        let units = match (units, self.zeros_after_units) {
            (0, _) | (_, 0) => units,
            (_, zeros) => units.checked_mul(10_u128.checked_pow(u32::try_from(zeros).ok()?)?)?,
        };
        let mut part = 0;
        let mut exact = true;
        // From the last digit to the first, which needs no power of ten however many digits there
        // are: cutting off at each division cuts off the same as once at the end, and a remainder
        // anywhere is a remainder of the whole.
        for digit in digits(self.parts).rev() {
            let tenfold = value(digit).checked_mul(factor)?.checked_add(part)?;
            exact &= tenfold.is_multiple_of(10);
            part = tenfold / 10;
        }
        for _ in 0..self.zeros_before_parts {
            if part == 0 {
                break;
            }
            exact &= part.is_multiple_of(10);
            part /= 10;
        }
        units.checked_mul(factor)?.checked_add(part)?.checked_add(u128::from(!exact))
    }

    /// The same number in billionths, rounded up, as digits. Only right for a number of at least 1.
    fn vast(&self, negative: bool) -> Vast {
        let nanos = digits(self.parts).take(NANO_DIGITS.into());
        let mut kept: Vec<u8> =
            digits(self.units).chain(nanos.clone()).skip_while(|digit| *digit == b'0').collect();
        let places = u64::try_from(nanos.count()).unwrap_or(u64::MAX);
        let mut exponent = i64::try_from(self.zeros_after_units)
            .unwrap_or(i64::MAX)
            .saturating_sub_unsigned(places);
        let exact = digits(self.parts).skip(NANO_DIGITS.into()).all(|digit| digit == b'0');
        // Zeros at the end say nothing, and nines at the end overflow into the digit before them.
        let spent = if exact { b'0' } else { b'9' };
        while kept.pop_if(|digit| *digit == spent).is_some() {
            exponent = exponent.saturating_add(1);
        }
        if !exact {
            let last = kept.pop().unwrap_or(b'0');
            kept.push(last.saturating_add(1));
        }
        Vast { negative, digits: kept, exponent }
    }
}

fn digits([first, second]: [&[u8]; 2]) -> impl DoubleEndedIterator<Item = u8> + Clone {
    first.iter().chain(second).copied()
}

fn value(digit: u8) -> u128 {
    u128::from(digit.saturating_sub(b'0'))
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

fn split(digits: &[u8], at: usize) -> (&[u8], &[u8]) {
    digits.split_at_checked(at).unwrap_or((digits, &[]))
}
