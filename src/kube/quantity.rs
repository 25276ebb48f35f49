//! Kubernetes quantities, such as `256Mi`, `1.5` and `1e3`: the text as written and its exact
//! value.
//!
//! They mean what they mean to the API server, that is to apimachinery's `resource.Quantity` of
//! Kubernetes 1.33 to 1.37, quirks included: `+`, `.` and `Ki` are zero, `1E` is exa and `1E3` a
//! thousand, whatever is finer than a billionth is rounded up to it, and with a binary suffix
//! nothing is more than 2^63-1.
//!
//! Where Go goes wrong, this module does not follow:
//! * its 64-bit accessors wrap around (`1e20` becomes 0): here [`Quantity::value`] is `None`;
//! * an exponent outside ±2147483647 wraps around as well (`1e4294967305` is read as `1e9`), and is
//!   refused by Go since then: here it is an error, so that nobody mistakes it for more than it is;
//! * an absurd exponent within that range makes it write out every digit: here `1e999999999` takes
//!   no longer than its text is long, compares exactly, and has no `value`;
//! * some negative quantities it rounds towards zero, or worse: here always away from zero.

mod amount;
mod canonical;
mod error;
mod json;
#[cfg(test)]
mod properties;
mod written;

use std::borrow::Cow;
use std::cmp::Ordering;

use self::amount::{Amount, NANOS_PER_MILLI, NANOS_PER_UNIT};
use self::canonical::Form;
pub use self::error::QuantityError;
use self::written::Written;

/// A quantity as written, and its exact value. Compares by value, never by text.
#[derive(Clone, Debug)]
pub struct Quantity<'a> {
    text: Cow<'a, str>,
    amount: Amount,
    form: Form,
}

impl<'a> Quantity<'a> {
    /// Reads a quantity in time and space linear in its text, and without allocating below 1.7e29
    /// units.
    ///
    /// # Errors
    /// Where Go's `resource.ParseQuantity` refuses the text, blanks around it included, and where
    /// an exponent is outside ±2147483647.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, QuantityError> {
        let text = text.into();
        let Some(written) = Written::scan(&text) else {
            return Err(QuantityError::about(&text));
        };
        let (amount, form) = (Amount::of(&written), Form::of(&written));
        Ok(Self { text, amount, form })
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text that the API server stores for it: `1024Mi` becomes `1Gi`, `1.5` becomes `1500m`.
    ///
    /// It has the same value, with one exception that is the API server's own: up to Kubernetes
    /// 1.37 a multiple of 10^21 with a decimal suffix or none loses its power of ten (`1000E` is
    /// stored as `1`).
    pub fn canonical(&self) -> String {
        self.form.canonical(&self.text, &self.amount)
    }

    /// Whether it is zero, which as a limit means that there is none.
    pub fn is_zero(&self) -> bool {
        self.amount.is_zero()
    }

    /// The value in units (bytes, cores), rounded up, away from zero: Go's `Value()`. `None`
    /// outside 64 bits.
    pub fn value(&self) -> Option<i64> {
        i64::try_from(self.amount.rounded(NANOS_PER_UNIT)?).ok()
    }

    /// The value in thousandths of a unit (millicores), rounded up, away from zero: Go's
    /// `MilliValue()` without its overflow. `None` from 1.7e29 units on.
    pub fn milli_value(&self) -> Option<i128> {
        self.amount.rounded(NANOS_PER_MILLI)
    }
}

/// Zero.
impl Default for Quantity<'_> {
    fn default() -> Self {
        Self { text: Cow::Borrowed("0"), amount: Amount::Nanos(0), form: Form::AsWritten }
    }
}

impl PartialEq for Quantity<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.amount == other.amount
    }
}

impl Eq for Quantity<'_> {}

impl PartialOrd for Quantity<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.amount.cmp(&other.amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go 1.26 answers with apimachinery's `resource.Quantity`: text, canonical text,
    /// `Value()`, `MilliValue()` and whether `AsInt64()` has an answer, or `ERR`.
    const GO: &str = include_str!("../../tests/data/quantities.tsv");

    fn quantity(text: &str) -> Quantity<'_> {
        Quantity::parse(text).unwrap()
    }

    /// What is left of a number in 64 bits when it overflows in Go: the low bits, or nothing.
    fn wraps_to(exact: i128, go: &str) -> bool {
        let low_bits = exact as i64;
        go == "0" || go == low_bits.to_string()
    }

    #[test]
    fn agrees_with_go() {
        // AsInt64() has no answer for these either, for no other reason than how Go read them.
        let mut whole_all_the_same = Vec::new();
        let mut beyond_64_bits = Vec::new();
        let mut rows = 0;
        for row in GO.lines().skip(1) {
            rows += 1;
            let columns: Vec<&str> = row.split('\t').collect();
            let [text, canonical, value, milli, exact] = columns[..] else {
                assert_eq!(columns[1..], ["ERR"], "{row}");
                assert!(Quantity::parse(columns[0]).is_err(), "{row}");
                continue;
            };
            let quantity = quantity(text);
            assert_eq!(
                (quantity.text(), quantity.canonical().as_str()),
                (text, canonical),
                "{row}"
            );
            match quantity.value() {
                Some(units) => assert_eq!(units.to_string(), value, "{row}"),
                None => {
                    assert!(
                        wraps_to(quantity.amount.rounded(NANOS_PER_UNIT).unwrap(), value),
                        "{row}"
                    );
                    beyond_64_bits.push(text);
                }
            }
            let thousandths = quantity.milli_value().unwrap();
            match i64::try_from(thousandths) {
                Ok(thousandths) => assert_eq!(thousandths.to_string(), milli, "{row}"),
                Err(_) => assert!(wraps_to(thousandths, milli), "{row}"),
            }
            assert_eq!(
                quantity.is_zero(),
                value == "0" && milli == "0" && canonical == "0",
                "{row}"
            );
            let whole =
                quantity.value().is_some_and(|units| i128::from(units) * 1000 == thousandths);
            match exact {
                "true" => assert!(whole, "{row}"),
                _ if whole => whole_all_the_same.push(text),
                _ => {}
            }
        }
        assert_eq!(rows, 70);
        assert_eq!(beyond_64_bits, ["9223372036854775808", "100000000000000000000000", "1e20"]);
        let capped = ["8Ei", "9223372036854775807", "9223372036854775808Ki"];
        assert_eq!(
            whole_all_the_same,
            [&["1.5Gi", "0.5Ki", "1Ei"][..], &capped, &["1000m"]].concat()
        );
    }

    #[test]
    fn a_binary_suffix_caps_the_amount_before_its_sign() {
        for (text, units) in [
            ("308.5Ei", i64::MAX),
            ("-308.5Ei", -i64::MAX),
            ("-8Ei", -i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(quantity(text).value(), Some(units), "{text}");
        }
    }

    #[test]
    fn digits_may_be_missing_where_go_allows_it() {
        for zero in ["+", "-", ".", "-.", "k", "E", "n", "Ki", "Ti", ".Ti", "e5", "E-9"] {
            assert!(quantity(zero).is_zero(), "{zero}");
        }
        for refused in ["", "Pi", "Ei", "-.Pi", "e-10", "e", "E+", "e5.", "..", "1..", "i"] {
            assert!(Quantity::parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn compares_by_value() {
        let ascending: [&[&str]; 23] = [
            &["-1e2147483647"],
            &["-1e40", "-10e39"],
            &["-1e30"],
            &["-8Ei", "-9223372036854775807Ki"],
            &["-1"],
            &["-1n", "-0.1n"],
            &["0", "-0", "+", ".", "0Ki", "0.0000000000000", "0e2147483647", "-0e-2147483647"],
            &[
                "1n",
                "0.0000000001",
                "1e-2147483647",
                "0.00000000000000000000000000000000000000000000000000000001Ki",
            ],
            &["1m", "1e-3", "0.001"],
            &["999999999n"],
            &["1", "1000m", "0.9999999991", "+1", "0001.000", "1."],
            &["1000M", "1G", "1e9", "1000000000"],
            &["1Gi", "1024Mi", "1073741824", "1073741824000m"],
            &["9223372036854775807", "8Ei", "1000000000000000000000000000000000000000000000Ki"],
            &["9223372036854775808"],
            &["1e20", "100E"],
            &["170141183460469231731687303715.884105727"],
            &[
                "170141183460469231731687303715.884105728",
                "170141183460469231731687303715.8841057271",
            ],
            &["1e30", "999999999999999999999999999999.9999999991", "1000000000000E"],
            &[
                "1000000000000000000000000000000.000000001",
                "1000000000000000000000000000000.00000000000000001",
            ],
            &[
                "1e40",
                "10e39",
                "0.00000000000000000001e60",
                "10000000000000000000000000000000000000000",
            ],
            &["1.1e40"],
            &["1e999999999", "0.1e1000000000"],
        ];
        for (rank, equals) in ascending.iter().enumerate() {
            for (other_rank, others) in ascending.iter().enumerate() {
                for (one, two) in
                    equals.iter().flat_map(|one| others.iter().map(move |two| (one, two)))
                {
                    let (left, right) = (quantity(one), quantity(two));
                    assert_eq!(left.cmp(&right), rank.cmp(&other_rank), "{one} and {two}");
                    assert_eq!(left == right, rank == other_rank, "{one} and {two}");
                }
            }
        }
    }

    #[test]
    fn accessors_have_no_answer_rather_than_a_wrong_one() {
        for (text, value, milli) in [
            ("9223372036854775807", Some(i64::MAX), Some(9_223_372_036_854_775_807_000)),
            ("9223372036854775806.1", Some(i64::MAX), Some(9_223_372_036_854_775_806_100)),
            ("9223372036854775807.1", None, Some(9_223_372_036_854_775_807_100)),
            ("-9223372036854775808", Some(i64::MIN), Some(-9_223_372_036_854_775_808_000)),
            ("18446744073709551617", None, Some(18_446_744_073_709_551_617_000)),
            ("-1.5", Some(-2), Some(-1500)),
            ("-0.1m", Some(-1), Some(-1)),
            ("1e30", None, None),
            ("1e999999999", None, None),
        ] {
            assert_eq!(
                (quantity(text).value(), quantity(text).milli_value()),
                (value, milli),
                "{text}"
            );
        }
    }

    #[test]
    fn exponents_outside_32_bits_are_refused() {
        for refused in [
            "1e2147483648",
            "1e-2147483648",
            "1e4294967305",
            "1e30000000000",
            "0e99999999999999999999",
        ] {
            assert!(Quantity::parse(refused).is_err(), "{refused}");
        }
        assert_eq!(quantity("1e00000000000000000000003").value(), Some(1000));
    }

    #[test]
    fn endless_digits_are_exact() {
        let nines = "9".repeat(100_000);
        let (shorter, longer) = (nines.get(1..).unwrap(), format!("{nines}.9999999991"));
        assert!(quantity(shorter) < quantity(&nines));
        assert_eq!(quantity(&longer), quantity("1e100000"));
        assert_eq!(quantity(&longer).canonical(), "10");
        assert_eq!(quantity(&format!("0.{nines}")).value(), Some(1));
        assert_eq!(quantity(&format!("{nines}Ei")).value(), Some(i64::MAX));
        assert_eq!(quantity(&format!("0.{nines}Ki")), quantity("1Ki"));
        assert_eq!(quantity(&format!("{nines}e-99999")), quantity("10"));
    }
}
