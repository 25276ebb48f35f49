//! How many connections are open, and which is closed for a newer one.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize};
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
pub(super) struct Slots {
    taken: Vec<Arc<Slot>>,
    most: usize,
    most_unfinished: usize,
    grace: Duration,
    opened: Instant,
}

/// One connection's place, held while the connection lasts.
#[derive(Debug)]
pub(super) struct Slot {
    opened: Instant,
    /// Milliseconds since `opened` when it was last used.
    used: AtomicU64,
    stage: AtomicU8,
    answered: AtomicBool,
    in_flight: AtomicUsize,
    evicted: Notify,
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

impl Slots {
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
    pub(super) fn take(&mut self, counters: &Counters) -> Option<Arc<Slot>> {
        if self.taken.len() >= self.most.min(self.most_unfinished) {
            self.taken.retain(|slot| Arc::strong_count(slot) > 1);
            let crowded =
                self.taken.iter().filter(|slot| !slot.is_open()).count() >= self.most_unfinished;
            if crowded || self.taken.len() >= self.most {
                self.evict(crowded, counters)?;
            }
        }
        let slot = Arc::new(Slot::new(self.opened));
        self.taken.push(Arc::clone(&slot));
        Some(slot)
    }

    /// Evicts every connection whose handshake is not finished.
    pub(super) fn evict_handshakes(&self) {
        for slot in self.taken.iter().filter(|slot| !slot.is_open()) {
            slot.evicted.notify_one();
        }
    }

    fn evict(&mut self, only_unfinished: bool, counters: &Counters) -> Option<()> {
        let now = milliseconds(self.opened.elapsed());
        let rested = |slot: &Slot, grace: Duration| {
            now.saturating_sub(slot.used.load(Relaxed)) >= milliseconds(grace)
        };
        let candidates = self.taken.iter().enumerate().filter(|(_, slot)| match slot.stage() {
            // an honest peer speaks first, and at once
            Stage::Mute => rested(slot, self.grace.checked_div(10).unwrap_or_default()),
            Stage::Greeted => rested(slot, self.grace),
            Stage::Open => {
                !only_unfinished && slot.in_flight.load(Relaxed) == 0 && rested(slot, self.grace)
            }
        });
        let (index, _) = candidates.min_by_key(|(_, slot)| {
            (slot.stage(), slot.answered.load(Relaxed), slot.used.load(Relaxed))
        })?;
        let evicted = self.taken.swap_remove(index);
        increase(if evicted.is_open() { &counters.evicted } else { &counters.handshakes_evicted });
        evicted.evicted.notify_one();
        Some(())
    }
}

impl Slot {
    fn new(opened: Instant) -> Self {
        let slot = Self {
            opened,
            used: AtomicU64::new(0),
            stage: AtomicU8::new(Stage::Mute as u8),
            answered: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            evicted: Notify::new(),
        };
        slot.touch();
        slot
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
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
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
pub(super) struct Work(Arc<Slot>);

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
mod tests;
