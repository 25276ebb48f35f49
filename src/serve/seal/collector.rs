//! The keys of stamps, counted when somebody scrapes.

use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use crate::serve::followed::Followed;

use super::SealKeys;

#[derive(Debug)]
pub(in crate::serve) struct Keys(pub(in crate::serve) Arc<Followed<SealKeys>>);

impl Collector for Keys {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let count =
            ConstGauge::new(i64::try_from(self.0.load().names().count()).unwrap_or(i64::MAX));
        let help = "keys that seals are accepted under; 0 while none is known, and then grants are refused";
        count.encode(encoder.encode_descriptor("seal_keys", help, None, count.metric_type())?)
    }
}
