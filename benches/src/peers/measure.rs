//! Taking turns: every server gets every review in every round, so that what disturbs one disturbs
//! all.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::time::{sleep, timeout};

use crate::account::{self, Memory};
use crate::load::{Arrivals, Sent, Stop, stay_awake};
use crate::measure::show;
use crate::report::{quantile, sorted_quantile};

use super::contender::{Contender, PATIENCE};
use super::reviews::Review;

/// Connections at the steady rate. Where all are busy, reviews wait, which counts.
const CONNECTIONS: usize = 16;

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Connections in the closed loop.
    pub(super) in_flight: usize,
    pub(super) rounds: usize,
    /// What a round of the closed loop gives to each server and review.
    pub(super) share: Duration,
    /// The same at the steady rate.
    pub(super) steady_share: Duration,
    /// How long everything rests, to see who works then.
    pub(super) rest: Duration,
    /// Reviews that arrive in a second: usual ones, and large ones.
    pub(super) rates: [f64; 2],
    /// Whether they arrive evenly, instead of at random.
    pub(super) even: bool,
}

/// What a server showed by itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    /// Before the first review of the run.
    pub(super) memory: Memory,
    /// The most that it held during the run, in bytes, where the kernel let us begin the peak anew;
    /// else since its start.
    pub(super) peak: u64,
    /// The share of the time that it was on a processor while nobody asked it anything.
    pub(super) busy: f64,
}

/// What one turn showed; times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Turn {
    /// Processor time of the server for each review.
    pub(super) cost: f64,
    pub(super) per_second: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// What a server showed with one review.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// Which review, which server.
    pub(super) review: usize,
    pub(super) server: usize,
    pub(super) closed: Vec<Turn>,
    pub(super) steady: Vec<Turn>,
    /// Why it was not measured.
    pub(super) fault: Option<String>,
    /// Why it was not measured at the steady rate.
    pub(super) late: Option<String>,
}

/// What is being measured.
pub(super) struct Measuring<'m> {
    pub(super) plan: Plan,
    pub(super) contenders: &'m [Contender],
    pub(super) reviews: &'m [Review],
}

impl Turn {
    /// From what was sent, and how long the server worked for it.
    fn new(worked: Duration, sent: Sent) -> Self {
        let Sent { mut latencies, elapsed } = sent;
        latencies.sort_unstable();
        let reviews = latencies.len().max(1) as f64;
        Self {
            cost: worked.as_secs_f64() * 1e6 / reviews,
            per_second: reviews / elapsed.as_secs_f64(),
            p50: sorted_quantile(&latencies, 0.5) / 1e3,
            p99: sorted_quantile(&latencies, 0.99) / 1e3,
        }
    }
}

impl Measuring<'_> {
    /// Memory and processor time of all while nobody asks anything; the peaks begin anew.
    pub(super) async fn rest(&self) -> anyhow::Result<Vec<Rest>> {
        for contender in self.contenders {
            if let Err(error) = account::forget_peak(contender.process) {
                show("");
                eprintln!("the peak of {} is since its start: {error:#}", contender.name);
            }
        }
        show(&format!("all servers rest for {:.0} s", self.plan.rest.as_secs_f64()));
        let before = self.on_processor()?;
        sleep(self.plan.rest).await;
        let spent = before.into_iter().zip(self.on_processor()?);
        let rests = self.contenders.iter().zip(spent).map(|(contender, (before, after))| {
            let worked = after.saturating_sub(before).as_secs_f64();
            let busy = worked / self.plan.rest.as_secs_f64().max(1e-9);
            Ok(Rest { memory: contender.memory()?, peak: 0, busy })
        });
        rests.collect()
    }

    /// The peaks since then; of a peer that has ended, nothing more is known.
    pub(super) fn peaks(&self, rests: &mut [Rest]) {
        for (rest, contender) in rests.iter_mut().zip(self.contenders) {
            rest.peak = contender.memory().map_or(rest.memory.peak, |memory| memory.peak);
        }
    }

    fn on_processor(&self) -> anyhow::Result<Vec<Duration>> {
        self.contenders.iter().map(Contender::on_processor).collect()
    }

    /// Every server with every review, first as fast as it can, then at the steady rate.
    pub(super) async fn rows(&self) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (review, asked) in self.reviews.iter().enumerate() {
            for (server, contender) in self.contenders.iter().enumerate() {
                show(&format!("checking {}: {}", contender.name, asked.name));
                let fault = contender.fault(asked).await;
                rows.push(Row { review, server, fault, ..Row::default() });
            }
        }
        stay_awake();
        for round in 0..self.plan.rounds {
            for row in turned(&mut rows, round) {
                self.tell("closed loop", round, row);
                match self.closed(row).await {
                    Ok(Some(turn)) => row.closed.push(turn),
                    Ok(None) => {}
                    Err(error) => row.fault = Some(format!("{error:#}")),
                }
            }
        }
        for round in 0..self.plan.rounds {
            for row in turned(&mut rows, round) {
                self.tell("steady rate", round, row);
                match self.steady(row, round).await {
                    Ok(Some(turn)) => row.steady.push(turn),
                    Ok(None) => {}
                    Err(error) => row.late = Some(format!("{error:#}")),
                }
            }
        }
        Ok(rows)
    }

    fn tell(&self, what: &str, round: usize, row: &Row) {
        let name = self.contenders.get(row.server).map_or("", |contender| &contender.name);
        let review = self.reviews.get(row.review).map_or("", |review| &review.name);
        let rounds = self.plan.rounds;
        show(&format!("{what}, round {} of {rounds}: {review}, {name}", round + 1));
    }

    fn of(&self, row: &Row) -> anyhow::Result<(&Contender, &Review)> {
        let contender = self.contenders.get(row.server).context("there is no such server")?;
        Ok((contender, self.reviews.get(row.review).context("there is no such review")?))
    }

    async fn closed(&self, row: &Row) -> anyhow::Result<Option<Turn>> {
        if row.fault.is_some() {
            return Ok(None);
        }
        let (contender, review) = self.of(row)?;
        let posts: Arc<[_]> = [contender.post(review)?].into();
        let mut connections = contender.connect(review, self.plan.in_flight).await?;
        let before = contender.on_processor()?;
        let sent = connections.closed_loop(&posts, Stop::After(self.plan.share));
        let sent = timeout(self.plan.share + PATIENCE, sent).await.context("stops answering")??;
        let worked = contender.on_processor()?.saturating_sub(before);
        Ok(Some(Turn::new(worked, sent)))
    }

    async fn steady(&self, row: &mut Row, round: usize) -> anyhow::Result<Option<Turn>> {
        let (contender, review) = self.of(row)?;
        let [usual, large] = self.plan.rates;
        let rate = if review.is_large() { large } else { usual };
        row.late = row.late.take().or_else(|| too_slow(&row.closed, rate));
        if row.fault.is_some() || row.late.is_some() {
            return Ok(None);
        }
        let post = contender.post(review)?;
        let mut connections = contender.connect(review, CONNECTIONS).await?;
        let arrivals = if self.plan.even {
            Arrivals::even(rate)
        } else {
            // the same for every server
            Arrivals::new(rate, round as u64)
        };
        let before = contender.on_processor()?;
        let sent = connections.open_loop(&post, arrivals, self.plan.steady_share);
        let time = self.plan.steady_share + PATIENCE;
        let sent = timeout(time, sent).await.context("stops answering")??;
        let worked = contender.on_processor()?.saturating_sub(before);
        Ok(Some(Turn::new(worked, sent)))
    }
}

/// Why a server that answers like this cannot take `rate` reviews a second: they would wait for
/// ever longer.
fn too_slow(closed: &[Turn], rate: f64) -> Option<String> {
    let per_second = quantile(closed.iter().map(|turn| turn.per_second).collect(), 0.5);
    (per_second < rate).then(|| format!("answers {per_second:.1} a second"))
}

/// All of `rows`; another one begins each round, so that none always follows the same.
fn turned(rows: &mut [Row], round: usize) -> impl Iterator<Item = &mut Row> {
    let begin = round.checked_rem(rows.len()).unwrap_or(0);
    let (late, early) = rows.split_at_mut_checked(begin).unwrap_or_default();
    early.iter_mut().chain(late)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(per_second: f64) -> Turn {
        Turn { cost: 1.0, per_second, p50: 1.0, p99: 1.0 }
    }

    #[test]
    fn a_turn_is_reckoned_from_what_was_sent() {
        let latencies = (1..=100).rev().map(|micros| micros * 1_000).collect();
        let sent = Sent { latencies, elapsed: Duration::from_millis(500) };
        let expected = Turn { cost: 50.0, per_second: 200.0, p50: 51.0, p99: 99.0 };
        assert_eq!(Turn::new(Duration::from_millis(5), sent), expected);
    }

    #[test]
    fn whoever_is_too_slow_is_not_asked_at_the_steady_rate() {
        let closed = [turn(30.0), turn(39.0), turn(50.0)];
        assert_eq!(too_slow(&closed, 40.0).as_deref(), Some("answers 39.0 a second"));
        assert_eq!(too_slow(&closed, 39.0), None);
    }

    #[test]
    fn another_row_begins_each_round() {
        let mut rows: Vec<Row> = (0..3).map(|server| Row { server, ..Row::default() }).collect();
        let mut order = |round| turned(&mut rows, round).map(|row| row.server).collect::<Vec<_>>();
        assert_eq!([order(0), order(1), order(5)], [[0, 1, 2], [1, 2, 0], [2, 0, 1]]);
        assert_eq!(turned(&mut [], 1).count(), 0);
    }
}
