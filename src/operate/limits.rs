//! How long things may take.

use std::time::Duration;

use jiff::SignedDuration;

/// Reads `90s`, `5m` or `1h`.
///
/// # Errors
///
/// Where it is no duration, or a negative one.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let read: Option<SignedDuration> = text.trim().parse().ok();
    read.and_then(|read| Duration::try_from(read).ok())
        .ok_or_else(|| "expected a duration such as 90s, 5m or 1h".to_owned())
}

/// A duration in words.
pub(super) fn words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => "0 s".to_owned(),
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_written_elsewhere() {
        for (text, said) in
            [("90s", "90 s"), ("5m", "5 min"), ("1h", "1 h"), ("0s", "0 s"), ("1m30s", "90 s")]
        {
            assert_eq!(words(duration(text).unwrap()), said, "{text}");
        }
        for text in ["", "5", "-5m", "soon"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
