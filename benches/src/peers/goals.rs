//! What was aimed at, and what became of it.

use crate::report::targets::Target;

use super::contender::RESTRAINT;
use super::report::{ReviewFigures, ServerFigures};
use super::reviews::Expected;

/// Processor time of a review that is allowed or amended over the floor's, at the steady rate, at
/// most.
const ALLOWED: f64 = 1.5;

/// The same of one that is denied: the denial is told, logged and counted.
const DENIED: f64 = 1.8;

/// MiB resident at rest, at most.
pub(super) const MEBIBYTES: f64 = 14.0;

pub(super) fn all(
    servers: &[ServerFigures],
    reviews: &[ReviewFigures],
    rates: [f64; 2],
) -> Vec<Target> {
    vec![
        steady(
            "allowed or amended",
            |expected| expected != Expected::Denied,
            ALLOWED,
            reviews,
            rates,
        ),
        steady("denied", |expected| expected == Expected::Denied, DENIED, reviews, rates),
        at_rest(servers),
    ]
}

fn steady(
    what: &str,
    is_meant: impl Fn(Expected) -> bool,
    most: f64,
    reviews: &[ReviewFigures],
    [usual, large]: [f64; 2],
) -> Target {
    let own = reviews.iter().filter(|row| row.is_own() && is_meant(row.expected));
    let ratios: Vec<(&str, Option<f64>)> =
        own.map(|row| (&*row.review, row.steady.map(|steady| steady.of_floor))).collect();
    let each: Vec<String> = ratios
        .iter()
        .map(|(review, ratio)| {
            let ratio = ratio.map_or("not measured".to_owned(), |ratio| format!("{ratio:.2}"));
            format!("{review}: {ratio}")
        })
        .collect();
    Target {
        text: format!(
            "{what}: at most {most} times the processor time of the floor at {usual} a second, {large} of the large ones"
        ),
        measured: each.join("; "),
        met: !ratios.is_empty()
            && ratios.iter().all(|(_, ratio)| ratio.is_some_and(|ratio| ratio <= most)),
    }
}

fn at_rest(servers: &[ServerFigures]) -> Target {
    let own = servers.iter().find(|server| server.name == RESTRAINT);
    let resident = own.map_or(f64::INFINITY, |own| own.resident_mebibytes);
    Target {
        text: format!("at most {MEBIBYTES} MiB resident at rest"),
        measured: format!("{resident:.1} MiB"),
        met: resident <= MEBIBYTES,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::peers::contender::FLOOR;
    use crate::peers::measure::{Row, Turn};
    use crate::peers::reviews::Review;

    use super::*;

    fn rows(expected: Expected, floor: f64, own: f64) -> Vec<ReviewFigures> {
        let turn = |cost| Turn { cost, per_second: 200.0, p50: 1.0, p99: 1.0 };
        let row = |server, cost| Row { server, steady: vec![turn(cost)], ..Row::default() };
        let rows = [row(0, floor), row(1, own)];
        let review = Review { name: "r".to_owned(), body: Bytes::new(), expected };
        let figures = |row| ReviewFigures::new(row, &rows, &review, &[FLOOR, RESTRAINT]);
        rows.iter().map(figures).collect()
    }

    #[test]
    fn goals_are_ratios_to_the_floor() {
        let met = |expected, own| {
            let reviews = rows(expected, 100.0, own);
            let found = all(&[], &reviews, [200.0, 40.0]);
            found.into_iter().take(2).map(|target| target.met).collect::<Vec<_>>()
        };
        // a kind that was not measured is not met
        assert_eq!(met(Expected::Allowed, 150.0), [true, false]);
        assert_eq!(met(Expected::Amended, 151.0), [false, false]);
        assert_eq!(met(Expected::Denied, 180.0), [false, true]);
        assert_eq!(met(Expected::Denied, 181.0), [false, false]);
    }

    #[test]
    fn what_was_measured_is_told() {
        let mut reviews = rows(Expected::Denied, 100.0, 170.0);
        reviews.extend(rows(Expected::Denied, 100.0, 190.0));
        let found = all(&[], &reviews, [200.0, 40.0]);
        assert_eq!(found[1].measured, "r: 1.70; r: 1.90");
        assert_eq!(
            found[1].text,
            "denied: at most 1.8 times the processor time of the floor at 200 a second, 40 of the large ones"
        );
        assert!(!found[1].met && !found[2].met);
    }
}
