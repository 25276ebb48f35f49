//! How many events are written at most: whoever floods the service with reviews does not flood the
//! API server.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::occurrence::{Occurrence, Reason};

/// How many events there are at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// Events at once after a silence.
    burst: u32,
    /// The time after which one more event may be written.
    refill: Duration,
    /// How long an object and a reason stay silent after an event about them.
    silence: Duration,
}

/// Of pods: one by one, by whoever resizes and approves.
pub(super) const OF_PODS: Rate =
    Rate { burst: 50, refill: Duration::from_millis(100), silence: Duration::from_secs(10) };

/// Of configuration: one change has many, and controllers change it again and again.
pub(super) const OF_CONFIGURATION: Rate =
    Rate { burst: 50, refill: Duration::from_secs(2), silence: Duration::from_secs(20) };

/// A bucket of tokens for all events, and a silence for each object and reason.
#[derive(Debug)]
pub(super) struct Limit {
    rate: Rate,
    tokens: u32,
    /// When the tokens were last counted.
    counted: Instant,
    /// When an object and a reason were last told. No more of them than tokens in a silence.
    told: HashMap<(String, Reason), Instant>,
}

impl Limit {
    pub(super) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, tokens: rate.burst, counted: now, told: HashMap::new() }
    }

    /// Whether this may be written now, and if so, counts it.
    pub(super) fn admits(&mut self, now: Instant, occurrence: &Occurrence) -> bool {
        let silence = self.rate.silence;
        self.told.retain(|_, told| now.saturating_duration_since(*told) < silence);
        self.refill(now);
        let key = (occurrence.place(), occurrence.reason);
        if self.told.contains_key(&key) {
            return false;
        }
        let Some(left) = self.tokens.checked_sub(1) else { return false };
        self.tokens = left;
        self.told.insert(key, now);
        true
    }

    fn refill(&mut self, now: Instant) {
        let Rate { burst, refill, .. } = self.rate;
        let passed = now
            .saturating_duration_since(self.counted)
            .as_millis()
            .checked_div(refill.as_millis())
            .unwrap_or_default();
        let earned = u32::try_from(passed).unwrap_or(burst).min(burst);
        self.tokens = self.tokens.saturating_add(earned).min(burst);
        // a part of a token is not lost, unless the bucket is full
        self.counted = if self.tokens == burst {
            self.counted.max(now)
        } else {
            self.counted.checked_add(refill.saturating_mul(earned)).unwrap_or(now)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(uid: &str, reason: Reason) -> Occurrence {
        Occurrence::to_pod(uid, reason, "")
    }

    #[test]
    fn a_burst_passes_and_then_ten_a_second() {
        let start = Instant::now();
        let mut limit = Limit::new(OF_PODS, start);
        let mut flood = |now: Instant, count: u32| {
            (0..count)
                .filter(|each| {
                    limit.admits(now, &about(&format!("{each} at {now:?}"), Reason::ResizeDenied))
                })
                .count()
        };
        assert_eq!(flood(start, 1000), 50);
        assert_eq!(flood(start + Duration::from_millis(99), 10), 0);
        assert_eq!(flood(start + Duration::from_millis(150), 10), 1);
        assert_eq!(flood(start + Duration::from_millis(200), 10), 1, "the half token was kept");
        assert_eq!(flood(start + Duration::from_millis(1200), 1000), 10);
        assert_eq!(flood(start, 10), 0, "time that goes backwards earns nothing");
        assert_eq!(
            flood(start + Duration::from_secs(86_400), 1000),
            50,
            "no more than a burst is saved up"
        );
    }

    #[test]
    fn a_pod_and_a_reason_are_told_once_in_a_while() {
        let start = Instant::now();
        let mut limit = Limit::new(OF_PODS, start);
        assert!(limit.admits(start, &about("one", Reason::ResizeDenied)));
        assert!(limit.admits(start, &about("one", Reason::ApprovalGranted)), "another reason");
        assert!(limit.admits(start, &about("two", Reason::ResizeDenied)), "another pod");
        for _ in 0..100 {
            assert!(
                !limit.admits(
                    start + Duration::from_millis(9_999),
                    &about("one", Reason::ResizeDenied)
                )
            );
        }
        assert!(limit.admits(start + OF_PODS.silence, &about("one", Reason::ResizeDenied)));
        assert_eq!(limit.told.len(), 1, "what is over is forgotten");
    }
}
