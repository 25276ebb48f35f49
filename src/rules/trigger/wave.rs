//! Pusher's Wave, which rolls workloads that ask for it.

use crate::judge::subject::Resource;
use crate::judge::view::PodView;

/// What Wave goes by, in the metadata of the workload itself.
pub(super) const WAVE: &str = "wave.pusher.com/update-on-config-change";

/// Whether Wave rolls the workload of `pod` when any of its configuration changes.
pub(super) fn is_followed_by_wave(pod: &PodView<'_>) -> bool {
    use Resource::{DaemonSet, Deployment, StatefulSet};
    matches!(pod.resource, Deployment | StatefulSet | DaemonSet)
        && pod.object.annotations.text(WAVE).is_some_and(|value| value == "true")
}
