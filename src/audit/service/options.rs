//! The flags of `restraint audit` as a service.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use crate::service::LogFormat;

/// The shortest and the longest interval, in seconds.
const INTERVALS: std::ops::RangeInclusive<i64> = 1..=86_400;

/// How to audit as a service.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServiceOptions {
    /// Audit again and again, as often as this says (15m, 1h), and serve the latest report. In a
    /// pod it asks with the rights of the service account.
    #[arg(
        long,
        env = "RESTRAINT_AUDIT_EVERY",
        value_name = "DURATION",
        value_parser = interval,
        conflicts_with_all = ["format", "file", "fail_on", "strict"]
    )]
    pub(crate) every: Option<Duration>,

    /// With --every: address for the report, /livez, /readyz and /metrics, in the clear; `[::]` is
    /// every address of this machine, of IPv6 as of IPv4.
    #[arg(
        long,
        env = "RESTRAINT_AUDIT_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS",
        requires = "every"
    )]
    pub(crate) listen: SocketAddr,

    /// With --every: write a report into each namespace with findings, where the cluster knows
    /// Reports of openreports.io or PolicyReports of wgpolicyk8s.io.
    #[arg(
        long,
        env = "RESTRAINT_AUDIT_POLICY_REPORTS",
        requires = "every",
        conflicts_with = "selector"
    )]
    pub(crate) policy_reports: bool,

    /// With --every: how log lines look.
    #[arg(
        long,
        env = "RESTRAINT_AUDIT_LOG_FORMAT",
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        requires = "every"
    )]
    pub(crate) log_format: LogFormat,
}

/// Reads how often to audit.
fn interval(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration =
        text.parse().map_err(|_| "an interval looks like 15m or 1h".to_owned())?;
    match Duration::try_from(duration) {
        Ok(interval) if INTERVALS.contains(&duration.as_secs()) => Ok(interval),
        _ => Err("an interval is from 1s to 24h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_sound() {
        assert_eq!(interval("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(interval("24h"), Ok(Duration::from_secs(86_400)));
        for wrong in ["0s", "-15m", "25h", "999ms"] {
            assert_eq!(interval(wrong), Err("an interval is from 1s to 24h".to_owned()), "{wrong}");
        }
        for wrong in ["", "15", "often"] {
            assert_eq!(
                interval(wrong),
                Err("an interval looks like 15m or 1h".to_owned()),
                "{wrong}"
            );
        }
    }
}
