//! Live memory of a pod's containers, as the metrics API tells it.

use std::collections::BTreeMap;

use crate::json::text::Text;
use crate::json::{self, Decode, Failed, Reader, fields};

use super::resources::Amounts;

/// The working set of each container of a pod, in bytes: what is resident and cannot be dropped at
/// once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage(BTreeMap<String, i128>);

impl Usage {
    /// Reads a `PodMetrics` of `metrics.k8s.io/v1beta1`; `None` where it cannot be told.
    pub fn read(json: &[u8]) -> Option<Self> {
        let metrics: PodMetrics<'_> = json::read(std::str::from_utf8(json).ok()?).ok()?;
        // a container without memory is one that was not measured
        let measured =
            metrics.containers.0?.into_iter().filter(|container| container.usage.memory.is_some());
        measured
            .map(|container| Some((container.name.to_string(), container.usage.memory_bytes()?)))
            .collect()
    }

    /// Of the container `name`, where it was measured.
    pub fn of(&self, name: &str) -> Option<i128> {
        self.0.get(name).copied()
    }

    /// Of all that were measured together.
    pub fn total(&self) -> i128 {
        self.0.values().fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }
}

impl FromIterator<(String, i128)> for Usage {
    fn from_iter<I: IntoIterator<Item = (String, i128)>>(containers: I) -> Self {
        Self(containers.into_iter().collect())
    }
}

#[derive(Default)]
struct PodMetrics<'a> {
    /// `null` is an empty list, and something without them no `PodMetrics`.
    containers: Told<Vec<ContainerMetrics<'a>>>,
}

fields!(PodMetrics { "containers" => containers });

#[derive(Default)]
struct Told<T>(Option<T>);

impl<'a, T: Decode<'a>> Decode<'a> for Told<T> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        self.0.insert(T::default()).read(reader)
    }
}

#[derive(Default)]
struct ContainerMetrics<'a> {
    name: Text<'a>,
    usage: Amounts<'a>,
}

fields!(ContainerMetrics { "name" => name, "usage" => usage });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_known() {
        let usage = Usage::read(
            br#"{"kind": "PodMetrics", "timestamp": "2026-11-21T12:00:00Z", "window": "15s", "containers": [
                {"name": "app", "usage": {"cpu": "12345n", "memory": "972800Ki"}},
                {"name": "side", "usage": {"cpu": "1m", "memory": "1Mi"}},
                {"name": "starting", "usage": {"cpu": "0"}}]}"#,
        )
        .unwrap();
        assert_eq!((usage.of("app"), usage.of("side")), (Some(950 << 20), Some(1 << 20)));
        assert_eq!((usage.of("starting"), usage.of("other")), (None, None));
        assert_eq!(usage.total(), 951 << 20);
    }

    #[test]
    fn nothing_is_made_of_anything_else() {
        assert_eq!(Usage::read(br#"{"containers": null}"#), Some(Usage::default()));
        for garbage in [
            "",
            "[]",
            "{}",
            "null",
            "<html>",
            r#"{"containers": {}}"#,
            r#"{"containers": [{"usage": {"memory": "much"}}]}"#,
        ] {
            assert_eq!(Usage::read(garbage.as_bytes()), None, "{garbage}");
        }
        assert_eq!(
            Usage::read(br#"{"containers": [{"name": "app", "usage": {"memory": "1e30"}}]}"#),
            None
        );
    }
}
