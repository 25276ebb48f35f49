//! Sizes as each runtime writes them. What the runtime would refuse is `None`.

/// Bytes as HotSpot reads them after `-Xmx` (`arguments.cpp`, `parse_memory_size`): decimal digits
/// and at most one of `k`, `m`, `g`, `t`, in either case, in powers of 1024.
pub(super) fn hotspot(text: &str) -> Option<u64> {
    let (digits, unit) = split(text)?;
    let scale: u64 = match unit {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        "t" | "T" => 1 << 40,
        _ => return None,
    };
    digits.checked_mul(scale).filter(|bytes| *bytes > 0)
}

/// Bytes as Go reads them in `GOMEMLIMIT` (`runtime`, `parseByteCount`): decimal digits, and a unit
/// that ends in `B`.
pub(super) fn go(text: &str) -> Option<u64> {
    let (digits, unit) = split(text)?;
    let scale: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    digits.checked_mul(scale).filter(|bytes| i64::try_from(*bytes).is_ok())
}

/// Bytes of as many mebibytes: V8's sizes are without a unit.
pub(super) fn v8(text: &str) -> Option<u64> {
    let (digits, unit) = split(text)?;
    unit.is_empty().then_some(digits)?.checked_mul(1 << 20)
}

/// A percentage as HotSpot reads it: a number from 0 to 100, with a fraction or none.
pub(super) fn percentage(text: &str) -> Option<f64> {
    let plain = text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let share = plain.then(|| text.parse::<f64>().ok()).flatten()?;
    (0.0..=100.0).contains(&share).then_some(share)
}

/// A part of the memory as HotSpot's fractions have it, in percent: 2 is a half.
pub(super) fn fraction(text: &str) -> Option<f64> {
    let parts = text.parse::<u32>().ok().filter(|parts| *parts > 0)?;
    Some(100.0 / f64::from(parts))
}

/// Bytes as Redis reads them in `maxmemory` (`util.c`, `memtoull`): `k`, `m` and `g` in powers of
/// 1000, with a `b` in powers of 1024, in either case.
pub(super) fn redis(text: &str) -> Option<u64> {
    let (digits, unit) = split(text)?;
    let scale: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    digits.checked_mul(scale)
}

/// Bytes as Flink reads them (`MemorySize.java`), in powers of 1024.
pub(super) fn flink(text: &str) -> Option<u64> {
    let (digits, unit) = split(text)?;
    let scale: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1,
        "k" | "kb" | "kibibytes" => 1 << 10,
        "m" | "mb" | "mebibytes" => 1 << 20,
        "g" | "gb" | "gibibytes" => 1 << 30,
        "t" | "tb" | "tebibytes" => 1 << 40,
        _ => return None,
    };
    digits.checked_mul(scale)
}

/// Bytes of as many gibibytes, with a fraction of at most three digits or none.
pub(super) fn gibibytes(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 3 {
        return None;
    }
    let thousandths: u64 = format!("{whole}{fraction:0<3}").parse().ok()?;
    thousandths.checked_mul(1 << 30).map(|bytes| bytes / 1_000)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hotspot_sizes() {
        for (text, bytes) in [
            ("512m", 512 << 20),
            ("512M", 512 << 20),
            ("1g", 1 << 30),
            ("2T", 2 << 40),
            ("64K", 64 << 10),
            ("007", 7),
        ] {
            assert_eq!(hotspot(text), Some(bytes), "{text}");
        }
        for refused in [
            "",
            "m",
            "0",
            "0g",
            "512mb",
            "512Mi",
            "1.5g",
            "-1g",
            "+1g",
            "=1g",
            " 1g",
            "1 g",
            "18446744073709551615k",
            "1é",
        ] {
            assert_eq!(hotspot(refused), None, "{refused}");
        }
    }

    #[test]
    fn go_sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("7B", 7),
            ("1KiB", 1 << 10),
            ("512MiB", 512 << 20),
            ("3GiB", 3 << 30),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(go(text), Some(bytes), "{text}");
        }
        for refused in
            ["", "512Mi", "512MB", "512mib", "1.5GiB", "-1", "MiB", "1 GiB", "9223372036854775808"]
        {
            assert_eq!(go(refused), None, "{refused}");
        }
    }

    #[test]
    fn v8_sizes() {
        assert_eq!((v8("460"), v8("0")), (Some(460 << 20), Some(0)));
        for refused in ["", "460m", "4e3", "-1", "17592186044416"] {
            assert_eq!(v8(refused), None, "{refused}");
        }
    }

    #[test]
    fn percentages() {
        assert_eq!(
            [percentage("90"), percentage("75.5"), percentage("100.0"), percentage("0")],
            [90.0, 75.5, 100.0, 0.0].map(Some)
        );
        for refused in ["", "100.1", "-1", "1e1", "90%", ".5", "1.2.3", "inf", "NaN"] {
            assert_eq!(percentage(refused), None, "{refused}");
        }
    }
}
