//! Who acts.

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::Api;
use kube::api::PostParams;

use crate::cluster::Cluster;

/// Who acts, as the API server knows them, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Who {
    /// The name that requests carry; empty where the API server does not tell.
    pub(super) user: String,
    /// The machine and the process.
    place: String,
}

impl Who {
    /// Asks the API server. Anybody may.
    pub(super) async fn ask(cluster: &Cluster) -> Self {
        let reviews: Api<SelfSubjectReview> = Api::all(cluster.client.clone());
        let answer = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await;
        let user = answer.ok().and_then(|review| review.status?.user_info?.username);
        let host = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
        let host = host.or_else(|| {
            std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|it| it.trim().to_owned())
        });
        let process = std::process::id();
        let place = match host {
            Some(host) => format!("{host}, process {process}"),
            None => format!("process {process}"),
        };
        Self { user: user.unwrap_or_default(), place }
    }

    /// What others read who wait for them.
    pub(super) fn holder(&self) -> String {
        let user = if self.user.is_empty() { "somebody" } else { &self.user };
        format!("{user} ({})", self.place)
    }
}
