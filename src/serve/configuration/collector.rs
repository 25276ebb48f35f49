//! What is known of the users of configuration, read when somebody scrapes.

use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use super::index::Index;

#[derive(Debug)]
pub(in crate::serve) struct Users(pub(in crate::serve) Arc<Index>);

impl Collector for Users {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let known = self.0.knowledge();
        let is_known = ConstGauge::new(i64::from(known.unknown.is_empty()));
        let help = "1 while all who use ConfigMaps and Secrets are known; while it is 0, rules about them are silent";
        let kind = is_known.metric_type();
        is_known.encode(encoder.encode_descriptor("config_users_known", help, None, kind)?)?;
        let users = ConstGauge::new(i64::try_from(known.users).unwrap_or(i64::MAX));
        let help = "workloads and pods that use ConfigMaps or Secrets";
        users.encode(encoder.encode_descriptor("config_users", help, None, users.metric_type())?)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn what_is_known_is_counted() {
        let shown = |index: Index| {
            let mut registry = Registry::default();
            registry.register_collector(Box::new(Users(Arc::new(index))));
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            text
        };
        let text = shown(Index::default());
        assert!(text.contains("config_users_known 0\n"), "{text}");
        let text = shown(Index::of(&[]));
        assert!(
            text.contains("config_users_known 1\n") && text.contains("config_users 0\n"),
            "{text}"
        );
    }
}
