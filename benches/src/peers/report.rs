//! What was measured, as Markdown and as JSON: medians over the rounds.

use std::fmt;

use serde::Serialize;

use crate::machine::Machine;
use crate::report::targets::{self, Target};
use crate::report::{mebibytes, quantile};

use super::ahead;
use super::contender::{Contender, FLOOR, RESTRAINT};
use super::goals;
use super::measure::{Plan, Rest, Row, Turn};
use super::reviews::{Expected, Review};

/// Everything that was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    machine: Machine,
    /// Peers that did not take part.
    absent: Vec<String>,
    connections: usize,
    /// Reviews a second at the steady rate: usual ones, large ones.
    rates: [f64; 2],
    even: bool,
    pub(super) servers: Vec<ServerFigures>,
    pub(super) reviews: Vec<ReviewFigures>,
    /// Where a peer is ahead of Restraint, one peer a line.
    ahead: Vec<String>,
    targets: Vec<Target>,
}

/// What a server showed by itself.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerFigures {
    pub(super) name: String,
    /// Before the first review.
    pub(super) resident_mebibytes: f64,
    anonymous_mebibytes: f64,
    file_mebibytes: f64,
    pub(super) peak_mebibytes: f64,
    /// Milliseconds of processor time in a second in which nobody asks anything.
    pub(super) resting_milliseconds: f64,
    pub(super) ready_seconds: Option<f64>,
    pub(super) program_mebibytes: Option<f64>,
}

/// What a server showed with a review.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReviewFigures {
    pub(super) review: String,
    pub(super) expected: Expected,
    bytes: usize,
    pub(super) server: String,
    /// Why it was not measured.
    fault: Option<String>,
    pub(super) closed: Option<Figures>,
    pub(super) steady: Option<Figures>,
    /// Why it was not measured at the steady rate.
    late: Option<String>,
}

/// Medians of the rounds, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Figures {
    /// Processor time for each review.
    pub(super) microseconds: f64,
    /// That over the floor's in the same round.
    pub(super) of_floor: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    per_second: f64,
}

impl Figures {
    /// Of the rounds, if there were any.
    pub(super) fn new(rounds: &[Turn], floors: &[Turn]) -> Option<Self> {
        let of = |value: fn(&Turn) -> f64| quantile(rounds.iter().map(value).collect(), 0.5);
        let ratios = rounds.iter().zip(floors).map(|(own, floor)| own.cost / floor.cost);
        (!rounds.is_empty()).then(|| Self {
            microseconds: of(|turn| turn.cost),
            of_floor: quantile(ratios.collect(), 0.5),
            p50: of(|turn| turn.p50),
            p99: of(|turn| turn.p99),
            per_second: of(|turn| turn.per_second),
        })
    }
}

impl ServerFigures {
    pub(super) fn new(contender: &Contender, rest: &Rest, program: Option<u64>) -> Self {
        Self {
            name: contender.name.clone(),
            resident_mebibytes: mebibytes(rest.memory.resident),
            anonymous_mebibytes: mebibytes(rest.memory.anonymous),
            file_mebibytes: mebibytes(rest.memory.file),
            peak_mebibytes: mebibytes(rest.peak),
            resting_milliseconds: rest.busy * 1e3,
            ready_seconds: contender.ready,
            // the floor is this program, which is more than the floor
            program_mebibytes: program.filter(|_| contender.name != FLOOR).map(mebibytes),
        }
    }
}

impl ReviewFigures {
    /// What `row` shows, beside the floor with the same review in `all`.
    pub(super) fn new(row: &Row, all: &[Row], review: &Review, names: &[&str]) -> Self {
        let name = |row: &Row| names.get(row.server).copied().unwrap_or_default();
        let floor = all.iter().find(|other| other.review == row.review && name(other) == FLOOR);
        let floors = |of: fn(&Row) -> &Vec<Turn>| floor.map_or(&[][..], |floor| of(floor));
        Self {
            review: review.name.clone(),
            expected: review.expected,
            bytes: review.body.len(),
            server: name(row).to_owned(),
            fault: row.fault.clone(),
            closed: Figures::new(&row.closed, floors(|row| &row.closed)),
            steady: Figures::new(&row.steady, floors(|row| &row.steady)),
            late: row.late.clone(),
        }
    }

    pub(super) fn is_own(&self) -> bool {
        self.server == RESTRAINT
    }
}

impl Report {
    pub(super) fn new(
        machine: Machine,
        absent: Vec<String>,
        plan: &Plan,
        servers: Vec<ServerFigures>,
        reviews: Vec<ReviewFigures>,
    ) -> Self {
        let targets = goals::all(&servers, &reviews, plan.rates);
        let ahead = ahead::all(&servers, &reviews);
        let Plan { in_flight: connections, rates, even, .. } = *plan;
        Self { machine, absent, connections, rates, even, servers, reviews, ahead, targets }
    }

    /// Whether every goal is reached.
    pub(super) fn is_met(&self) -> bool {
        self.targets.iter().all(|target| target.met)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.machine)?;
        match &*self.absent {
            [] => writeln!(out, "; every peer was there\n")?,
            absent => writeln!(out, "; not there: {}\n", absent.join(", "))?,
        }
        targets::write(out, &self.targets)?;
        self.write_reviews(out)?;
        self.write_servers(out)?;
        self.write_ahead(out)
    }
}

impl Report {
    fn write_reviews(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, rates: [usual, large], even, .. } = self;
        let arrive = if *even { "evenly" } else { "at random" };
        writeln!(out, "\n### A review, beside other engines\n")?;
        writeln!(
            out,
            "Closed: {connections} connections, each as fast as it is answered. Steady: {usual} a second, {large} of the large ones, {arrive}.\n"
        )?;
        writeln!(
            out,
            "| review | server | closed: CPU µs | of the floor | p50 µs | p99 µs | answers/s | steady: CPU µs | of the floor | p50 µs | p99 µs |"
        )?;
        writeln!(out, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for row in &self.reviews {
            row.write(out)?;
        }
        Ok(())
    }

    fn write_servers(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n### Memory, start and size, beside other engines\n")?;
        writeln!(
            out,
            "| server | MiB at rest | its own | of files | MiB at its peak | CPU at rest, ms/s | start to ready, s | program, MiB |"
        )?;
        writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
        let number = |value: Option<f64>, digits: usize| {
            value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
        };
        for row in &self.servers {
            writeln!(
                out,
                "| {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.2} | {} | {} |",
                row.name,
                row.resident_mebibytes,
                row.anonymous_mebibytes,
                row.file_mebibytes,
                row.peak_mebibytes,
                row.resting_milliseconds,
                number(row.ready_seconds, 3),
                number(row.program_mebibytes, 1),
            )?;
        }
        Ok(())
    }
}

impl Report {
    fn write_ahead(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = |server: &&ServerFigures| [FLOOR, RESTRAINT].contains(&&*server.name);
        if self.servers.iter().all(|server| own(&server)) {
            return Ok(());
        }
        writeln!(out, "\n### Where a peer is ahead\n")?;
        if self.ahead.is_empty() {
            writeln!(out, "In none of these figures.")?;
        }
        self.ahead.iter().try_for_each(|line| writeln!(out, "* {line}"))
    }
}

impl ReviewFigures {
    fn write(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bold = if self.is_own() { "**" } else { "" };
        write!(out, "| {} | {} |", self.review, self.server)?;
        match (&self.fault, self.closed) {
            (None, Some(closed)) => write!(
                out,
                " {:.0} | {bold}{:.2}{bold} | {:.0} | {:.0} | {:.0} |",
                closed.microseconds, closed.of_floor, closed.p50, closed.p99, closed.per_second
            )?,
            (fault, _) => write!(out, " {} | | | | |", cell(fault.as_deref()))?,
        }
        match (&self.late, self.steady) {
            (None, Some(steady)) => writeln!(
                out,
                " {:.0} | {bold}{:.2}{bold} | {:.0} | {:.0} |",
                steady.microseconds, steady.of_floor, steady.p50, steady.p99
            ),
            (late, _) => writeln!(out, " {} | | | |", cell(late.as_deref())),
        }
    }
}

/// A text that fits into a cell of a table.
fn cell(text: Option<&str>) -> String {
    let usable = |letter: &char| !letter.is_control() && *letter != '|';
    text.unwrap_or_default().chars().filter(usable).take(100).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn turn(cost: f64, p99: f64) -> Turn {
        Turn { cost, per_second: 100.0, p50: p99 / 2.0, p99 }
    }

    #[test]
    fn rounds_are_compared_with_the_floor_of_the_same_round() {
        let own = [turn(30.0, 5.0), turn(80.0, 1.0), turn(10.0, 9.0)];
        let floors = [turn(10.0, 1.0), turn(40.0, 1.0), turn(10.0, 1.0)];
        let figures = Figures::new(&own, &floors).unwrap();
        let expected =
            Figures { microseconds: 30.0, of_floor: 2.0, p50: 2.5, p99: 5.0, per_second: 100.0 };
        assert_eq!(figures, expected);
        assert_eq!(Figures::new(&[], &floors), None);
    }

    #[test]
    fn a_row_says_why_it_was_not_measured() {
        let review = Review {
            name: "resize denied, 8 KB".to_owned(),
            body: Bytes::new(),
            expected: Expected::Denied,
        };
        let rows = [
            Row { closed: vec![turn(10.0, 1.0)], steady: vec![turn(50.0, 2.0)], ..Row::default() },
            Row {
                server: 1,
                closed: vec![turn(40.0, 3.0)],
                late: Some("answers 1.0 a second".to_owned()),
                ..Row::default()
            },
            Row { server: 2, fault: Some("allowed | instead".to_owned()), ..Row::default() },
        ];
        let names = [FLOOR, RESTRAINT, "peer"];
        let lines = rows.each_ref().map(|row| {
            struct Line(ReviewFigures);
            impl fmt::Display for Line {
                fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.write(out)
                }
            }
            Line(ReviewFigures::new(row, &rows, &review, &names)).to_string()
        });
        assert_eq!(
            lines,
            [
                "| resize denied, 8 KB | floor | 10 | 1.00 | 0 | 1 | 100 | 50 | 1.00 | 1 | 2 |\n",
                "| resize denied, 8 KB | restraint | 40 | **4.00** | 2 | 3 | 100 | answers 1.0 a second | | | |\n",
                "| resize denied, 8 KB | peer | allowed  instead | | | | |  | | | |\n",
            ]
        );
    }
}
