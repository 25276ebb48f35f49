//! How many panics there were, read when somebody scrapes.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;

use super::count;

/// The counter of panics.
#[derive(Debug)]
pub(crate) struct Panics;

impl Collector for Panics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let panics = ConstCounter::new(count());
        let help = "panics, each a bug in restraint: of a review, of a connection, or of what runs beside them";
        panics.encode(encoder.encode_descriptor("panics", help, None, panics.metric_type())?)
    }
}
