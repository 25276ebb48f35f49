//! Quantities beside big integers: the value of what is written, in billionths, rounded away from zero as the API
//! server rounds, and capped where a binary suffix caps it.
#![no_main]

use num_bigint::BigInt;
use restraint::kube::quantity::Quantity;

/// Above this the reference would write out digits for ever.
const EXPONENT: i64 = 400;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    restraint_fuzz::run("quantity", data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(nanos) = reference(text) {
        match Quantity::parse(text) {
            Ok(quantity) => compare(text, &quantity, &nanos),
            Err(error) => panic!("{text}: {error}"),
        }
    }
});

fn compare(text: &str, quantity: &Quantity<'_>, nanos: &BigInt) {
    let value = away(nanos, &BigInt::from(1_000_000_000));
    assert_eq!(quantity.value(), i64::try_from(&value).ok(), "{text}");
    if let Some(milli) = quantity.milli_value() {
        assert_eq!(BigInt::from(milli), away(nanos, &BigInt::from(1_000_000)), "{text}");
    }
}

/// `amount / divisor`, rounded away from zero.
fn away(amount: &BigInt, divisor: &BigInt) -> BigInt {
    let (quotient, rest) = (amount / divisor, amount % divisor);
    match rest.sign() {
        num_bigint::Sign::NoSign => quotient,
        num_bigint::Sign::Plus => quotient + 1,
        num_bigint::Sign::Minus => quotient - 1,
    }
}

/// The billionths that `text` stands for; `None` where it is none of the plain forms, which are left uncompared.
fn reference(text: &str) -> Option<BigInt> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = rest.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || number.len() > 200 {
        return None;
    }
    let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
    let mut numerator: BigInt = digits * BigInt::from(1_000_000_000);
    let mut denominator = BigInt::from(10).pow(u32::try_from(fraction.len()).ok()?);
    let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
        .iter()
        .zip(1u32..)
        .find(|(known, _)| **known == suffix);
    let decimal = [
        ("n", -9),
        ("u", -6),
        ("m", -3),
        ("", 0),
        ("k", 3),
        ("M", 6),
        ("G", 9),
        ("T", 12),
        ("P", 15),
        ("E", 18),
    ];
    if let Some((_, power)) = binary {
        numerator *= BigInt::from(1024).pow(power);
    } else {
        let exponent = match decimal.iter().find(|(known, _)| *known == suffix) {
            Some((_, exponent)) => *exponent,
            None => suffix
                .strip_prefix(['e', 'E'])?
                .parse()
                .ok()
                .filter(|exponent: &i64| exponent.abs() <= EXPONENT)?,
        };
        let power = BigInt::from(10).pow(u32::try_from(exponent.abs()).ok()?);
        if exponent < 0 { denominator *= power } else { numerator *= power }
    }
    let nanos = away(&numerator, &denominator);
    let most = BigInt::from(i64::MAX) * BigInt::from(1_000_000_000);
    // the sign comes after the cap
    Some(sign * if binary.is_some() && nanos > most { most } else { nanos })
}
