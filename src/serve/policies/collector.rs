//! The digest of the policies in force, read when somebody scrapes: one series, never two.

use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use crate::policies::set::PolicySet;
use crate::serve::followed::Followed;

#[derive(Debug)]
pub(in crate::serve) struct Digest(pub(in crate::serve) Arc<Followed<Option<PolicySet>>>);

impl Collector for Digest {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let in_force = self.0.load();
        let Some(set) = &**in_force else { return Ok(()) };
        let one = ConstGauge::new(1_i64);
        let help = "the policies in force and the cap, as a digest: replicas with the same one hold the same";
        let mut metric =
            encoder.encode_descriptor("policies_info", help, None, one.metric_type())?;
        one.encode(metric.encode_family(&[("digest", set.digest())])?)
    }
}
