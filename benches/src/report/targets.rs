//! What was aimed at, and what became of it.

use std::fmt;

use serde::Serialize;

use crate::cases::{Answerer, Size};

use super::{Latency, Row};

/// Processor time of a whole review over the floor's, at most.
pub(crate) const OVER_FLOOR: f64 = 2.4;

/// Processor time of kube's types over Restraint's, at least, from 20 KB on.
const UNDER_KUBE: f64 = 3.5;

/// The p99 at half of capacity over the floor's, at most.
pub(crate) const QUEUED: f64 = 3.0;

/// Memory, in MiB, below.
const MEBIBYTES: f64 = 25.0;

/// What the memory may grow by in the second half of the reviews, in MiB.
const GROWTH: f64 = 0.5;

/// A target and what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    pub(crate) text: String,
    pub(crate) measured: String,
    pub(crate) met: bool,
}

/// The targets as a table.
pub(crate) fn write(out: &mut fmt::Formatter<'_>, targets: &[Target]) -> fmt::Result {
    writeln!(out, "| target | figure | |\n|---|---|---|")?;
    for Target { text, measured, met } in targets {
        writeln!(out, "| {text} | {measured} | {} |", if *met { "met" } else { "**missed**" })?;
    }
    Ok(())
}

pub(super) fn all(rows: &[Row], latencies: &[Latency], memory: &[(u64, f64)]) -> Vec<Target> {
    [over_floor(rows), under_kube(rows), queued(latencies), resident(memory)].into_iter().collect()
}

const SIZES: [Size; 4] = [Size::Small, Size::Medium, Size::Large, Size::Huge];

/// A target that is met where every one of `values` is.
fn target(
    text: String,
    values: impl Iterator<Item = (Size, f64)>,
    worst: fn(f64, f64) -> f64,
    meets: impl Fn(f64) -> bool,
) -> Target {
    let values: Vec<_> = values.collect();
    let of =
        |size| values.iter().filter(|value| value.0 == size).map(|value| value.1).reduce(worst);
    let each =
        SIZES.into_iter().filter_map(|size| Some(format!("{} {:.2}", size.as_str(), of(size)?)));
    let (worst, met) =
        (each.collect::<Vec<_>>().join(", "), values.iter().filter(|value| meets(value.1)).count());
    Target {
        text,
        measured: format!("{worst}; met in {met} of {} cases", values.len()),
        met: met == values.len(),
    }
}

fn over_floor(rows: &[Row]) -> Target {
    let own = rows
        .iter()
        .filter(|row| row.server == Answerer::Restraint)
        .map(|row| (row.size, row.ratio));
    let text = format!(
        "at most {OVER_FLOOR} times the processor time of the floor, the worst case of each size"
    );
    target(text, own, f64::max, |ratio| ratio <= OVER_FLOOR)
}

fn under_kube(rows: &[Row]) -> Target {
    let own =
        rows.iter().filter(|row| row.server == Answerer::Restraint && row.size != Size::Small);
    let text = format!(
        "at least {UNDER_KUBE} times cheaper than kube's types, the worst case of each size"
    );
    target(text, own.map(|row| (row.size, row.under_kube)), f64::min, |ratio| ratio >= UNDER_KUBE)
}

fn queued(latencies: &[Latency]) -> Target {
    let own =
        latencies.iter().filter(|row| row.server == Answerer::Restraint && row.load == Some(50.0));
    let text = format!("at half of capacity a p99 of at most {QUEUED} times the floor's");
    target(text, own.map(|row| (row.size, row.over_floor)), f64::max, |ratio| ratio <= QUEUED)
}

fn resident(memory: &[(u64, f64)]) -> Target {
    let after = |share: usize| {
        memory.get(memory.len().saturating_sub(1) * share / 2).map_or(f64::NAN, |look| look.1)
    };
    let reviews = memory.last().map_or(0, |look| look.0);
    let (start, half, end) = (after(0), after(1), after(2));
    Target {
        text: format!("less than {MEBIBYTES} MiB resident after {reviews} reviews, and flat"),
        measured: format!("{end:.1} MiB; {start:.1} at start, {half:.1} after half of them"),
        met: end < MEBIBYTES && end - half <= GROWTH,
    }
}
