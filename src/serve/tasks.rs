//! What runs beside the reviews: a panic there is a bug, and must not end in silence what is
//! followed for ever.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::error;

/// How long to wait after a panic before it begins anew, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Runs what `start` starts beside everything else. Where it panics, it is started again after a
/// pause, which becomes longer while it does nothing but panic. Needs a runtime.
pub(super) fn supervise<F>(task: &'static str, start: impl FnMut() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(restarted(task, PAUSES, start));
}

async fn restarted<F: Future<Output = ()>>(
    task: &'static str,
    (shortest, longest): (Duration, Duration),
    mut start: impl FnMut() -> F,
) {
    let mut pause = shortest;
    loop {
        let begun = Instant::now();
        if AssertUnwindSafe(start()).catch_unwind().await.is_ok() {
            return;
        }
        if begun.elapsed() > longest {
            pause = shortest;
        }
        error!(
            task,
            "a panic, which is a bug in restraint; what was known stays, and it begins anew in {pause:?}"
        );
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(longest);
    }
}

/// What `work` returns, which may block a thread. A panic goes on in the caller; `None` where the
/// runtime stops.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    match spawn_blocking(work).await {
        Ok(result) => Some(result),
        Err(error) => error.try_into_panic().ok().map(|panic| resume_unwind(panic)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    #[tokio::test]
    async fn what_panics_begins_anew_until_it_ends() {
        let starts = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&starts);
        let start = move || {
            let count = Arc::clone(&count);
            async move {
                let started = count.fetch_add(1, Relaxed);
                tokio::task::yield_now().await;
                // one panic of its own, one on a thread that may block
                assert!(started != 0, "on purpose");
                blocking(move || assert!(started != 1, "on purpose")).await;
            }
        };
        restarted("test", (Duration::ZERO, Duration::ZERO), start).await;
        assert_eq!(starts.load(Relaxed), 3);
    }

    #[tokio::test]
    async fn blocking_work_has_a_result() {
        assert_eq!(blocking(|| 7).await, Some(7));
    }
}
