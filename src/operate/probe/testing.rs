//! A report for the tests of its forms: a minute in which a service was away for six seconds.

use std::time::Duration;

use super::condition::{Breach, Conditions, Window};
use super::duration::Milliseconds;
use super::failure::Failure;
use super::phase::Phase;
use super::report::{Mark, Measured, PhaseSpan, ProbeReport, SCHEMA, Terms};
use super::tally::Tally;

/// What somebody would write who wants to leave their place.
pub(super) const HOSTILE: &str = "</text></svg></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'`{{style}}<!--\u{2028}\u{202e}&lt;\n]]>";

const SPANS: [(Phase, u64); 3] =
    [(Phase::Before, 0), (Phase::During, 10_000), (Phase::After, 45_000)];

/// The report; `name` is that of the second probe, and of a step.
pub(super) fn report(name: &str) -> ProbeReport {
    let mark = |milliseconds, label: &str| Mark { time: at(milliseconds), label: label.to_owned() };
    let phases = SPANS.map(|(phase, start)| PhaseSpan { phase, start: at(start) });
    ProbeReport {
        schema: SCHEMA,
        started: "2026-01-02T03:04:05Z".parse().unwrap(),
        length: at(60_000),
        terms: Terms {
            per_second: 10.0,
            timeout: at(2_000),
            max_errors: Some("1%".to_owned()),
            max_latency: Some(at(250)),
        },
        probes: vec![measured("http://web.shop/healthz"), measured(name)],
        phases: phases.to_vec(),
        marks: vec![
            mark(10_000, "resize of pod \"db-0\" sent: memory of \"app\" 512Mi -> 1Gi"),
            mark(10_400, "resize is in progress"),
            mark(20_000, "container \"app\" ended"),
            mark(25_800, "container \"app\" runs"),
            mark(28_000, name),
            mark(58_000, "pod \"db-0\" is ready for 30 s, and this label is near the edge"),
        ],
        broken: vec![Breach {
            probe: name.to_owned(),
            window: Window::Change,
            condition: "--max-errors",
            limit: "1%".to_owned(),
            found: "62 of 500 requests failed".to_owned(),
        }],
    }
}

fn at(milliseconds: u64) -> Milliseconds {
    Milliseconds(Duration::from_millis(milliseconds))
}

/// Ten requests a second: refused from 20 s to 26 s, after that two errors and slow answers for two
/// seconds.
fn measured(name: &str) -> Measured {
    let max_latency = Some(Duration::from_millis(250));
    let mut tally = Tally::new(Conditions { max_errors: None, max_latency });
    let mut spans = SPANS.into_iter().skip(1).peekable();
    for number in 0..600_u64 {
        let due = number * 100;
        if let Some((phase, start)) = spans.next_if(|(_, start)| *start <= due) {
            tally.switch(phase, at(start).0);
        }
        let (latency, outcome) = match due {
            20_000..26_000 => (1, Err(Failure::Refused)),
            26_000..26_200 => (3, Err(Failure::Status(503))),
            26_200..28_000 => (40 + (28_000 - due) / 2, Ok(())),
            // from 4 to 12 ms, as if by chance
            _ => (4 + number * 7919 % 9, Ok(())),
        };
        let request = tally.request(at(due).0);
        tally.end(request, at(due + latency).0, outcome);
    }
    tally.close(at(60_000).0);
    Measured::of(name, &tally, &Phase::ALL)
}
