//! Where defaults are filled in.

use crate::judge::subject::Resource;
use crate::manifest::unstructured::Unstructured;

/// Where an object is: some defaults are filled into pods only, not into templates of pods, and
/// those of Jobs not into CronJobs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) is_pod: bool,
    pub(super) is_cron_job: bool,
    /// A pod on the network of its node: ports of its containers are the node's.
    pub(super) is_on_host_network: bool,
}

impl Place {
    pub(super) fn of(object: &Unstructured) -> Self {
        Self {
            is_pod: object.resource() == Resource::Pod,
            is_cron_job: object.resource() == Resource::CronJob,
            is_on_host_network: object.is_true("/spec/hostNetwork"),
        }
    }
}
