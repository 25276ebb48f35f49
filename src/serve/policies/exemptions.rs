//! The exemptions of the policies, counted by their state when somebody scrapes.

use std::fmt::Error;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::judge::exemption::End;
use crate::policies::set::PolicySet;
use crate::serve::followed::Followed;

/// An exemption that ends within this time ends soon.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

#[derive(Debug)]
pub(in crate::serve) struct Exemptions(pub(in crate::serve) Arc<Followed<Option<PolicySet>>>);

#[derive(Clone, Debug, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// The states of an exemption.
const STATES: [&str; 3] = ["in-force", "ends-soon", "ended"];

impl Collector for Exemptions {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let (policies, now) = (self.0.load(), Timestamp::now());
        let exemptions = policies.iter().flat_map(|policies| policies.exemptions());
        let states: Vec<_> =
            exemptions.map(|exemption| state(exemption.until.as_ref(), now)).collect();
        let help = "exemptions of the policies, by state; one that ends within 14 days ends soon";
        let mut family = encoder.encode_descriptor("exemptions", help, None, MetricType::Gauge)?;
        for state in STATES {
            let count = states.iter().filter(|other| **other == state).count();
            let labels = StateLabels { state };
            let gauge = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
            gauge.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn state(until: Option<&End>, now: Timestamp) -> &'static str {
    let [in_force, ends_soon, ended] = STATES;
    match until {
        Some(end) if !end.is_ahead(Some(now)) => ended,
        Some(end) if end.at().duration_since(now) <= SOON => ends_soon,
        _ => in_force,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exemption_ends_soon_two_weeks_before() {
        let end = End::parse("2026-12-31").unwrap();
        let at = |now: &str| state(Some(&end), now.parse().unwrap());
        assert_eq!(at("2026-12-17T23:59:59Z"), "in-force");
        assert_eq!(at("2026-12-18T00:00:00Z"), "ends-soon");
        assert_eq!(at("2026-12-31T23:59:59Z"), "ends-soon");
        assert_eq!(at("2027-01-01T00:00:00Z"), "ended");
        assert_eq!(state(None, Timestamp::now()), "in-force");
    }
}
