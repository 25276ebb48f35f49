//! What the metrics API measured of containers.

use serde::{Deserialize, Deserializer};

use super::amounts::Amounts;

/// A container of a `PodMetrics` of `metrics.k8s.io/v1beta1`.
#[derive(Deserialize)]
pub(crate) struct ContainerMetrics {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) usage: Amounts,
}

/// Reads the containers of a `PodMetrics`, of which `null` is an empty list.
pub(crate) fn containers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<ContainerMetrics>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
