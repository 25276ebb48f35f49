//! What a listener counts.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// What a listener has seen, for metrics. Shared and updated while it runs.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(super) accepted: AtomicU64,
    pub(super) open: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) accept_errors: AtomicU64,
    pub(super) handshakes_failed: AtomicU64,
    pub(super) handshakes_timed_out: AtomicU64,
    pub(super) handshakes_evicted: AtomicU64,
}

/// The counters at one moment. All but `open` only ever grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Connections accepted, the rejected ones included.
    pub(crate) accepted: u64,
    /// Connections open now, handshakes included.
    pub(crate) open: u64,
    /// Connections closed at once because there were too many, none of which had been idle for a
    /// while.
    pub(crate) rejected: u64,
    /// Idle connections closed because there were too many.
    pub(crate) evicted: u64,
    /// Failures to accept, for instance because file descriptors ran out.
    pub(crate) accept_errors: u64,
    /// Handshakes that a peer broke off or that failed: no trust, no common version, plain HTTP, a
    /// port scan.
    pub(crate) handshakes_failed: u64,
    /// Handshakes that took too long.
    pub(crate) handshakes_timed_out: u64,
    /// Unfinished handshakes closed for a newer connection because there were too many.
    pub(crate) handshakes_evicted: u64,
}

impl Counters {
    /// The counters now.
    pub(crate) fn tally(&self) -> Tally {
        Tally {
            accepted: self.accepted.load(Relaxed),
            open: self.open.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            evicted: self.evicted.load(Relaxed),
            accept_errors: self.accept_errors.load(Relaxed),
            handshakes_failed: self.handshakes_failed.load(Relaxed),
            handshakes_timed_out: self.handshakes_timed_out.load(Relaxed),
            handshakes_evicted: self.handshakes_evicted.load(Relaxed),
        }
    }
}

pub(super) fn increase(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// Counts a connection as open for as long as it lives, however it ends.
pub(super) struct Open(Arc<Counters>);

impl Open {
    pub(super) fn count(counters: &Arc<Counters>) -> Self {
        increase(&counters.open);
        Self(Arc::clone(counters))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}
