//! The values of flags about the serving certificate.

use jiff::SignedDuration;

/// The shortest and the longest lifetime of a certificate, in seconds: what a trial needs, and ten
/// years.
const LIFETIMES: std::ops::RangeInclusive<i64> = 15..=10 * 365 * 86_400;

/// Where the serving certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TlsSource {
    /// From files.
    Files,
    /// From the service itself.
    #[value(name = "self")]
    Own,
}

/// Reads a lifetime: a number of days such as `90d`, or shorter units.
pub(super) fn lifetime(text: &str) -> Result<SignedDuration, String> {
    let days = |text: &str| {
        text.strip_suffix('d')?
            .parse::<u32>()
            .ok()
            .map(|days| SignedDuration::from_secs(i64::from(days).saturating_mul(86_400)))
    };
    let lifetime =
        days(text).or_else(|| text.parse().ok()).ok_or("a lifetime looks like 90d, 36h or 10m")?;
    if LIFETIMES.contains(&lifetime.as_secs()) {
        Ok(lifetime)
    } else {
        Err("a lifetime is from 15s to 3650d".to_owned())
    }
}
