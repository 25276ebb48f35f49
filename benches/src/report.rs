//! What was measured, as Markdown and as JSON, and whether the targets are met.

pub(crate) mod targets;

use std::fmt;

use serde::Serialize;

use crate::cases::{Answerer, Size, What};
use crate::machine::Machine;
use crate::measure::{Load, Measured, Memory, Queued, Round};
use crate::stages::Stages;
pub(crate) use targets::OVER_FLOOR;
use targets::Target;

/// Everything that was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Row>,
    pub(crate) stages: Vec<Stages>,
    pub(crate) latencies: Vec<Latency>,
    /// MiB resident after so many reviews.
    pub(crate) memory: Vec<(u64, f64)>,
    targets: Vec<Target>,
}

/// What one case showed in the closed loop: medians over the rounds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) size: Size,
    pub(crate) what: What,
    bytes: usize,
    pub(crate) server: Answerer,
    done: &'static str,
    /// Processor time of one review, in microseconds.
    pub(crate) microseconds: f64,
    /// That over the floor's in the same round.
    pub(crate) ratio: f64,
    /// The quarter of the rounds with the smallest and the largest ratios lie outside of these.
    ratio_quartiles: [f64; 2],
    /// kube's over this one in the same round.
    under_kube: f64,
    per_second: f64,
    /// The share of the time that the server was on its processor.
    busy: f64,
    resident_mebibytes: f64,
}

/// What one server showed under one load of the open loop, in microseconds from when a review was
/// due.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Latency {
    pub(crate) size: Size,
    pub(crate) server: Answerer,
    /// In per cent of the server's own capacity; `None` for as many as at half of Restraint's.
    pub(crate) load: Option<f64>,
    per_second: f64,
    reviews: usize,
    p50: f64,
    pub(crate) p99: f64,
    p999: f64,
    /// Its p99 over the floor's at the same share of capacity in the same round.
    pub(crate) over_floor: f64,
}

impl Report {
    pub(crate) fn new(
        machine: Machine,
        measured: &[Measured],
        stages: Vec<Stages>,
        queued: &[Queued],
        memory: &Memory,
    ) -> Self {
        let rows: Vec<Row> = measured.iter().map(|row| Row::new(row, measured)).collect();
        let latencies: Vec<Latency> = queued.iter().map(|row| Latency::new(row, queued)).collect();
        let memory: Vec<(u64, f64)> =
            memory.iter().map(|(reviews, bytes)| (*reviews, mebibytes(*bytes))).collect();
        let targets = targets::all(&rows, &latencies, &memory);
        Self { machine, rows, stages, latencies, memory, targets }
    }

    /// Whether every target is met.
    pub(crate) fn is_met(&self) -> bool {
        self.targets.iter().all(|target| target.met)
    }
}

impl Row {
    fn new(measured: &Measured, all: &[Measured]) -> Self {
        let Measured { case, rounds, resident } = measured;
        let rounds_of = |answerer| {
            let same = |other: &&Measured| {
                (other.case.size, other.case.what, other.case.answerer)
                    == (case.size, case.what, answerer)
            };
            all.iter().find(same).map_or(&[][..], |other| &other.rounds)
        };
        let over = over(rounds, rounds_of(Answerer::Floor));
        let of = |value: fn(&Round) -> f64| quantile(rounds.iter().map(value).collect(), 0.5);
        Self {
            size: case.size,
            what: case.what,
            bytes: case.post.body.len(),
            server: case.answerer,
            done: case.done,
            microseconds: measured.cost(),
            ratio: quantile(over.clone(), 0.5),
            ratio_quartiles: [quantile(over.clone(), 0.25), quantile(over, 0.75)],
            under_kube: quantile(self::over(rounds_of(Answerer::Kube), rounds), 0.5),
            per_second: of(|round| round.rate),
            busy: of(|round| round.busy),
            resident_mebibytes: mebibytes(*resident),
        }
    }
}

impl Latency {
    fn new(queued: &Queued, all: &[Queued]) -> Self {
        let floor = all.iter().find(|other| {
            (other.size, other.what, other.answerer, other.load)
                == (queued.size, queued.what, Answerer::Floor, queued.load)
        });
        let of = |rounds: &[Vec<u32>], share: f64| -> Vec<f64> {
            rounds.iter().map(|round| sorted_quantile(round, share) / 1e3).collect()
        };
        let floors = floor.map_or(Vec::new(), |floor| of(&floor.rounds, 0.99));
        let over = of(&queued.rounds, 0.99)
            .into_iter()
            .zip(floors)
            .map(|(own, floor)| own / floor)
            .collect();
        let together: Vec<f64> =
            queued.rounds.iter().flatten().map(|latency| f64::from(*latency) / 1e3).collect();
        Self {
            size: queued.size,
            server: queued.answerer,
            load: match queued.load {
                Load::Own(share) => Some(share * 100.0),
                Load::AsRestraint => None,
            },
            per_second: queued.per_second,
            reviews: together.len(),
            p50: quantile(of(&queued.rounds, 0.5), 0.5),
            p99: quantile(of(&queued.rounds, 0.99), 0.5),
            p999: quantile(together, 0.999),
            over_floor: quantile(over, 0.5),
        }
    }
}

/// What each round cost over what it cost there.
fn over(rounds: &[Round], others: &[Round]) -> Vec<f64> {
    rounds.iter().zip(others).map(|(round, other)| round.cost / other.cost).collect()
}

/// The value that this share of `values` lies below.
pub(crate) fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(place(values.len(), share)).copied().unwrap_or(f64::NAN)
}

/// The same of values that are in order.
pub(crate) fn sorted_quantile(values: &[u32], share: f64) -> f64 {
    values.get(place(values.len(), share)).map_or(f64::NAN, |value| f64::from(*value))
}

fn place(count: usize, share: f64) -> usize {
    (count.saturating_sub(1) as f64 * share).round() as usize
}

/// Bytes as MiB.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n", self.machine)?;
        targets::write(out, &self.targets)?;
        self.write_rows(out)?;
        self.write_stages(out)?;
        self.write_latencies(out)?;
        self.write_memory(out)
    }
}

impl Report {
    fn write_rows(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n### The whole request over TLS\n")?;
        writeln!(
            out,
            "| review | bytes | server | what | CPU µs | of the floor | quartiles | cheaper than kube | answers/s | MiB |"
        )?;
        writeln!(out, "|---|--:|---|---|--:|--:|---|--:|--:|--:|")?;
        for row in &self.rows {
            let [low, high] = row.ratio_quartiles;
            let own = row.server == Answerer::Restraint;
            let (bold, cheaper) =
                if own { ("**", format!("{:.1}", row.under_kube)) } else { ("", String::new()) };
            writeln!(
                out,
                "| {}, {} | {} | {} | {} | {:.1} | {bold}{:.2}{bold} | {low:.2}-{high:.2} | {cheaper} | {:.0} | {:.1} |",
                row.size.as_str(),
                row.what.as_str(),
                row.bytes,
                row.server.as_str(),
                row.done,
                row.microseconds,
                row.ratio,
                row.per_second,
                row.resident_mebibytes,
            )?;
        }
        Ok(())
    }

    fn write_stages(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n### The steps, without a network\n")?;
        writeln!(
            out,
            "| review | what | scan µs | decode µs | judge or amend µs | answer µs |\n|---|---|--:|--:|--:|--:|"
        )?;
        for Stages { size, what, done, scan, decode, judge, answer, .. } in &self.stages {
            let (size, what) = (size.as_str(), what.as_str());
            writeln!(
                out,
                "| {size}, {what} | {done} | {scan:.1} | {decode:.1} | {judge:.2} | {answer:.2} |"
            )?;
        }
        Ok(())
    }

    fn write_latencies(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n### Latency while reviews arrive at random\n")?;
        writeln!(
            out,
            "| create | load | server | reviews/s | p50 µs | p99 µs | p99.9 µs | p99 of the floor's | reviews |"
        )?;
        writeln!(out, "|---|---|---|--:|--:|--:|--:|--:|--:|")?;
        for Latency { size, server, load, per_second, reviews, p50, p99, p999, over_floor } in
            &self.latencies
        {
            let load =
                load.map_or("as restraint at 50 %".to_owned(), |share| format!("{share:.0} %"));
            writeln!(
                out,
                "| {} | {load} | {} | {per_second:.0} | {p50:.0} | {p99:.0} | {p999:.0} | {over_floor:.2} | {reviews} |",
                size.as_str(),
                server.as_str(),
            )?;
        }
        Ok(())
    }

    fn write_memory(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n### Memory\n\n| reviews | resident MiB |\n|--:|--:|")?;
        let last = self.memory.len().saturating_sub(1);
        for (index, (reviews, mebibytes)) in self.memory.iter().enumerate() {
            if index < 3 || index % 5 == 0 || index == last {
                writeln!(out, "| {reviews} | {mebibytes:.1} |")?;
            }
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
        assert_eq!(
            [0.0, 0.25, 0.5, 1.0].map(|share| quantile(values(), share)),
            [1.0, 2.0, 3.0, 5.0]
        );
        assert!(quantile(Vec::new(), 0.5).is_nan());
        assert_eq!(sorted_quantile(&[10, 20, 30], 0.5), 20.0);
    }

    #[test]
    fn rounds_are_compared_with_the_same_round() {
        let rounds = |costs: &[f64]| {
            costs.iter().map(|cost| Round { cost: *cost, rate: 1.0, busy: 1.0 }).collect::<Vec<_>>()
        };
        assert_eq!(over(&rounds(&[4.0, 9.0]), &rounds(&[2.0, 3.0])), [2.0, 3.0]);
    }
}
