//! What each step costs on its own, without a network: the library is called as the server calls
//! it.

use std::hint::black_box;
use std::time::Duration;

use anyhow::Context;
use nix::time::{ClockId, clock_gettime};
use serde::Serialize;
use serde::de::IgnoredAny;

use restraint::judge::policies::Policies;
use restraint::judge::subject::Subject;
use restraint::review::{Path, answer, decide, decode_for};

use crate::cases::{self, Answerer, Case, Size, What};
use crate::config_map;
use crate::report::quantile;

/// Samples of each step; their median counts.
const SAMPLES: usize = 15;

/// What the steps cost, in microseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stages {
    pub(crate) size: Size,
    pub(crate) what: What,
    pub(crate) done: &'static str,
    pub(crate) bytes: usize,
    /// To skip over the JSON: below that no decoding can get.
    pub(crate) scan: f64,
    pub(crate) decode: f64,
    /// Judging, or amending where the row is about that.
    pub(crate) judge: f64,
    pub(crate) answer: f64,
}

/// Measures the steps of every case that Restraint answers, for about `share` each.
pub(crate) fn all(cases: &[Case], share: Duration) -> anyhow::Result<Vec<Stages>> {
    let policies = Policies::embedded();
    cases
        .iter()
        .filter(|case| case.answerer == Answerer::Restraint)
        .map(|case| one(case, &policies, share))
        .collect()
}

fn one(case: &Case, policies: &Policies, share: Duration) -> anyhow::Result<Stages> {
    let body = &*case.post.body;
    let path = path(case);
    let mut review = decode_for(path, body).context("a review cannot be judged")?;
    config_map::tell_users(&mut review.subject);
    let decided = |subject: &Subject<'_>| decide(policies, path, subject, || false);
    let verdict = decided(&review.subject);
    let share = share / 4;
    Ok(Stages {
        size: case.size,
        what: case.what,
        done: case.done,
        bytes: body.len(),
        scan: cost(share, || {
            drop(black_box(serde_json::from_slice::<IgnoredAny>(black_box(body))))
        })?,
        decode: cost(share, || drop(black_box(decode_for(path, black_box(body)))))?,
        judge: cost(share, || drop(black_box(decided(black_box(&review.subject)))))?,
        answer: cost(share, || {
            drop(black_box(answer(black_box(&review.uid), black_box(&verdict))))
        })?,
    })
}

fn path(case: &Case) -> Path {
    if case.is_amended() { Path::Mutate } else { Path::Validate }
}

/// Takes every case of a kind through its steps, so many times.
pub(crate) fn repeat(size: Size, what: What, times: u32) -> anyhow::Result<()> {
    let policies = Policies::embedded();
    let own = |case: &Case| case.answerer == Answerer::Restraint;
    for case in cases::all(&[size], &[what])?.into_iter().filter(own) {
        let path = path(&case);
        for _ in 0..times {
            let review = decode_for(path, black_box(&case.post.body))
                .context("a review cannot be judged")?;
            let verdict = decide(&policies, path, &review.subject, || false);
            drop(black_box(answer(&review.uid, &verdict)));
        }
    }
    Ok(())
}

/// Microseconds of processor time.
fn cost(share: Duration, mut step: impl FnMut()) -> anyhow::Result<f64> {
    let begun = on_processor()?;
    let mut warm_up = 0u32;
    while warm_up < 3 || on_processor()?.saturating_sub(begun) < share / 8 {
        step();
        warm_up += 1;
    }
    let each = on_processor()?.saturating_sub(begun) / warm_up;
    let times =
        (share.as_secs_f64() / SAMPLES as f64 / each.as_secs_f64().max(1e-9)).ceil().max(1.0);
    let mut samples = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let begun = on_processor()?;
        for _ in 0..times as u64 {
            step();
        }
        samples.push(on_processor()?.saturating_sub(begun).as_secs_f64() * 1e6 / times);
    }
    Ok(quantile(samples, 0.5))
}

/// How long this thread has been on a processor.
fn on_processor() -> anyhow::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).context("no clock for this thread")?.into())
}
