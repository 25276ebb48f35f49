//! How long certificates are still valid.

/// Seconds.
const DAY: i64 = 24 * 60 * 60;

/// Whole days from `now` to `end`, both in seconds since 1970.
pub(super) fn days_left(end: i64, now: i64) -> i64 {
    end.saturating_sub(now).div_euclid(DAY)
}

/// The time from `now` to `end` in words.
pub(super) fn time_left(end: i64, now: i64) -> String {
    match days_left(end, now) {
        0 => format!("{} h", end.saturating_sub(now) / 3600),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_the_last_one_has_hours() {
        assert_eq!(days_left(-1, 0), -1);
        assert_eq!(time_left(5 * DAY, 1), "4 days");
        assert_eq!(time_left(DAY, 0), "1 day");
        assert_eq!(time_left(7200, 0), "2 h");
    }
}
