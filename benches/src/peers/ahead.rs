//! Where a peer is ahead of Restraint: said by every run, whatever it found.

use super::contender::{FLOOR, RESTRAINT};
use super::report::{Figures, ReviewFigures, ServerFigures};

/// What a server showed, and of what: less is better.
type Measures = Vec<(String, Option<f64>)>;

/// Each peer that is ahead in something, and in what.
pub(super) fn all(servers: &[ServerFigures], reviews: &[ReviewFigures]) -> Vec<String> {
    let own = measures(RESTRAINT, servers, reviews);
    let peers = servers.iter().filter(|server| ![FLOOR, RESTRAINT].contains(&&*server.name));
    peers
        .filter_map(|peer| ahead(&peer.name, measures(&peer.name, servers, reviews), &own))
        .collect()
}

fn ahead(name: &str, peer: Measures, own: &Measures) -> Option<String> {
    let less = peer.into_iter().zip(own).filter_map(|((what, theirs), (_, own))| {
        let (theirs, own) = (theirs?, (*own)?);
        (theirs < own).then(|| format!("{what} ({theirs:.1} instead of {own:.1})"))
    });
    let less: Vec<String> = less.collect();
    (!less.is_empty()).then(|| format!("{name}: {}", less.join("; ")))
}

fn measures(name: &str, servers: &[ServerFigures], reviews: &[ReviewFigures]) -> Measures {
    let mut measures = Vec::new();
    for row in reviews.iter().filter(|row| row.server == name) {
        for (how, figures) in [("closed", row.closed), ("steady", row.steady)] {
            let of = |what: &str, value: fn(&Figures) -> f64| {
                (format!("{}, {how}, {what}", row.review), figures.as_ref().map(value))
            };
            measures.push(of("CPU µs", |figures| figures.microseconds));
            measures.push(of("p50 µs", |figures| figures.p50));
            measures.push(of("p99 µs", |figures| figures.p99));
        }
    }
    for server in servers.iter().filter(|server| server.name == name) {
        measures.extend([
            ("MiB at rest".to_owned(), Some(server.resident_mebibytes)),
            ("MiB at its peak".to_owned(), Some(server.peak_mebibytes)),
            ("CPU at rest, ms/s".to_owned(), Some(server.resting_milliseconds)),
            ("start to ready, ms".to_owned(), server.ready_seconds.map(|seconds| seconds * 1e3)),
            ("program, MiB".to_owned(), server.program_mebibytes),
        ]);
    }
    measures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_is_ahead() {
        let measures = |values: [Option<f64>; 3]| {
            let named = |(index, value)| (format!("m{index}"), value);
            values.into_iter().enumerate().map(named).collect::<Measures>()
        };
        let own = measures([Some(2.0), Some(3.0), Some(4.0)]);
        // what was not measured is no lead
        assert_eq!(ahead("a", measures([Some(2.0), Some(9.0), None]), &own), None);
        assert_eq!(
            ahead("a", measures([Some(1.0), Some(9.0), Some(3.5)]), &own).as_deref(),
            Some("a: m0 (1.0 instead of 2.0); m2 (3.5 instead of 4.0)")
        );
    }
}
