//! What a listener sees, read when somebody scrapes.

use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::counters::Counters;

/// The counters of a listener.
#[derive(Debug)]
pub(crate) struct Connections(pub(crate) Arc<Counters>);

impl Collector for Connections {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let tally = self.0.tally();
        let open = ConstGauge::new(i64::try_from(tally.open).unwrap_or(i64::MAX));
        open.encode(encoder.encode_descriptor(
            "connections_open",
            "connections of callers, handshakes included",
            None,
            open.metric_type(),
        )?)?;
        let counters = [
            ("connections_accepted", "connections accepted", tally.accepted),
            (
                "connections_rejected",
                "connections closed at once because there were too many",
                tally.rejected,
            ),
            ("connections_evicted", "idle connections closed for newer ones", tally.evicted),
            ("accept_errors", "failures to accept a connection", tally.accept_errors),
            ("handshakes_failed", "TLS handshakes that failed", tally.handshakes_failed),
            (
                "handshakes_timed_out",
                "TLS handshakes that took too long",
                tally.handshakes_timed_out,
            ),
            (
                "handshakes_evicted",
                "TLS handshakes closed for newer ones",
                tally.handshakes_evicted,
            ),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(
                name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        Ok(())
    }
}
