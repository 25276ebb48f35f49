//! Waiting for what will happen, and for no longer than that.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far above what anything here takes: reaching it is a failure, not a measurement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at something that has not happened yet.
const PACE: Duration = Duration::from_millis(25);

/// What `look` finds as soon as it finds something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited {} s for this: {what}", PATIENCE.as_secs());
        sleep(PACE);
    }
}
