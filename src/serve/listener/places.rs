use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::sleep;

use super::counters::{Counters, increase};
use super::limits::Limits;

/// The connections that are open, and which of them gives way where there is room for no more.
///
/// Whoever reaches the port may open connections and keep them. They must not keep the API server
/// out, so a newcomer takes the place of one that has had nothing to do for a while: of those that
/// said nothing yet, then of those that did not finish their handshake, then of those that never
/// had an answer, then of the rest, the one unused longest. A caller whose idle connection is
/// closed opens another; one that waits for an answer is never cut off.
///
/// Nobody gives way at once. Under an honest overload whoever came first is the next to be served:
/// to close that one for the sake of the newest would serve nobody. Then the newest is turned away.
#[derive(Debug)]
pub(super) struct Places {
    taken: Vec<Arc<Seat>>,
    most: usize,
    most_unfinished: usize,
    grace: Duration,
    opened: Instant,
}

/// One connection's place, held while the connection lasts.
#[derive(Debug)]
pub(super) struct Seat {
    opened: Instant,
    /// Milliseconds since `opened` when it was last used.
    used: AtomicU64,
    stage: AtomicU8,
    answered: AtomicBool,
    in_flight: AtomicUsize,
    given_up: Notify,
}

/// How far a connection has come; the first to give way comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Stage {
    /// Nothing was heard of the peer.
    Mute,
    /// It began a handshake.
    Greeted,
    /// Requests may come.
    Open,
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Self {
        let (most, most_unfinished) = (limits.connections.max(1), limits.handshakes.max(1));
        Self {
            taken: Vec::new(),
            most,
            most_unfinished,
            grace: limits.grace,
            opened: Instant::now(),
        }
    }

    /// A place for a connection that arrives now; none where every other one is at work, or was a
    /// moment ago.
    pub(super) fn take(&mut self, counters: &Counters) -> Option<Arc<Seat>> {
        if self.taken.len() >= self.most.min(self.most_unfinished) {
            self.taken.retain(|seat| Arc::strong_count(seat) > 1);
            let crowded =
                self.taken.iter().filter(|seat| !seat.is_open()).count() >= self.most_unfinished;
            if crowded || self.taken.len() >= self.most {
                self.displace(crowded, counters)?;
            }
        }
        let seat = Arc::new(Seat::new(self.opened));
        self.taken.push(Arc::clone(&seat));
        Some(seat)
    }

    /// Handshakes are given up.
    pub(super) fn give_up_handshakes(&self) {
        for seat in self.taken.iter().filter(|seat| !seat.is_open()) {
            seat.given_up.notify_one();
        }
    }

    fn displace(&mut self, only_unfinished: bool, counters: &Counters) -> Option<()> {
        let now = milliseconds(self.opened.elapsed());
        let rested = |seat: &Seat, grace: Duration| {
            now.saturating_sub(seat.used.load(Relaxed)) >= milliseconds(grace)
        };
        let candidates = self.taken.iter().enumerate().filter(|(_, seat)| match seat.stage() {
            // an honest peer speaks first, and at once
            Stage::Mute => rested(seat, self.grace.checked_div(10).unwrap_or_default()),
            Stage::Greeted => rested(seat, self.grace),
            Stage::Open => {
                !only_unfinished && seat.in_flight.load(Relaxed) == 0 && rested(seat, self.grace)
            }
        });
        let (place, _) = candidates.min_by_key(|(_, seat)| {
            (seat.stage(), seat.answered.load(Relaxed), seat.used.load(Relaxed))
        })?;
        let displaced = self.taken.swap_remove(place);
        increase(if displaced.is_open() {
            &counters.displaced
        } else {
            &counters.handshakes_displaced
        });
        displaced.given_up.notify_one();
        Some(())
    }
}

impl Seat {
    fn new(opened: Instant) -> Self {
        let seat = Self {
            opened,
            used: AtomicU64::new(0),
            stage: AtomicU8::new(Stage::Mute as u8),
            answered: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            given_up: Notify::new(),
        };
        seat.touch();
        seat
    }

    /// The peer has come so far.
    pub(super) fn reached(&self, stage: Stage) {
        self.stage.store(stage as u8, Relaxed);
        self.touch();
    }

    /// A request has begun; it lasts until what is returned is dropped.
    pub(super) fn work(self: &Arc<Self>) -> Work {
        self.in_flight.fetch_add(1, Relaxed);
        Work(Arc::clone(self))
    }

    /// Resolves when the connection has to go.
    pub(super) async fn given_up(&self) {
        self.given_up.notified().await;
    }

    /// Resolves when no request was in flight for so long.
    pub(super) async fn idle(&self, limit: Duration) {
        let mut left = limit;
        loop {
            sleep(left).await;
            let rested =
                milliseconds(self.opened.elapsed()).saturating_sub(self.used.load(Relaxed));
            left = limit.saturating_sub(Duration::from_millis(rested));
            match (self.in_flight.load(Relaxed), left) {
                (0, Duration::ZERO) => return,
                (0, _) => {}
                _ => left = limit,
            }
        }
    }

    fn stage(&self) -> Stage {
        match self.stage.load(Relaxed) {
            0 => Stage::Mute,
            1 => Stage::Greeted,
            _ => Stage::Open,
        }
    }

    fn is_open(&self) -> bool {
        self.stage() == Stage::Open
    }

    fn touch(&self) {
        self.used.store(milliseconds(self.opened.elapsed()), Relaxed);
    }
}

/// A request on a connection that must not be cut off.
#[derive(Debug)]
pub(super) struct Work(Arc<Seat>);

impl Work {
    /// It has been answered.
    pub(super) fn answered(self) {
        self.0.answered.store(true, Relaxed);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.touch();
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    fn places(connections: usize, handshakes: usize, grace: Duration) -> (Places, Counters) {
        (
            Places::new(&Limits { connections, handshakes, grace, ..Limits::default() }),
            Counters::default(),
        )
    }

    /// Open connections that had an answer, one after the other.
    fn worked(places: &mut Places, counters: &Counters, count: u64) -> Vec<Arc<Seat>> {
        let one = |moment| {
            let seat = places.take(counters).unwrap();
            seat.reached(Stage::Open);
            seat.work().answered();
            seat.used.store(moment, Relaxed);
            seat
        };
        (0..count).map(one).collect()
    }

    fn gives_way(seat: &Arc<Seat>) -> bool {
        let mut given_up = std::pin::pin!(seat.given_up());
        given_up.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    fn which(seats: &[Arc<Seat>]) -> Vec<bool> {
        seats.iter().map(gives_way).collect()
    }

    #[test]
    fn the_one_unused_longest_gives_way() {
        let (mut places, counters) = places(3, 9, Duration::ZERO);
        let seats = worked(&mut places, &counters, 3);
        seats[0].used.store(99, Relaxed);
        let _newest = places.take(&counters).unwrap();
        assert_eq!(which(&seats), [false, true, false]);
        assert_eq!((counters.tally().displaced, counters.tally().handshakes_displaced), (1, 0));
    }

    #[test]
    fn the_less_a_connection_did_the_sooner_it_gives_way() {
        let (mut places, counters) = places(5, 9, Duration::ZERO);
        let mut seats = worked(&mut places, &counters, 2);
        for stage in [Stage::Open, Stage::Greeted, Stage::Mute] {
            let seat = places.take(&counters).unwrap();
            seat.reached(stage);
            seat.used.store(1_000, Relaxed);
            seats.push(seat);
        }
        let mut newer = Vec::new();
        for expected in [4, 3, 2, 0, 1] {
            let newest = places.take(&counters).unwrap();
            newest.reached(Stage::Open);
            let _work = std::mem::ManuallyDrop::new(newest.work());
            newer.push(newest);
            assert!(gives_way(&seats[expected]), "{expected}");
        }
        assert_eq!((counters.tally().displaced, counters.tally().handshakes_displaced), (3, 2));
        assert!(places.take(&counters).is_none(), "all are at work");
    }

    #[tokio::test]
    async fn a_connection_at_work_is_not_idle() {
        let (mut places, counters) = places(3, 9, Duration::ZERO);
        let seat = places.take(&counters).unwrap();
        let work = seat.work();
        let once = Duration::from_millis(1);
        let idle = |limit| tokio::time::timeout(10 * once, seat.idle(limit));
        assert!(idle(once).await.is_err());
        work.answered();
        assert!(idle(Duration::from_secs(3_600)).await.is_err());
        seat.idle(once).await;
    }

    #[test]
    fn unfinished_handshakes_have_a_limit_of_their_own() {
        let (mut places, counters) = places(9, 2, Duration::ZERO);
        let open = worked(&mut places, &counters, 2);
        let mute: Vec<_> = (0..3).map(|_| places.take(&counters).unwrap()).collect();
        assert_eq!((which(&open), which(&mute)), (vec![false; 2], vec![true, false, false]));
        places.give_up_handshakes();
        assert_eq!((which(&open), which(&mute)), (vec![false; 2], vec![false, true, true]));
    }

    #[test]
    fn nobody_gives_way_at_once() {
        let (mut places, counters) = places(3, 9, Duration::from_secs(3_600));
        let mut seats = worked(&mut places, &counters, 2);
        seats.push(places.take(&counters).unwrap());
        seats[0].touch();
        seats[1].touch();
        assert!(places.take(&counters).is_none());
        assert_eq!(which(&seats), [false; 3]);
    }

    #[test]
    fn the_place_of_a_connection_that_is_gone_is_free() {
        let (mut places, counters) = places(2, 9, Duration::from_secs(3_600));
        let mut seats = worked(&mut places, &counters, 2);
        seats.pop();
        assert!(places.take(&counters).is_some());
    }
}
