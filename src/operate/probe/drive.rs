//! Requests that leave on schedule, whatever becomes of those before them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::failure::Failure;
use super::tally::Tally;

/// One request, and what became of it.
pub(super) type Ask = Box<dyn Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// What a probe keeps while it runs.
#[derive(Debug)]
pub(super) struct Running {
    /// When the run began.
    start: Instant,
    tally: Mutex<Tally>,
}

/// When requests leave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// From one to the next.
    pub(super) interval: Duration,
    /// The most that wait for an answer at a time.
    pub(super) most_under_way: usize,
}

impl Running {
    pub(super) fn new(start: Instant, tally: Tally) -> Self {
        Self { start, tally: Mutex::new(tally) }
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long after the start `time` is.
    pub(super) fn since_start(&self, time: Instant) -> Duration {
        time.saturating_duration_since(self.start)
    }
}

/// Sends requests until `stop` says so, then waits for those that are under way. Calls `ended`
/// whenever one ended.
///
/// A request is due an interval after the one before was due, not after it left or was answered.
/// Where this falls behind, what is overdue leaves at once, and its latency counts from when it was
/// due: a stall of the service or of this process shows, and is not left out.
pub(super) async fn drive<E>(
    probe: Arc<Running>,
    schedule: Schedule,
    mut stop: watch::Receiver<bool>,
    ask: Ask,
    ended: E,
) where
    E: Fn() + Clone + Send + 'static,
{
    let mut under_way = JoinSet::new();
    let mut due = probe.start;
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            () = sleep_until(due) => {}
        }
        while under_way.try_join_next().is_some() {}
        let request = probe.tally().request(probe.since_start(due));
        if under_way.len() < schedule.most_under_way {
            let (probe, answer, ended) = (Arc::clone(&probe), ask(), ended.clone());
            under_way.spawn(async move {
                let outcome = answer.await;
                let now = probe.since_start(Instant::now());
                probe.tally().end(request, now, outcome);
                ended();
            });
        } else {
            probe.tally().end(request, request.due, Err(Failure::NotSent));
            ended();
        }
        let Some(next) = due.checked_add(schedule.interval) else { break };
        due = next;
    }
    while under_way.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operate::probe::phase::Phase;

    /// Requests that nobody answers leave nevertheless, and what is too many is counted.
    #[tokio::test]
    async fn requests_leave_whatever_becomes_of_those_before() {
        let probe = Arc::new(Running::new(Instant::now(), Tally::default()));
        let (stop, stopped) = watch::channel(false);
        let (sent, mut seen) = watch::channel(0_usize);
        let (answer, wanted) = watch::channel(false);
        let ask: Ask = Box::new(move || {
            sent.send_modify(|sent| *sent += 1);
            let mut wanted = wanted.clone();
            Box::pin(async move {
                wanted.wait_for(|answered| *answered).await.unwrap();
                Ok(())
            })
        });
        let (ended, mut kept) = watch::channel(0_usize);
        let schedule = Schedule { interval: Duration::from_millis(1), most_under_way: 5 };
        let ended = Arc::new(ended);
        let count = move || ended.send_modify(|ended| *ended += 1);
        let driver = tokio::spawn(drive(Arc::clone(&probe), schedule, stopped, ask, count));
        seen.wait_for(|sent| *sent >= 5).await.unwrap();
        kept.wait_for(|kept| *kept >= 3).await.unwrap();
        assert_eq!(probe.tally().of(Phase::Before).ok, 0);
        stop.send(true).unwrap();
        answer.send(true).unwrap();
        driver.await.unwrap();
        let tally = probe.tally();
        let counts = tally.of(Phase::Before);
        assert_eq!((counts.ok, *seen.borrow()), (5, 5), "what is under way at the end counts");
        assert!(counts.failed() >= 3 && counts.sent() == 5);
        assert_eq!(counts.errors.get(&Failure::NotSent), Some(&counts.failed()));
    }

    /// A driver that starts late sends all that is overdue, and counts from when it was due.
    #[tokio::test]
    async fn what_is_overdue_leaves_at_once_and_counts_from_when_it_was_due() {
        let late = Duration::from_secs(10);
        let start = Instant::now().checked_sub(late).unwrap();
        let probe = Arc::new(Running::new(start, Tally::default()));
        let (stop, stopped) = watch::channel(false);
        let stop = Arc::new(stop);
        let (sent, mut seen) = watch::channel(0_usize);
        let ask: Ask = Box::new(move || {
            sent.send_modify(|sent| *sent += 1);
            Box::pin(async { Ok(()) })
        });
        let schedule = Schedule { interval: Duration::from_secs(5), most_under_way: 5 };
        let driver = tokio::spawn(drive(Arc::clone(&probe), schedule, stopped, ask, || {}));
        seen.wait_for(|sent| *sent >= 3).await.unwrap();
        stop.send(true).unwrap();
        driver.await.unwrap();
        let tally = probe.tally();
        let latency = &tally.of(Phase::Before).latency;
        assert!(latency.count() >= 3, "{}", latency.count());
        assert!(latency.max() >= Some(late), "{:?}", latency.max());
        let median = latency.percentile(50).unwrap();
        assert!(median >= late / 2, "due 0, 5 and 10 s after the start: {median:?}");
    }
}
