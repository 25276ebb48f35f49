//! How far a command is that takes a while.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a command runs before its progress is shown.
const DELAY: Duration = Duration::from_millis(500);

/// How many things are done: a line on standard error, if that is a terminal and it takes a while.
/// Erased at the end.
#[derive(Debug)]
pub(crate) struct Progress {
    things: &'static str,
    since: Option<Instant>,
    done: AtomicUsize,
    /// The tenth of a second in which it was shown last.
    shown: AtomicUsize,
}

impl Progress {
    /// Nothing is done yet of these `things`.
    pub(crate) fn start(things: &'static str) -> Self {
        let since = io::stderr().is_terminal().then(Instant::now);
        Self { things, since, done: AtomicUsize::new(0), shown: AtomicUsize::new(0) }
    }

    /// One more is done.
    pub(crate) fn one_more(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let Some(elapsed) =
            self.since.map(|since| since.elapsed()).filter(|elapsed| *elapsed > DELAY)
        else {
            return;
        };
        let tenths = usize::try_from(elapsed.as_millis() / 100).unwrap_or(usize::MAX);
        if self.shown.swap(tenths, Ordering::Relaxed) != tenths {
            let _ = write!(io::stderr(), "\r{done} {}\u{1b}[K", self.things); // erases the rest of the line
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.load(Ordering::Relaxed) > 0 {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
