use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use tokio::sync::Notify;

use super::counters::{Counters, increase};

/// The connections that are open, and which of them gives way where there is room for no more.
///
/// Whoever reaches the port may open connections and keep them. They must not keep the API server out, so a newcomer takes
/// the place of one that has nothing to do: first of those that never finished a request, then the one unused longest.
/// A caller whose idle connection is closed opens another; one that waits for an answer is never cut off.
#[derive(Debug)]
pub(super) struct Places {
    taken: Vec<Arc<Seat>>,
    most: usize,
    opened: Instant,
}

/// One connection's place, held while the connection lasts.
#[derive(Debug)]
pub(super) struct Seat {
    opened: Instant,
    /// Milliseconds since `opened` when it was last used.
    used: AtomicU64,
    in_flight: AtomicUsize,
    answered: AtomicU64,
    given_up: Notify,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { taken: Vec::new(), most: most.max(1), opened: Instant::now() }
    }

    /// A place for a connection that arrives now; none where every other one is at work.
    pub(super) fn take(&mut self, counters: &Counters) -> Option<Arc<Seat>> {
        if self.taken.len() >= self.most {
            self.taken.retain(|seat| Arc::strong_count(seat) > 1);
        }
        if self.taken.len() >= self.most {
            let idle = self.taken.iter().enumerate().filter(|(_, seat)| seat.is_idle());
            let (place, _) = idle.min_by_key(|(_, seat)| (seat.answered.load(Relaxed) > 0, seat.used.load(Relaxed)))?;
            self.taken.swap_remove(place).given_up.notify_one();
            increase(&counters.displaced);
        }
        let seat = Arc::new(Seat::new(self.opened));
        self.taken.push(Arc::clone(&seat));
        Some(seat)
    }
}

impl Seat {
    fn new(opened: Instant) -> Self {
        let seat =
            Self { opened, used: AtomicU64::new(0), in_flight: AtomicUsize::new(0), answered: AtomicU64::new(0), given_up: Notify::new() };
        seat.touch();
        seat
    }

    /// A request has begun; it lasts until what is returned is dropped.
    pub(super) fn work(self: &Arc<Self>) -> Work {
        self.in_flight.fetch_add(1, Relaxed);
        self.touch();
        Work(Arc::clone(self))
    }

    /// Resolves when the connection has to go.
    pub(super) async fn given_up(&self) {
        self.given_up.notified().await;
    }

    fn is_idle(&self) -> bool {
        self.in_flight.load(Relaxed) == 0
    }

    fn touch(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.used.store(now, Relaxed);
    }
}

/// A request on a connection that must not be cut off.
#[derive(Debug)]
pub(super) struct Work(Arc<Seat>);

impl Work {
    /// It has been answered.
    pub(super) fn answered(self) {
        self.0.answered.fetch_add(1, Relaxed);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.touch();
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    /// Full, with seats used one after the other.
    fn full(most: usize) -> (Places, Counters, Vec<Arc<Seat>>) {
        let (mut places, counters) = (Places::new(most), Counters::default());
        let seats: Vec<_> = (0..most).filter_map(|_| places.take(&counters)).collect();
        for (moment, seat) in (10..).zip(&seats) {
            seat.work().answered();
            seat.used.store(moment, Relaxed);
        }
        (places, counters, seats)
    }

    fn gives_way(seat: &Arc<Seat>) -> bool {
        let mut given_up = std::pin::pin!(seat.given_up());
        given_up.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn the_one_unused_longest_gives_way() {
        let (mut places, counters, seats) = full(3);
        seats[0].used.store(99, Relaxed);
        assert!(places.take(&counters).is_some());
        assert_eq!(seats.iter().map(gives_way).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(counters.tally().displaced, 1);
    }

    #[test]
    fn mute_ones_give_way_before_any_that_worked() {
        let (mut places, counters, seats) = full(3);
        let mute = {
            assert!(places.take(&counters).is_some_and(|seat| Arc::strong_count(&seat) == 2));
            // the place of a connection that is gone is free
            places.take(&counters).unwrap()
        };
        mute.used.store(1_000, Relaxed);
        assert!(places.take(&counters).is_some());
        assert!(gives_way(&mute) && !gives_way(&seats[1]) && !gives_way(&seats[2]));
    }

    #[test]
    fn whoever_works_is_not_cut_off() {
        let (mut places, counters, seats) = full(2);
        let work: Vec<_> = seats.iter().map(Seat::work).collect();
        assert!(places.take(&counters).is_none());
        drop(work);
        assert!(places.take(&counters).is_some());
    }
}
