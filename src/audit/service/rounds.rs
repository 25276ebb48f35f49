//! One audit after the other, and who is told of each.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use crate::audit::report::{Missing, Report};
use crate::audit::reports::PolicyReports;
use crate::audit::reports::kept::{Kept, State};
use crate::cluster::Cluster;
use crate::report::counted;
use crate::service::health::{Health, Topic, Trouble};

use super::metrics::{Metrics, Outcome};
use super::numbers::Numbers;
use super::site::Site;

/// How long after an audit that failed the next one begins, at first; it doubles with each failure,
/// up to the interval.
const FIRST_PAUSE: Duration = Duration::from_secs(10);

/// The most gaps that are named in a line.
const MOST_GAPS: usize = 3;

/// Who is told.
pub(super) struct Audience {
    pub(super) health: Arc<Health>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) site: Arc<Site>,
}

/// Audits, one after the other.
pub(super) struct Rounds {
    every: Duration,
    audience: Audience,
    policy_reports: Option<PolicyReports>,
    shown: Shown,
    /// Failures since the last success.
    failures: u32,
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    Incomplete,
    Whole,
}

impl Rounds {
    /// None is done yet. Where there is a cluster, policy reports are kept in it.
    pub(super) fn new(every: Duration, audience: Audience, reports: Option<&Cluster>) -> Self {
        let policy_reports = reports.map(|cluster| PolicyReports::new(cluster.client.clone()));
        Self { every, audience, policy_reports, shown: Shown::Nothing, failures: 0 }
    }

    /// Audits for ever. Intervals go by a clock that nobody sets, from start to start.
    pub(super) async fn go_on(&mut self, audit: impl AsyncFn() -> anyhow::Result<Report>) {
        loop {
            let begun = Instant::now();
            let outcome = AssertUnwindSafe(audit()).catch_unwind().await;
            let result =
                outcome.unwrap_or_else(|_| Err(anyhow!("a panic, which is a bug in restraint")));
            let took = begun.elapsed();
            let outcome = self.told(result, took).await;
            self.failures = match outcome {
                Outcome::Success => 0,
                Outcome::Incomplete | Outcome::Failed => self.failures.saturating_add(1),
            };
            let next = match pause(self.failures, self.every) {
                None => begun.checked_add(self.every),
                Some(pause) => Instant::now().checked_add(pause),
            };
            sleep_until(next.unwrap_or(begun)).await;
        }
    }

    /// Tells everybody what came of an audit.
    async fn told(&mut self, result: anyhow::Result<Report>, took: Duration) -> Outcome {
        let report = match result {
            Ok(report) => report,
            Err(error) => return self.failed(&error, took),
        };
        let gaps = gaps(&report.missing);
        let outcome = if gaps.is_some() { Outcome::Incomplete } else { Outcome::Success };
        // one that is whole is not given up for one that is not
        if outcome == Outcome::Success || self.shown != Shown::Whole {
            if let Err(error) = self.audience.site.show(&report) {
                return self.failed(&error, took);
            }
            self.audience.metrics.show(Numbers::of(&report));
            self.audience.health.in_force(Topic::Audit, describe(&report));
            self.shown = if gaps.is_some() { Shown::Incomplete } else { Shown::Whole };
        }
        self.audience.metrics.run(outcome, took, report.missing.len());
        match &gaps {
            None => info!(findings = report.findings.len(), took = ?took, "audited"),
            Some(gaps) => {
                warn!(missing = report.missing.len(), took = ?took, "the audit is not whole: {gaps}");
                let why = format!("the last audit was not whole: {gaps}");
                self.audience.health.trouble(Topic::Audit, Trouble::Unreachable(why));
            }
        }
        self.keep(&report, gaps).await;
        outcome
    }

    fn failed(&self, error: &anyhow::Error, took: Duration) -> Outcome {
        let error = format!("{error:#}");
        warn!(error, "the audit failed; the last report stays");
        self.audience.health.trouble(Topic::Audit, Trouble::Unreachable(error));
        self.audience.metrics.run(Outcome::Failed, took, 0);
        Outcome::Failed
    }

    /// Keeps policy reports, if they are wanted. What is missing from a report is not gone.
    async fn keep(&mut self, report: &Report, gaps: Option<String>) {
        let Some(policy_reports) = &mut self.policy_reports else { return };
        let kept = match gaps {
            None => policy_reports.keep(report).await,
            Some(gaps) => {
                let why = format!("not written while the audit is not whole: {gaps}");
                Kept::none(State::Incomplete, why)
            }
        };
        self.audience.metrics.kept(&kept);
        let health = &self.audience.health;
        match kept.state {
            State::Kept(api) => {
                let standing = counted(kept.standing, "namespace");
                health.in_force(Topic::PolicyReports, format!("in {standing}, {api}"));
            }
            State::Absent => health.in_force(
                Topic::PolicyReports,
                "none: the cluster has neither openreports.io nor wgpolicyk8s.io".to_owned(),
            ),
            State::Off | State::OtherVersion | State::Incomplete | State::Failed => {}
        }
        if kept.written > 0 || kept.deleted > 0 {
            info!(written = kept.written, deleted = kept.deleted, "policy reports kept");
        }
        if let Some(why) = kept.trouble {
            warn!(failed = kept.failed, foreign = kept.foreign, "policy reports: {why}");
            health.trouble(Topic::PolicyReports, Trouble::Unreachable(why));
        }
    }
}

/// How long to wait after so many failures; `None` where the interval goes on.
fn pause(failures: u32, every: Duration) -> Option<Duration> {
    let doublings = failures.checked_sub(1)?;
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    Some(FIRST_PAUSE.saturating_mul(factor).min(every))
}

/// What keeps a report from being whole, in words. Single objects that cannot be read do not.
fn gaps(missing: &[Missing]) -> Option<String> {
    let gaps: Vec<_> = missing.iter().filter(|one| one.is_gap).collect();
    let mut words: Vec<_> =
        gaps.iter().take(MOST_GAPS).map(|one| format!("{}: {}", one.what, one.why)).collect();
    match gaps.len().checked_sub(MOST_GAPS).filter(|more| *more > 0) {
        Some(more) => words.push(format!("and {more} more")),
        None if words.is_empty() => return None,
        None => {}
    }
    Some(words.join("; "))
}

fn describe(report: &Report) -> String {
    let findings = counted(report.findings.len(), "finding");
    format!("of {}, {findings}, {} seen", report.time, counted(report.totals.pods, "pod"))
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use tracing_appender::non_blocking::NonBlockingBuilder;

    use crate::audit::testing::{finding, report};

    use super::*;

    fn rounds() -> Rounds {
        let every = Duration::from_secs(900);
        let (lines, _guard) = NonBlockingBuilder::default().finish(std::io::sink());
        let audience = Audience {
            health: Arc::new(Health::default()),
            metrics: Arc::new(Metrics::new(every, lines.error_counter())),
            site: Arc::new(Site::default()),
        };
        audience.health.wait_for(Topic::Audit);
        Rounds::new(every, audience, None)
    }

    fn whole() -> anyhow::Result<Report> {
        Ok(report(vec![finding("shop", "Pod", "a", "file-watch")], Vec::new()))
    }

    fn incomplete() -> anyhow::Result<Report> {
        let mut report = report(Vec::new(), Vec::new());
        report.missing.push(Missing::gap("pods", "pods is forbidden"));
        Ok(report)
    }

    fn counts_the_finding(rounds: &Rounds) -> bool {
        rounds.audience.metrics.render().contains("audit_findings{rule=\"file-watch\"")
    }

    #[tokio::test]
    async fn ready_once_there_is_a_report_and_from_then_on() {
        let mut rounds = rounds();
        let health = Arc::clone(&rounds.audience.health);
        let ready = || health.report().0 == StatusCode::OK;
        let away = || Err(anyhow!("the cluster does not answer"));
        assert_eq!(rounds.told(away(), Duration::ZERO).await, Outcome::Failed);
        assert!(!ready());
        assert!(health.report().1.contains("waiting for the first audit\n"));
        assert_eq!(rounds.told(whole(), Duration::ZERO).await, Outcome::Success);
        assert!(ready());
        assert_eq!(rounds.told(away(), Duration::ZERO).await, Outcome::Failed);
        assert!(ready() && counts_the_finding(&rounds));
        let said = health.report().1;
        assert!(said.contains("1 finding") && said.contains("does not answer"), "{said}");
    }

    #[tokio::test]
    async fn a_whole_report_is_not_given_up_for_one_with_gaps() {
        let mut rounds = rounds();
        assert_eq!(rounds.told(incomplete(), Duration::ZERO).await, Outcome::Incomplete);
        assert_eq!(rounds.audience.health.report().0, StatusCode::OK);
        rounds.told(whole(), Duration::ZERO).await;
        assert!(counts_the_finding(&rounds));
        rounds.told(incomplete(), Duration::ZERO).await;
        assert!(counts_the_finding(&rounds));
        let said = rounds.audience.health.report().1;
        assert!(said.contains("not whole: pods: pods is forbidden"), "{said}");
        rounds.told(Ok(report(Vec::new(), Vec::new())), Duration::ZERO).await;
        assert!(!counts_the_finding(&rounds));
    }

    #[test]
    fn what_cannot_be_read_is_a_gap_unless_it_is_single_objects() {
        let object = Missing::single("2 objects that cannot be read", "Pod: no JSON");
        assert_eq!(gaps(std::slice::from_ref(&object)), None);
        let kinds =
            ["pods", "jobs", "cronjobs", "deployments"].map(|what| Missing::gap(what, "no"));
        let words = gaps(&[vec![object], kinds.to_vec()].concat());
        assert_eq!(words.as_deref(), Some("pods: no; jobs: no; cronjobs: no; and 1 more"));
    }

    #[test]
    fn failures_are_repeated_less_and_less_often() {
        let every = Duration::from_secs(60);
        let pauses =
            [0, 1, 2, 3, 4, 99].map(|failures| pause(failures, every).map(|one| one.as_secs()));
        assert_eq!(pauses, [None, Some(10), Some(20), Some(40), Some(60), Some(60)]);
        assert_eq!(pause(1, Duration::from_secs(1)), Some(Duration::from_secs(1)));
    }
}
