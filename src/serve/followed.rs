//! What is followed while the server runs: looked at again and again, swapped whole where it is new
//! and sound, and left as it is where it is not.

pub(super) mod file_watch;
pub(super) mod object_watch;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};

use crate::service::health::{Health, Topic, Trouble};

use super::tasks::supervise;

/// What is in force of something that is followed, and since when.
#[derive(Debug)]
pub(super) struct Followed<T> {
    in_force: ArcSwap<T>,
    since: Mutex<Instant>,
}

/// Where what is in force comes from: how it is read, what is said of it, and when to look again.
pub(super) trait Source<T>: Send {
    /// Where readiness tells of it, if it does.
    const TOPIC: Option<Topic>;

    /// Looks at the source. `None` where the runtime stops.
    fn look(&mut self) -> impl Future<Output = Option<Look<T>>> + Send;

    /// Waits until it may have changed, or is to be looked at anyway.
    fn changed(&mut self) -> impl Future<Output = ()> + Send;

    /// Whether what was found is what is in force.
    fn is_same(in_force: &T, found: &T) -> bool;

    /// What is in force, in the words of readiness.
    fn describe(&self, in_force: &T) -> String;

    /// Logs that something else came into force.
    fn log_swap(&self, in_force: &T);

    /// Logs why what is in force is not the newest.
    fn log_trouble(&self, trouble: &Trouble);

    /// Counts what came of a look.
    fn count(&self, in_force: &T, outcome: Outcome);
}

/// What a look at a source found.
#[derive(Debug)]
pub(super) enum Look<T> {
    /// What the last look found, be it sound or not.
    Unchanged,
    /// Something sound, perhaps what is in force already.
    Found(T),
    /// Something that cannot be used.
    Refused(String),
    /// The source cannot be read or written now.
    Unreachable {
        /// Why.
        why: String,
        /// What is known of it from before.
        known: Option<T>,
    },
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// What was in force stays, and nothing is wrong with what was found.
    Unchanged,
    /// What was found is in force.
    Swapped,
    /// What was found is not used; what was in force stays.
    Refused,
}

/// The trouble at the last look, so that one line says it all: it comes back with each poll.
#[derive(Debug, Default)]
pub(super) struct LastTrouble(Option<Trouble>);

impl<T: Send + Sync + 'static> Followed<T> {
    /// Begins with this in force.
    pub(super) fn new(in_force: T) -> Self {
        Self { in_force: ArcSwap::from_pointee(in_force), since: Mutex::new(Instant::now()) }
    }

    /// What is in force now.
    pub(super) fn load(&self) -> Guard<Arc<T>> {
        self.in_force.load()
    }

    /// Whether something else came into force within the last `time`. The start counts as well:
    /// nobody knows what was in force before.
    pub(super) fn changed_within(&self, time: Duration) -> bool {
        self.since.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < time
    }

    /// Puts `next` in force.
    #[cfg(test)]
    pub(super) fn replace(&self, next: T) {
        self.put(Arc::new(next));
    }

    /// The time first: who sees what is new must not take it for old.
    fn put(&self, next: Arc<T>) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.in_force.store(next);
    }

    /// Follows the source that `start` returns, beside everything else. Needs a runtime.
    pub(super) fn supervise<S: Source<T> + 'static>(
        self: &Arc<Self>,
        task: &'static str,
        health: &Arc<Health>,
        mut start: impl FnMut() -> S + Send + 'static,
    ) {
        let (followed, health) = (Arc::clone(self), Arc::clone(health));
        supervise(task, move || Arc::clone(&followed).follow(start(), Arc::clone(&health)));
    }

    /// Follows `source` for ever.
    pub(super) async fn follow<S: Source<T>>(self: Arc<Self>, mut source: S, health: Arc<Health>) {
        let mut last = LastTrouble::default();
        while let Some(look) = source.look().await {
            if !matches!(look, Look::Unchanged) {
                self.settle(look, &source, &health, &mut last);
            }
            source.changed().await;
        }
    }

    /// Puts in force what a look found, or leaves in force what is, and says so.
    pub(super) fn settle<S: Source<T>>(
        &self,
        look: Look<T>,
        source: &S,
        health: &Health,
        last: &mut LastTrouble,
    ) -> Outcome {
        let (found, trouble) = match look {
            Look::Unchanged => return Outcome::Unchanged,
            Look::Found(found) => (Some(found), None),
            Look::Refused(why) => (None, Some(Trouble::Refused(why))),
            Look::Unreachable { why, known } => (known, Some(Trouble::Unreachable(why))),
        };
        let is_known = found.is_some();
        let swapped = found.filter(|found| !S::is_same(&self.load(), found)).map(Arc::new);
        let outcome = match (&swapped, &trouble) {
            (Some(_), _) => Outcome::Swapped,
            (None, Some(Trouble::Refused(_))) => Outcome::Refused,
            (None, _) => Outcome::Unchanged,
        };
        if let Some(next) = swapped {
            source.log_swap(&next);
            self.put(next);
        }
        let in_force = self.load();
        source.count(&in_force, outcome);
        if let Some(topic) = S::TOPIC {
            if is_known {
                health.in_force(topic, source.describe(&in_force));
            }
            if let Some(trouble) = &trouble {
                health.trouble(topic, trouble.clone());
            }
        }
        if let Some(trouble) = last.news(trouble) {
            source.log_trouble(trouble);
        }
        outcome
    }
}

impl<T: Default + Send + Sync + 'static> Default for Followed<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl LastTrouble {
    /// Takes note of the trouble at this look, and returns it where it is worth a line. Why a
    /// source is out of reach may differ each time; it is said once.
    pub(super) fn news(&mut self, trouble: Option<Trouble>) -> Option<&Trouble> {
        let is_known = match (&self.0, &trouble) {
            (Some(Trouble::Unreachable(_)), Some(Trouble::Unreachable(_))) => true,
            (last, next) => last == next,
        };
        self.0 = trouble;
        self.0.as_ref().filter(|_| !is_known)
    }
}
