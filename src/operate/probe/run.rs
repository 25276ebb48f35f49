//! Probes that run while something is changed.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::condition::{Breach, Conditions};
use super::drive::{Ask, Running, Schedule, drive};
use super::duration::Milliseconds;
use super::failure::told;
use super::phase::Phase;
use super::report::{Mark, Measured, PhaseSpan, ProbeReport, SCHEMA, Terms};
use super::send::PodAtHand;
use super::tally::Tally;

/// The most marks of a run: a plot shows some dozens.
const MOST_MARKS: usize = 500;

/// Probes that run. Requests leave until [`Probes::finish`]; where they are dropped, at once no
/// more.
///
/// They run on the caller's runtime: whoever blocks its thread is seen as a slow service.
#[derive(Debug)]
pub(crate) struct Probes {
    run: Arc<Run>,
    terms: Terms,
    drivers: JoinSet<()>,
    stop: watch::Sender<bool>,
    pod: watch::Sender<Option<PodAtHand>>,
}

/// Why a change had better not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unready {
    /// A condition is broken without any change.
    #[error("{0}")]
    Broken(Breach),
    /// A probe that never succeeded would measure nothing.
    #[error("probe {probe:?} has no successful answer: {errors}")]
    NoAnswer {
        /// The probe.
        probe: String,
        /// What there was instead.
        errors: String,
    },
}

#[derive(Debug)]
struct Run {
    start: Instant,
    started: Timestamp,
    probes: Vec<(String, Arc<Running>)>,
    timeline: Mutex<Timeline>,
    /// The first condition that is broken in this part of the run.
    broken: watch::Sender<Option<Breach>>,
    /// Whenever a request ended.
    ended: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Timeline {
    phases: Vec<PhaseSpan>,
    marks: Vec<Mark>,
    /// Every condition that was broken once.
    breaches: Vec<Breach>,
}

impl Probes {
    /// Starts sending requests, each probe its own.
    pub(super) fn start(
        terms: Terms,
        conditions: Conditions,
        schedule: Schedule,
        pod: watch::Sender<Option<PodAtHand>>,
        probes: Vec<(String, Ask)>,
    ) -> Self {
        let start = Instant::now();
        let running = |(name, ask): (String, Ask)| {
            ((name, Arc::new(Running::new(start, Tally::new(conditions)))), ask)
        };
        let (probes, asks): (Vec<_>, Vec<_>) = probes.into_iter().map(running).unzip();
        let first = PhaseSpan { phase: Phase::Before, start: Milliseconds::default() };
        let run = Arc::new(Run {
            start,
            started: Timestamp::now(),
            probes,
            timeline: Mutex::new(Timeline { phases: vec![first], ..Timeline::default() }),
            broken: watch::Sender::new(None),
            ended: watch::Sender::new(()),
        });
        let (stop, mut drivers) = (watch::Sender::new(false), JoinSet::new());
        for ((place, (_, probe)), ask) in run.probes.iter().enumerate().zip(asks) {
            let judge = Arc::clone(&run);
            let ended = move || judge.ended(place);
            drivers.spawn(drive(Arc::clone(probe), schedule, stop.subscribe(), ask, ended));
        }
        Self { run, terms, drivers, stop, pod }
    }

    /// Whether there is no probe.
    pub(crate) fn is_empty(&self) -> bool {
        self.run.probes.is_empty()
    }

    /// Requests for the pod at hand go to this one from now on; nowhere, and are errors, where there
    /// is none.
    pub(crate) fn follow(&self, pod: Option<PodAtHand>) {
        self.pod.send_replace(pod);
    }

    /// Another phase begins. From the first change on conditions are judged anew.
    pub(crate) fn phase(&self, phase: Phase) {
        self.run.switch(phase);
    }

    /// Something happened that the report shows on its line of time.
    pub(crate) fn mark(&self, label: impl Into<String>) {
        let time = Milliseconds(self.run.now());
        let marks = &mut self.run.timeline().marks;
        if marks.len() < MOST_MARKS {
            marks.push(Mark { time, label: label.into() });
        }
    }

    /// The condition that is broken, if one is.
    pub(crate) fn breach(&self) -> Option<Breach> {
        self.run.broken.borrow().clone()
    }

    /// Waits until a condition is broken: for ever, if none ever is.
    pub(crate) async fn broken(&self) -> Breach {
        let mut broken = self.run.broken.subscribe();
        loop {
            if let Some(breach) = broken.borrow_and_update().clone() {
                return breach;
            }
            if broken.changed().await.is_err() {
                std::future::pending::<()>().await; // the sender lives as long as this
            }
        }
    }

    /// Waits for as long as `length`, and until each probe has an answer or an error in this phase.
    ///
    /// # Errors
    ///
    /// Where a condition is broken, at once.
    pub(crate) async fn settle(&self, length: Duration) -> Result<(), Breach> {
        if self.is_empty() {
            return Ok(());
        }
        let measured = async {
            tokio::time::sleep(length).await;
            self.measured().await;
        };
        tokio::select! {
            biased;
            breach = self.broken() => Err(breach),
            () = measured => Ok(()),
        }
    }

    async fn measured(&self) {
        let mut ended = self.run.ended.subscribe();
        while self.run.probes.iter().any(|(_, probe)| !probe.tally().is_measured()) {
            if ended.changed().await.is_err() {
                break;
            }
        }
    }

    /// Learns how the probes fare without any change, as [`Probes::settle`] waits.
    ///
    /// # Errors
    ///
    /// Where a condition is broken already, or a probe has no success at all.
    pub(crate) async fn baseline(&self, length: Duration) -> Result<(), Unready> {
        self.settle(length).await.map_err(Unready::Broken)?;
        for (name, probe) in &self.run.probes {
            let tally = probe.tally();
            let counts = tally.of(Phase::Before);
            if counts.ok == 0 {
                let errors = told(&counts.errors);
                return Err(Unready::NoAnswer { probe: name.clone(), errors });
            }
        }
        Ok(())
    }

    /// Does `work` between the phases before and after it, with a margin of `length` on both sides.
    ///
    /// # Errors
    ///
    /// As [`Probes::baseline`]: then nothing of it is done.
    pub(crate) async fn around<T>(
        &self,
        length: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Unready> {
        self.baseline(length).await?;
        self.phase(Phase::During);
        let done = work.await;
        self.phase(Phase::After);
        // what breaks now is in the report as well
        let _ = self.settle(length).await;
        Ok(done)
    }

    /// Sends no more, waits for what is under way, and tells what became of all.
    pub(crate) async fn finish(mut self) -> ProbeReport {
        let end = self.run.now();
        self.stop.send_replace(true);
        for (_, probe) in &self.run.probes {
            probe.tally().close(end);
        }
        while self.drivers.join_next().await.is_some() {}
        self.run.report(self.terms.clone(), end)
    }
}

impl Run {
    fn timeline(&self) -> MutexGuard<'_, Timeline> {
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.start)
    }

    fn switch(&self, phase: Phase) {
        let at = self.now();
        let mut timeline = self.timeline();
        let last = timeline.phases.last().map(|span| span.phase);
        if last == Some(phase) || timeline.phases.len() >= MOST_MARKS {
            return;
        }
        timeline.phases.push(PhaseSpan { phase, start: Milliseconds(at) });
        drop(timeline);
        for (_, probe) in &self.probes {
            probe.tally().switch(phase, at);
        }
        if last == Some(Phase::Before) {
            self.broken.send_replace(None);
        }
    }

    /// A request of the probe at `place` ended.
    fn ended(&self, place: usize) {
        let breach =
            self.probes.get(place).and_then(|(name, probe)| breach(name, &probe.tally(), true));
        breach.into_iter().for_each(|breach| self.remember(breach));
        self.ended.send_replace(());
    }

    /// What was broken once stays broken: somebody may have stopped because of it.
    fn remember(&self, breach: Breach) {
        let known = &mut self.timeline().breaches;
        let is_same = |known: &&mut Breach| {
            (&known.probe, known.window, known.condition)
                == (&breach.probe, breach.window, breach.condition)
        };
        match known.iter_mut().find(is_same) {
            Some(known) => known.found.clone_from(&breach.found),
            None => known.push(breach.clone()),
        }
        self.broken.send_if_modified(|broken| {
            let is_first = broken.is_none();
            if is_first {
                *broken = Some(breach);
            }
            is_first
        });
    }

    fn report(&self, terms: Terms, end: Duration) -> ProbeReport {
        for (name, probe) in &self.probes {
            let breach = breach(name, &probe.tally(), false);
            breach.into_iter().for_each(|breach| self.remember(breach));
        }
        let timeline = self.timeline();
        let phases: Vec<Phase> = timeline.phases.iter().map(|span| span.phase).collect();
        let measured =
            |(name, probe): &(String, Arc<Running>)| Measured::of(name, &probe.tally(), &phases);
        ProbeReport {
            schema: SCHEMA,
            started: self.started,
            length: Milliseconds(end),
            terms,
            probes: self.probes.iter().map(measured).collect(),
            phases: timeline.phases.clone(),
            marks: timeline.marks.clone(),
            broken: timeline.breaches.clone(),
        }
    }
}

fn breach(name: &str, tally: &Tally, goes_on: bool) -> Option<Breach> {
    let (condition, limit, found) = tally.broken(goes_on)?;
    Some(Breach { probe: name.to_owned(), window: tally.window(), condition, limit, found })
}
