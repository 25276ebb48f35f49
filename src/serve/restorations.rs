//! Which restorations were told: an autoscaler asks for the same again each minute, and once is
//! enough for the log.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::judge::subject::Subject;
use crate::judge::verdict::{Outcome, Verdict};

/// The most that are remembered. Past that everything is told again.
const MOST: usize = 4096;

/// How long a restoration that does not come again is remembered.
const MEMORY: Duration = Duration::from_secs(60 * 60);

/// The restorations of the last hour: a hash of pod and values, and when it came last.
#[derive(Debug, Default)]
pub(super) struct Restorations(Mutex<HashMap<u64, Instant>>);

impl Restorations {
    /// Whether the same was restored in the same pod before. Remembers it.
    pub(super) fn is_repeated(&self, subject: &Subject<'_>, verdict: &Verdict) -> bool {
        let mut restored =
            verdict.rulings.iter().filter(|ruling| ruling.outcome == Outcome::Restored).peekable();
        if restored.peek().is_none() {
            return false;
        }
        let mut hasher = DefaultHasher::new();
        subject.namespace.as_str().hash(&mut hasher);
        subject.name.as_str().hash(&mut hasher);
        subject.old_object.as_ref().map(|old| old.metadata.uid.as_str()).hash(&mut hasher);
        restored.for_each(|ruling| ruling.finding.message.hash(&mut hasher));
        self.remember(hasher.finish(), Instant::now())
    }

    fn remember(&self, key: u64, now: Instant) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST {
            told.retain(|_, last| now.saturating_duration_since(*last) < MEMORY);
            if told.len() >= MOST {
                told.clear();
            }
        }
        told.insert(key, now).is_some_and(|last| now.saturating_duration_since(last) < MEMORY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_is_enough_for_an_hour() {
        let (restorations, now) = (Restorations::default(), Instant::now());
        assert!(!restorations.remember(1, now));
        assert!(restorations.remember(1, now) && !restorations.remember(2, now));
        assert!(restorations.remember(1, now + MEMORY / 2));
        assert!(restorations.remember(1, now + MEMORY), "it came again in between");
        assert!(!restorations.remember(1, now + MEMORY * 3));
    }

    #[test]
    fn memory_is_bounded() {
        let (restorations, now) = (Restorations::default(), Instant::now());
        for key in 0..10_000 {
            restorations.remember(key, now);
        }
        assert!(restorations.0.lock().unwrap().len() <= MOST);
    }
}
