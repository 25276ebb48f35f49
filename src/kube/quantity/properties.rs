//! Properties of quantities, against slow arithmetic on decimal text.

use std::cmp::Ordering;

use proptest::prelude::*;
use proptest::sample::select;

use super::Quantity;

/// In ascending order, from 10^-9 in steps of 1000.
const DECIMAL: &[&str] = &["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// In ascending order, from 1024 in steps of 1024.
const BINARY: &[&str] = &["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// A quantity still in parts.
#[derive(Clone, Debug)]
struct Parts {
    sign: &'static str,
    whole: String,
    fraction: Option<String>,
    suffix: String,
}

impl Parts {
    fn text(&self) -> String {
        let fraction =
            self.fraction.as_ref().map_or(String::new(), |fraction| format!(".{fraction}"));
        format!("{}{}{fraction}{}", self.sign, self.whole, self.suffix)
    }

    /// The power of ten that a decimal suffix means.
    fn power(&self) -> Option<i64> {
        let letter =
            DECIMAL.iter().zip((-9..).step_by(3)).find(|(letter, _)| **letter == self.suffix);
        letter
            .map(|(_, power)| power)
            .or_else(|| self.suffix.strip_prefix(['e', 'E'])?.parse().ok())
    }

    /// The same number with an exponent and no point, or with a longer fraction.
    fn rewritten(&self) -> Self {
        let fraction = self.fraction.clone().unwrap_or_default();
        match self.power() {
            Some(power) => Self {
                whole: format!("0{}{fraction}", self.whole),
                fraction: None,
                suffix: format!("e{}", power - i64::try_from(fraction.len()).unwrap()),
                ..self.clone()
            },
            None => Self { fraction: Some(format!("{fraction}00")), ..self.clone() },
        }
    }

    /// In billionths, rounded away from zero and capped, as a sign and digits without leading
    /// zeros.
    fn nanos(&self) -> (bool, String) {
        let fraction = self.fraction.as_deref().unwrap_or("");
        let mut digits = format!("{}{fraction}", self.whole);
        let mut power = 9 - i64::try_from(fraction.len()).unwrap();
        match self.power() {
            Some(more) => power += more,
            None => {
                let steps = BINARY.iter().position(|suffix| *suffix == self.suffix).unwrap() + 1;
                digits = (0..steps * 10).fold(digits, |digits, _| sum(&digits, &digits));
            }
        }
        let mut digits = ceiling(&digits, power).trim_start_matches('0').to_owned();
        let cap = format!("{}000000000", i64::MAX);
        if self.power().is_none() && compare(&digits, &cap).is_gt() {
            digits = cap;
        }
        (self.sign == "-" && !digits.is_empty(), digits)
    }
}

/// The sum of two numbers.
fn sum(one: &str, two: &str) -> String {
    let (mut one, mut two) = (one.bytes().rev(), two.bytes().rev());
    let mut digits = Vec::new();
    let mut carry = 0;
    loop {
        match (one.next(), two.next(), carry) {
            (None, None, 0) => break,
            (left, right, _) => {
                let total = left.map_or(0, |digit| digit - b'0')
                    + right.map_or(0, |digit| digit - b'0')
                    + carry;
                digits.push(char::from(b'0' + total % 10));
                carry = total / 10;
            }
        }
    }
    digits.iter().rev().collect()
}

/// A number times a power of ten, rounded up.
fn ceiling(digits: &str, power: i64) -> String {
    let Ok(cut) = usize::try_from(-power) else {
        return format!("{digits}{}", "0".repeat(usize::try_from(power).unwrap()));
    };
    let (kept, lost) = digits.split_at(digits.len().saturating_sub(cut));
    if lost.bytes().all(|digit| digit == b'0') { kept.to_owned() } else { sum(kept, "1") }
}

/// Compares numbers without leading zeros.
fn compare(one: &str, two: &str) -> Ordering {
    one.len().cmp(&two.len()).then_with(|| one.cmp(two))
}

fn order(one: &Parts, two: &Parts) -> Ordering {
    match (one.nanos(), two.nanos()) {
        ((false, one), (false, two)) => compare(&one, &two),
        ((true, one), (true, two)) => compare(&two, &one),
        ((one, _), (two, _)) => two.cmp(&one),
    }
}

fn digits() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[0-9]{0,4}",
        2 => "[0-9]{0,24}",
        1 => "[0-9]{0,60}",
        1 => "[09]{0,60}",
        2 => "[1-9]{1,4}0{0,40}",
    ]
}

fn suffix() -> impl Strategy<Value = String> {
    prop_oneof![
        select(DECIMAL).prop_map(str::to_owned),
        select(BINARY).prop_map(str::to_owned),
        (select(&["e", "E"][..]), -60..60).prop_map(|(letter, power)| format!("{letter}{power}")),
        (0..60).prop_map(|power| format!("e+{power:03}")),
        (-3000..3000).prop_map(|power| format!("e{power}")),
    ]
}

fn parts() -> impl Strategy<Value = Parts> {
    (select(&["", "", "+", "-"][..]), digits(), proptest::option::of(digits()), suffix())
        .prop_map(|(sign, whole, fraction, suffix)| Parts { sign, whole, fraction, suffix })
        .prop_filter("some digit", |parts| {
            !parts.whole.is_empty()
                || parts.fraction.as_ref().is_some_and(|digits| !digits.is_empty())
        })
}

/// Two quantities that are unrelated, equal, or next to each other.
fn pair() -> impl Strategy<Value = (Parts, Parts)> {
    prop_oneof![
        (parts(), parts()),
        parts().prop_map(|parts| (parts.rewritten(), parts)),
        (parts(), digits()).prop_map(|(parts, more)| {
            let fraction = format!("{}{more}", parts.fraction.clone().unwrap_or_default());
            (Parts { fraction: Some(fraction), ..parts.clone() }, parts)
        }),
    ]
}

proptest! {
    #[test]
    fn order_is_that_of_the_numbers((one, two) in pair()) {
        let (left, right) = (one.text(), two.text());
        let (left, right) = (Quantity::parse(left)?, Quantity::parse(right)?);
        prop_assert_eq!(left.cmp(&right), order(&one, &two));
        prop_assert_eq!(left == right, order(&one, &two).is_eq());
    }

    #[test]
    fn rewriting_changes_no_value(parts in parts()) {
        prop_assert_eq!(Quantity::parse(parts.text())?, Quantity::parse(parts.rewritten().text())?);
    }

    #[test]
    fn accessors_round_away_from_zero(parts in parts()) {
        let quantity = Quantity::parse(parts.text())?;
        let (negative, nanos) = parts.nanos();
        let rounded = |power| format!("{}0{}", if negative { "-" } else { "" }, ceiling(&nanos, power));
        prop_assert_eq!(quantity.is_zero(), nanos.is_empty());
        prop_assert_eq!(quantity.value(), rounded(-9).parse().ok());
        let known = format!("0{nanos}").parse::<i128>().is_ok();
        prop_assert_eq!(quantity.milli_value(), if known { rounded(-6).parse().ok() } else { None });
    }

    #[test]
    fn canonical_text_says_the_same_and_stays(parts in parts()) {
        let quantity = Quantity::parse(parts.text())?;
        let canonical = quantity.canonical();
        let again = Quantity::parse(canonical.as_str())?;
        prop_assert_eq!(again.canonical(), canonical.as_str());
        let (_, nanos) = parts.nanos();
        if DECIMAL.contains(&parts.suffix.as_str()) && !nanos.is_empty() && nanos.ends_with(&"0".repeat(30)) {
            // Beyond `E` the API server forgets the suffix, and so does the canonical text.
            let mut digits = nanos.as_str();
            while let Some(fewer) = digits.strip_suffix("000") {
                digits = fewer;
            }
            prop_assert_eq!(canonical.trim_start_matches('-'), digits);
        } else {
            prop_assert_eq!(again, quantity);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![".*", "[-+]?[0-9.]{0,40}[-+0-9eEinumkKMGTP ]{0,14}"]) {
        match Quantity::parse(text.as_str()) {
            Ok(quantity) => {
                prop_assert!(quantity.value().is_none() || quantity.milli_value().is_some());
                prop_assert!(Quantity::parse(quantity.canonical()).is_ok());
                prop_assert_eq!(quantity.cmp(&quantity.clone()), Ordering::Equal);
            }
            Err(error) => prop_assert!(error.to_string().chars().count() <= 120),
        }
    }
}
