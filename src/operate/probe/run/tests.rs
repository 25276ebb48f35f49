//! Runs whose requests are answered here. Where one request is enough, the next is due an hour
//! later.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;

use super::*;
use crate::certificate::testing::in_time;
use crate::operate::probe::condition::{MaxErrors, Window};
use crate::operate::probe::failure::Failure;

const OFTEN: Duration = Duration::from_millis(1);
const ONCE: Duration = Duration::from_secs(3600);

/// Requests that fail while that is wanted.
fn failing(fails: &Arc<AtomicBool>) -> Ask {
    let fails = Arc::clone(fails);
    Box::new(move || {
        let outcome = if fails.load(Ordering::Relaxed) { Err(Failure::Refused) } else { Ok(()) };
        Box::pin(async move { outcome })
    })
}

fn probes(interval: Duration, conditions: Conditions, asks: Vec<Ask>) -> Probes {
    let terms = Terms {
        per_second: 10.0,
        timeout: Milliseconds(Duration::from_secs(2)),
        max_errors: conditions.max_errors.map(|limit| limit.to_string()),
        max_latency: conditions.max_latency.map(Milliseconds),
    };
    let schedule = Schedule { interval, most_under_way: 10 };
    let named = asks.into_iter().enumerate().map(|(place, ask)| (format!("probe-{place}"), ask));
    Probes::start(terms, conditions, schedule, watch::Sender::new(None), named.collect())
}

fn at_most(errors: u64) -> Conditions {
    Conditions { max_errors: Some(MaxErrors::Count(errors)), max_latency: None }
}

/// Until every probe has had an answer or an error.
async fn all_ended(probes: &Probes) {
    let mut ended = probes.run.ended.subscribe();
    let waits =
        |(_, probe): &(String, Arc<Running>)| probe.tally().sum(&Phase::ALL).requests() == 0;
    while probes.run.probes.iter().any(waits) {
        in_time(ended.changed()).await.unwrap();
    }
}

#[tokio::test]
async fn a_condition_that_breaks_during_the_change_is_known_at_once() {
    let fails = Arc::new(AtomicBool::new(false));
    let probes = probes(OFTEN, at_most(3), vec![failing(&fails)]);
    in_time(probes.baseline(OFTEN)).await.unwrap();
    probes.phase(Phase::During);
    assert_eq!((probes.breach(), probes.broken().now_or_never()), (None, None));
    fails.store(true, Ordering::Relaxed);
    let breach = in_time(probes.broken()).await;
    assert_eq!(
        (breach.window, breach.condition, &*breach.limit),
        (Window::Change, "--max-errors", "3")
    );
    assert_eq!(probes.breach(), Some(breach.clone()));
    assert_eq!(in_time(probes.settle(ONCE)).await, Err(breach), "nobody waits for nothing");
    fails.store(false, Ordering::Relaxed);
    probes.phase(Phase::After);
    let report = in_time(probes.finish()).await;
    assert_eq!(report.broken().len(), 1, "what was broken once stays broken");
    assert!(report.broken()[0].found.ends_with("requests failed"), "{:?}", report.broken());
    let errors: Vec<_> = report.probes[0].phases.iter().map(|of| of.numbers.errors).collect();
    assert!(errors.len() == 3 && errors[0] == 0 && errors[1] > 3, "{errors:?}");
}

#[tokio::test]
async fn a_probe_without_success_is_told_before_any_change() {
    let (fine, broken) = (Arc::default(), Arc::new(AtomicBool::new(true)));
    let both = || vec![failing(&fine), failing(&broken)];
    let measured = probes(ONCE, Conditions::default(), both());
    let error = in_time(measured.baseline(OFTEN)).await.unwrap_err();
    let said = "probe \"probe-1\" has no successful answer: 1 refused";
    assert_eq!(error.to_string(), said);
    let measured = probes(ONCE, at_most(0), both());
    all_ended(&measured).await;
    let error = in_time(measured.baseline(ONCE)).await.unwrap_err();
    let said = "probe \"probe-1\": 1 of 1 requests failed, before any change (--max-errors 0)";
    assert_eq!(error.to_string(), said);
}

#[tokio::test]
async fn what_broke_before_the_change_is_not_broken_by_it() {
    let probes = probes(ONCE, at_most(0), vec![failing(&Arc::new(AtomicBool::new(true)))]);
    all_ended(&probes).await;
    assert_eq!(probes.breach().map(|breach| breach.window), Some(Window::Before));
    probes.phase(Phase::During);
    assert_eq!(probes.breach(), None);
    let report = in_time(probes.finish()).await;
    let windows: Vec<_> = report.broken().iter().map(|breach| breach.window).collect();
    assert_eq!(windows, [Window::Before], "the report tells it");
}

#[tokio::test]
async fn shares_are_of_all_requests_at_the_end() {
    let conditions = Conditions { max_errors: "1%".parse().ok(), max_latency: None };
    let probes = probes(ONCE, conditions, vec![failing(&Arc::new(AtomicBool::new(true)))]);
    probes.phase(Phase::During);
    all_ended(&probes).await;
    assert_eq!(probes.breach(), None, "one request decides nothing while there are more to come");
    let report = in_time(probes.finish()).await;
    assert_eq!(report.broken()[0].found, "1 of 1 requests failed");
}

#[tokio::test]
async fn steps_and_phases_are_in_order_and_not_without_end() {
    let probes = probes(ONCE, Conditions::default(), vec![failing(&Arc::default())]);
    all_ended(&probes).await;
    probes.phase(Phase::During);
    probes.phase(Phase::During);
    for step in 0..1000 {
        probes.mark(format!("step {step}"));
    }
    probes.phase(Phase::After);
    let report = in_time(probes.finish()).await;
    let phases: Vec<_> = report.phases.iter().map(|span| span.phase).collect();
    assert_eq!(phases, Phase::ALL);
    assert!(report.phases.is_sorted_by_key(|span| span.start));
    assert_eq!((report.marks.len(), &*report.marks[7].label), (MOST_MARKS, "step 7"));
    assert!(report.phases[1].start <= report.marks[0].time);
    assert!(report.marks[0].time <= report.phases[2].start);
    assert!(report.phases[2].start <= report.length);
}

#[tokio::test]
async fn without_probes_nothing_is_waited_for() {
    let probes = probes(OFTEN, at_most(0), Vec::new());
    assert!(probes.is_empty());
    assert_eq!(probes.baseline(ONCE).now_or_never(), Some(Ok(())));
    assert_eq!(probes.settle(ONCE).now_or_never(), Some(Ok(())));
    assert_eq!(probes.broken().now_or_never(), None);
    let report = in_time(probes.finish()).await;
    assert!(report.is_empty() && report.broken().is_empty());
}

#[tokio::test]
async fn no_request_leaves_when_nobody_measures_any_more() {
    let (sent, mut seen) = watch::channel(());
    let ask: Ask = Box::new(move || {
        sent.send_replace(());
        Box::pin(async { Ok(()) })
    });
    let probes = probes(OFTEN, Conditions::default(), vec![ask]);
    in_time(seen.changed()).await.unwrap();
    drop(probes);
    // the sender goes with the driver
    while in_time(seen.changed()).await.is_ok() {}
}
