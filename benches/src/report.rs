//! What was measured, as a table and as JSON, and whether the targets are met.

use std::fmt;

use serde::Serialize;

use crate::cases::{Answerer, Size};
use crate::machine::Machine;
use crate::measure::{Measured, REVIEWS, Round};

/// Processor time of a whole review over the floor's, at most.
const OVER_FLOOR: f64 = 3.0;

/// Processor time of kube's types over Restraint's, at least.
const UNDER_KUBE: f64 = 2.5;

/// Memory after [`REVIEWS`], in MiB, below.
const MEBIBYTES: f64 = 25.0;

/// Everything that was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    machine: Machine,
    rows: Vec<Row>,
    memory: Memory,
    targets: Vec<Target>,
}

/// What one case showed: medians over the rounds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    size: Size,
    bytes: usize,
    server: Answerer,
    what: &'static str,
    main: bool,
    /// Processor time of one review, in microseconds.
    microseconds: f64,
    /// That over the floor's in the same round.
    ratio: f64,
    /// The quarter of the rounds with the smallest and the largest ratios lie outside of these.
    ratio_quartiles: [f64; 2],
    p50_microseconds: f64,
    p99_microseconds: f64,
    per_second: f64,
    /// The share of the time that the server was on its processor.
    busy: f64,
    resident_mebibytes: f64,
}

/// Resident memory of Restraint, in MiB.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    reviews: u64,
    at_start: f64,
    after: f64,
    after_twice_as_many: f64,
}

/// A target and what became of it.
#[derive(Debug, Serialize)]
struct Target {
    text: String,
    measured: String,
    met: bool,
}

impl Report {
    pub(crate) fn new(machine: Machine, measured: &[Measured], memory: [u64; 3]) -> Self {
        let rows: Vec<Row> = measured.iter().map(|row| Row::new(row, floor(measured, row))).collect();
        let [at_start, after, after_twice_as_many] = memory.map(mebibytes);
        let memory = Memory { reviews: REVIEWS, at_start, after, after_twice_as_many };
        let targets = vec![over_floor(&rows), under_kube(&rows, measured), memory.target()];
        Self { machine, rows, memory, targets }
    }

    /// Whether every target is met.
    pub(crate) fn is_met(&self) -> bool {
        self.targets.iter().all(|target| target.met)
    }
}

fn floor<'m>(measured: &'m [Measured], row: &Measured) -> &'m [Round] {
    find(measured, row.case.size, Answerer::Floor).map_or(&[], |floor| &floor.rounds)
}

fn find(measured: &[Measured], size: Size, answerer: Answerer) -> Option<&Measured> {
    measured.iter().find(|row| row.case.main && row.case.size == size && row.case.answerer == answerer)
}

impl Row {
    fn new(measured: &Measured, floor: &[Round]) -> Self {
        let Measured { case, rounds, latencies, resident } = measured;
        let over = over(rounds, floor);
        let of = |value: fn(&Round) -> f64| quantile(rounds.iter().map(value).collect(), 0.5);
        let latency = |share: f64| quantile(latencies.iter().copied().map(f64::from).collect(), share) / 1e3;
        Self {
            size: case.size,
            bytes: case.post.body.len(),
            server: case.answerer,
            what: case.what,
            main: case.main,
            microseconds: of(|round| round.cost),
            ratio: quantile(over.clone(), 0.5),
            ratio_quartiles: [quantile(over.clone(), 0.25), quantile(over, 0.75)],
            p50_microseconds: latency(0.5),
            p99_microseconds: latency(0.99),
            per_second: of(|round| round.rate),
            busy: of(|round| round.busy),
            resident_mebibytes: mebibytes(*resident),
        }
    }
}

/// What each round cost over what it cost there.
fn over(rounds: &[Round], others: &[Round]) -> Vec<f64> {
    rounds.iter().zip(others).map(|(round, other)| round.cost / other.cost).collect()
}

/// The value that this share of `values` lies below.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let place = (values.len().saturating_sub(1) as f64 * share).round() as usize;
    values.get(place).copied().unwrap_or(f64::NAN)
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn over_floor(rows: &[Row]) -> Target {
    let own: Vec<&Row> = rows.iter().filter(|row| row.main && row.server == Answerer::Restraint).collect();
    Target {
        text: format!("at most {OVER_FLOOR} times the processor time of the floor"),
        measured: own.iter().map(|row| format!("{} {:.2}", row.size.as_str(), row.ratio)).collect::<Vec<_>>().join(", "),
        met: own.iter().all(|row| row.ratio <= OVER_FLOOR),
    }
}

fn under_kube(rows: &[Row], measured: &[Measured]) -> Target {
    let own = rows.iter().filter(|row| row.main && row.server == Answerer::Restraint);
    let cheaper: Vec<(Size, f64)> = own
        .filter_map(|row| {
            let rounds = |answerer| find(measured, row.size, answerer).map(|row| &*row.rounds);
            Some((row.size, quantile(over(rounds(Answerer::Kube)?, rounds(Answerer::Restraint)?), 0.5)))
        })
        .collect();
    Target {
        text: format!("at least {UNDER_KUBE} times cheaper than kube's AdmissionReview<Pod>"),
        measured: cheaper.iter().map(|(size, times)| format!("{} {times:.2}", size.as_str())).collect::<Vec<_>>().join(", "),
        met: cheaper.iter().all(|(_, times)| *times >= UNDER_KUBE),
    }
}

impl Memory {
    fn target(&self) -> Target {
        Target {
            text: format!("less than {MEBIBYTES} MiB resident after {} reviews", self.reviews),
            measured: format!("{:.1} MiB; {:.1} at start, {:.1} after twice as many", self.after, self.at_start, self.after_twice_as_many),
            met: self.after < MEBIBYTES,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}\n", self.machine)?;
        writeln!(
            formatter,
            "{:<5} {:<10} {:<21} {:>8} {:>7} {:>11} {:>8} {:>8} {:>8} {:>5} {:>6}",
            "size", "server", "what", "CPU us", "ratio", "quartiles", "p50 us", "p99 us", "per s", "busy", "MiB"
        )?;
        let mut size = None;
        for row in &self.rows {
            if size.replace(row.size).is_some_and(|size| size != row.size) {
                writeln!(formatter)?;
            }
            let [low, high] = row.ratio_quartiles;
            writeln!(
                formatter,
                "{:<5} {:<10} {:<21} {:>8.1} {:>7.2} {:>11} {:>8.0} {:>8.0} {:>8.0} {:>4.0}% {:>6.1}",
                row.size.as_str(),
                row.server.as_str(),
                row.what,
                row.microseconds,
                row.ratio,
                format!("{low:.2}-{high:.2}"),
                row.p50_microseconds,
                row.p99_microseconds,
                row.per_second,
                row.busy * 100.0,
                row.resident_mebibytes,
            )?;
        }
        writeln!(formatter)?;
        for Target { text, measured, met } in &self.targets {
            writeln!(formatter, "{} {text}: {measured}", if *met { "met   " } else { "MISSED" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let values = || vec![4.0, 1.0, 3.0, 5.0, 2.0];
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|share| quantile(values(), share)), [1.0, 2.0, 3.0, 5.0]);
        assert!(quantile(Vec::new(), 0.5).is_nan());
    }

    #[test]
    fn rounds_are_compared_with_the_same_round() {
        let rounds = |costs: &[f64]| costs.iter().map(|cost| Round { cost: *cost, rate: 1.0, busy: 1.0 }).collect::<Vec<_>>();
        assert_eq!(over(&rounds(&[2.0, 9.0]), &rounds(&[1.0, 3.0])), [2.0, 3.0]);
    }
}
