//! The text that the API server stores for a quantity.

use super::amount::{Amount, NANO_DIGITS, NANOS_PER_UNIT};
use super::written::{Suffix, Written};

/// How a quantity is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// In the text it came with: Go keeps a short one that cannot get shorter, with its sign,
    /// leading zeros and all.
    AsWritten,
    /// With one of `n` to `E`, or none.
    Decimal,
    /// With `e` and an exponent.
    Exponent,
    /// With one of `Ki` to `Ei` where that is exact.
    Binary,
}

/// The most digits that Go reads in the way that keeps the text.
const KEPT_DIGITS: usize = 18;
/// Billionths in a unit.
const UNIT: i128 = NANOS_PER_UNIT as i128;
/// The power of ten of what nothing is finer than.
const FINEST: i64 = -(NANO_DIGITS as i64);
/// The largest exponent that is a multiple of three and can be read again.
const LARGEST_EXPONENT: i64 = i32::MAX as i64 / 3 * 3;

impl Form {
    pub(super) fn of(written: &Written<'_>) -> Self {
        let (kept, other) = match written.suffix {
            Suffix::Decimal(power) => (keeps_decimal(written, power), Self::Decimal),
            Suffix::Exponent(power) => (keeps_decimal(written, power), Self::Exponent),
            Suffix::Binary(bits) => (keeps_binary(written, bits), Self::Binary),
        };
        if kept { Self::AsWritten } else { other }
    }

    /// The canonical text of an amount that was written as `text`.
    pub(super) fn canonical(self, text: &str, amount: &Amount) -> String {
        match (self, amount) {
            (Self::AsWritten, _) => text.to_owned(),
            (_, Amount::Nanos(0)) => "0".to_owned(),
            (Self::Binary, Amount::Nanos(nanos)) if suits_binary(*nanos) => binary(*nanos),
            (form, Amount::Nanos(nanos)) => {
                form.decimal(nanos.is_negative(), nanos.unsigned_abs().to_string(), FINEST)
            }
            (form, Amount::Vast(vast)) => {
                let digits = vast.digits.iter().copied().map(char::from).collect();
                form.decimal(vast.negative, digits, vast.exponent)
            }
        }
    }

    fn decimal(self, negative: bool, mut digits: String, exponent: i64) -> String {
        let significant = digits.trim_end_matches('0').len();
        let stripped = i64::try_from(digits.len().saturating_sub(significant)).unwrap_or(i64::MAX);
        let exponent = exponent.saturating_add(stripped);
        let power = exponent.saturating_sub(exponent.rem_euclid(3)).min(LARGEST_EXPONENT);
        let zeros = usize::try_from(exponent.saturating_sub(power)).unwrap_or(0);
        digits.truncate(significant);
        digits.push_str(&"0".repeat(zeros));
        let sign = if negative { "-" } else { "" };
        match self {
            Self::Exponent if power != 0 => format!("{sign}{digits}e{power}"),
            _ => format!("{sign}{digits}{}", decimal_suffix(power)),
        }
    }
}

fn keeps_decimal(written: &Written<'_>, power: i32) -> bool {
    let (whole, fraction) = (written.whole, written.fraction);
    let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let scale = i64::from(power).saturating_sub(places);
    let last_digits = fraction.iter().rev().chain(whole.iter().rev()).take(3);
    !whole.is_empty()
        && whole.len().saturating_add(fraction.len()) <= KEPT_DIGITS
        && scale >= FINEST
        && scale % 3 == 0
        && last_digits.filter(|digit| **digit == b'0').count() < 3
}

fn keeps_binary(written: &Written<'_>, bits: u32) -> bool {
    let most_digits = match bits {
        10 => 11,
        20 => 8,
        30 => 5,
        40 => 2,
        _ => 0,
    };
    written.fraction.is_empty()
        && written.whole.len() <= most_digits
        && written.whole.iter().fold(0_u8, |low, digit| {
            low.wrapping_mul(10).wrapping_add(digit.saturating_sub(b'0')) % 8
        }) != 0
}

/// Whether an amount is a whole number and large enough for a binary suffix, which is the only kind
/// that has one.
fn suits_binary(nanos: i128) -> bool {
    nanos % UNIT == 0 && (nanos / UNIT).unsigned_abs() >= 1024
}

/// No suffix goes beyond `E`, and servers up to Kubernetes 1.37 then write none.
fn decimal_suffix(power: i64) -> &'static str {
    match power {
        -9 => "n",
        -6 => "u",
        -3 => "m",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => "",
    }
}

fn binary(nanos: i128) -> String {
    let mut steps = nanos / UNIT;
    let mut suffix = "";
    for next in ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] {
        if steps % 1024 != 0 {
            break;
        }
        steps /= 1024;
        suffix = next;
    }
    format!("{steps}{suffix}")
}

#[cfg(test)]
mod tests {
    use crate::kube::quantity::Quantity;

    #[test]
    fn canonical_text_is_what_go_stores() {
        for (text, stored) in [
            ("+", "0"),
            ("n", "0"),
            ("Ti", "0"),
            ("0Pi", "0"),
            ("-0", "0"),
            ("0e2147483647", "0"),
            ("1.500", "1.500"),
            ("1.5000", "1500m"),
            ("0001", "0001"),
            ("0001Mi", "0001Mi"),
            ("+1000Mi", "1000Mi"),
            ("+1025Ki", "+1025Ki"),
            ("5.Ki", "5.Ki"),
            ("+123456789012345678", "+123456789012345678"),
            ("+1234567890123456789", "1234567890123456789"),
            ("+10000000001Ki", "+10000000001Ki"),
            ("+100000000001Ki", "100000000001Ki"),
            ("+10000001Mi", "+10000001Mi"),
            ("+100000001Mi", "100000001Mi"),
            ("+10001Gi", "+10001Gi"),
            ("+100001Gi", "100001Gi"),
            ("+11Ti", "+11Ti"),
            ("+111Ti", "111Ti"),
            ("+1Pi", "1Pi"),
            ("+1.000000001", "+1.000000001"),
            ("+1.000000000001", "1000000001n"),
            ("1.0Ki", "1Ki"),
            ("-1.0Ki", "-1Ki"),
            ("0.9990234375Ki", "1023"),
            ("0.9765625Ki", "1k"),
            ("1000.0000", "1k"),
            ("1000000.0000M", "1T"),
            ("1000.0000T", "1P"),
            ("1000.0000P", "1E"),
            ("1e0", "1e0"),
            ("1e-0", "1e-0"),
            ("1E00003", "1E00003"),
            ("1e-10", "1e-9"),
            ("1e30", "1e30"),
            ("1e31", "10e30"),
            ("1000e21", "1e24"),
            ("1.000Gi", "1Gi"),
            ("-1.5Gi", "-1536Mi"),
            ("-8Ei", "-9223372036854775807"),
            ("1023.5Ki", "1048064"),
            ("1.1Ki", "1126400m"),
            ("0.0000000001Ki", "103n"),
            ("2048Pi", "2Ei"),
            ("9999999999999999999999999999.5", "9999999999999999999999999999500m"),
            ("1000E", "1"),
            ("1234567E", "1234567E"),
            ("1e2147483647", "10e2147483646"),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().canonical(), stored, "{text}");
        }
        // here Go's exponent wraps around, and it stores next to nothing: 1e-2147483646
        assert_eq!(Quantity::parse("1000e2147483647").unwrap().canonical(), "10000e2147483646");
    }
}
