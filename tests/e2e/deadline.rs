//! Waiting for what will happen, and for no longer than that.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far above what anything here takes, on a machine that is busy with other work too: reaching it
/// is a failure, not a measurement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// Between two looks at something that has not happened yet: at first, and at most. A look may cost
/// a process or the reading of a long log, so it is repeated less and less often.
const PACE: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(400));

/// What `look` finds as soon as it finds something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    let (mut pace, slowest) = PACE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited {} s for this: {what}", PATIENCE.as_secs());
        sleep(pace);
        pace = slowest.min(pace * 2);
    }
}
